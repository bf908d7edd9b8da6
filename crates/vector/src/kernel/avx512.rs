//! The levels of AVX-512 (F, BW and VL): sixteen lanes and masked loads; with VPOPCNTDQ it counts bits in registers.

use std::arch::x86_64::*;

use super::lanes::{self, Lanes, Run};
use super::make::level;
use super::merge::{self, Matching};
use super::{Kernels, Level, Sums, avx2, scalar};
use crate::sparse::Sparse;

pub use plain::Avx512;

mod plain {
    //! The level without an instruction for counting bits.

    use super::*;

    level!(
        Avx512,
        "avx512",
        "avx512f,avx512bw,avx512vl,avx2,fma,f16c,popcnt",
        Sixteen,
        scalar::hamming,
        scalar::jaccard
    );

    /// The table, where the CPU has the instructions.
    pub(super) fn table() -> &'static Kernels {
        &LEVEL
    }
}

level!(
    Counting,
    "avx512vpopcntdq",
    "avx512f,avx512bw,avx512vl,avx512vpopcntdq,avx2,fma,f16c,popcnt",
    Sixteen,
    hamming,
    jaccard
);

/// The levels that this CPU has the instructions of.
pub(super) fn detect() -> Vec<&'static Kernels> {
    let base = avx2::detect().is_some()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl");
    let counting = base && is_x86_feature_detected!("avx512vpopcntdq");
    base.then(plain::table).into_iter().chain(counting.then_some(&LEVEL)).collect()
}

#[derive(Clone, Copy)]
struct Sixteen(__m512);

impl Lanes for Sixteen {
    const COUNT: usize = 16;
    type Floats = Joined;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_loadu_ps(from)) }
    }

    #[inline(always)]
    unsafe fn load_some(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's promise; lanes that the mask leaves out are not read.
        unsafe { Self(_mm512_maskz_loadu_ps(first(count) as u16, from)) }
    }

    #[inline(always)]
    unsafe fn load_halves(from: *const u16) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_cvtph_ps(_mm256_loadu_si256(from.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_some_halves(from: *const u16, count: usize) -> Self {
        // SAFETY: the caller's promise; lanes that the mask leaves out are not read.
        unsafe { Self(_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(count) as u16, from.cast()))) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm512_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_halves(self, to: *mut u16) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.0)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_sub_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_abs_ps(self.0)) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, to: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_fmadd_ps(self.0, factor.0, to.0)) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_reduce_add_ps(self.0) }
    }
}

/// Floats that lie one behind the other, loaded by whole cache lines: a register is put together out of two of them.
///
/// A stored value is hardly ever at the start of a line, so every register that is loaded where it lies is in two lines,
/// and loading lines is what bounds a sum of floats.
struct Joined {
    /// The line that was loaded last.
    at: *const f32,
    line: __m512,
    /// Which floats of that line and the next one are a register.
    select: __m512i,
}

impl Run<f32, Sixteen> for Joined {
    const AHEAD: usize = 16;

    #[inline(always)]
    unsafe fn new(from: *const f32) -> Self {
        // SAFETY: the caller's promise; of the line that the first float is in, nothing before it is read.
        unsafe {
            let before = from.addr() / size_of::<f32>() % Sixteen::COUNT;
            let at = from.wrapping_sub(before);
            let line = _mm512_maskz_loadu_ps(u16::MAX << before, at);
            let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
            Joined { at, line, select: _mm512_add_epi32(lanes, _mm512_set1_epi32(before as i32)) }
        }
    }

    #[inline(always)]
    unsafe fn next(&mut self) -> Sixteen {
        // SAFETY: the caller's promise: the next line ends no more than a register behind this one.
        unsafe {
            self.at = self.at.wrapping_add(Sixteen::COUNT);
            let next = _mm512_loadu_ps(self.at);
            let register = _mm512_permutex2var_ps(self.line, self.select, next);
            self.line = next;
            Sixteen(register)
        }
    }
}

impl Matching for Sixteen {
    type Indices = __m512i;
    type Picked = __mmask16;

    #[inline(always)]
    unsafe fn load_indices(from: *const i32) -> __m512i {
        // SAFETY: the caller's promise.
        unsafe { _mm512_loadu_si512(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_some_indices(from: *const i32, count: usize) -> __m512i {
        // SAFETY: the caller's promise; lanes that the mask leaves out are not read.
        unsafe { _mm512_mask_loadu_epi32(_mm512_set1_epi32(-1), first(count) as u16, from) }
    }

    #[inline(always)]
    unsafe fn count_up_to(from: *const i32, count: usize, last: i32) -> usize {
        // SAFETY: the caller's promise; lanes that the mask leaves out are not read.
        unsafe {
            let some = first(count) as u16;
            let indices = _mm512_maskz_loadu_epi32(some, from);
            _mm512_mask_cmple_epi32_mask(some, indices, _mm512_set1_epi32(last)).trailing_ones() as usize
        }
    }

    #[inline(always)]
    unsafe fn pick_none() -> __mmask16 {
        0
    }

    #[inline(always)]
    unsafe fn pick(indices: __m512i, index: i32) -> __mmask16 {
        // SAFETY: the caller's promise.
        unsafe { _mm512_cmpeq_epi32_mask(indices, _mm512_set1_epi32(index)) }
    }

    #[inline(always)]
    unsafe fn pick_bits(bits: u32) -> __mmask16 {
        bits as __mmask16
    }

    #[inline(always)]
    unsafe fn is_none(picked: __mmask16) -> bool {
        picked == 0
    }

    #[inline(always)]
    unsafe fn pick_either(one: __mmask16, other: __mmask16) -> __mmask16 {
        one | other
    }

    #[inline(always)]
    unsafe fn fill(value: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_set1_ps(value)) }
    }

    #[inline(always)]
    unsafe fn keep(self, picked: __mmask16) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_maskz_mov_ps(picked, self.0)) }
    }

    #[inline(always)]
    unsafe fn clear(self, picked: __mmask16) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm512_maskz_mov_ps(!picked, self.0)) }
    }
}

/// A mask of the first `count` (fewer than 64) lanes or bytes.
#[inline(always)]
fn first(count: usize) -> u64 {
    (1 << count) - 1
}

/// Bytes in a register.
const BYTES: usize = 64;

/// Load a register of bytes.
///
/// # Safety
/// The CPU must have the instructions of the level that counts, and the bytes must be there.
#[inline(always)]
unsafe fn load(bytes: *const u8) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe { _mm512_loadu_si512(bytes.cast()) }
}

/// Load fewer bytes than a register has, with zeros behind them.
///
/// # Safety
/// As for [`load`].
#[inline(always)]
unsafe fn load_some(bytes: *const u8, count: usize) -> __m512i {
    // SAFETY: the caller's promise; bytes that the mask leaves out are not read.
    unsafe { _mm512_maskz_loadu_epi8(first(count), bytes.cast()) }
}

/// Count the bits that differ, in each word.
///
/// # Safety
/// The CPU must have the instructions of the level that counts.
#[inline(always)]
unsafe fn differing(left: __m512i, right: __m512i) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe { _mm512_popcnt_epi64(_mm512_xor_si512(left, right)) }
}

/// Bytes up to which words are counted quicker than a register can be summed up.
const SHORT: usize = 2 * BYTES;

/// Count the bits that differ.
///
/// # Safety
/// The CPU must have the instructions of the level that counts.
#[inline(always)]
unsafe fn hamming(left: &[u8], right: &[u8]) -> u64 {
    let length = if left.len() < right.len() { left.len() } else { right.len() };
    if length < SHORT {
        return scalar::hamming(left, right);
    }
    let (left, right) = (left.as_ptr(), right.as_ptr());
    // SAFETY: the caller's promise, and nothing is loaded from `length` on.
    unsafe {
        let (mut sum, mut other) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        let mut at = 0;
        while length - at >= 2 * BYTES {
            let (l, r) = (left.add(at), right.add(at));
            sum = _mm512_add_epi64(sum, differing(load(l), load(r)));
            other = _mm512_add_epi64(other, differing(load(l.add(BYTES)), load(r.add(BYTES))));
            at += 2 * BYTES;
        }
        if length - at >= BYTES {
            sum = _mm512_add_epi64(sum, differing(load(left.add(at)), load(right.add(at))));
            at += BYTES;
        }
        if length > at {
            let (l, r) = (load_some(left.add(at), length - at), load_some(right.add(at), length - at));
            other = _mm512_add_epi64(other, differing(l, r));
        }
        _mm512_reduce_add_epi64(_mm512_add_epi64(sum, other)) as u64
    }
}

/// Count the bits set in both and in either.
///
/// # Safety
/// The CPU must have the instructions of the level that counts.
#[inline(always)]
unsafe fn jaccard(left: &[u8], right: &[u8]) -> (u64, u64) {
    let length = if left.len() < right.len() { left.len() } else { right.len() };
    if length < SHORT {
        return scalar::jaccard(left, right);
    }
    let (left, right) = (left.as_ptr(), right.as_ptr());
    // SAFETY: the caller's promise, and nothing is loaded from `length` on.
    unsafe {
        let (mut both, mut either) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        let mut at = 0;
        while length - at >= BYTES {
            let (l, r) = (load(left.add(at)), load(right.add(at)));
            both = _mm512_add_epi64(both, _mm512_popcnt_epi64(_mm512_and_si512(l, r)));
            either = _mm512_add_epi64(either, _mm512_popcnt_epi64(_mm512_or_si512(l, r)));
            at += BYTES;
        }
        if length > at {
            let (l, r) = (load_some(left.add(at), length - at), load_some(right.add(at), length - at));
            both = _mm512_add_epi64(both, _mm512_popcnt_epi64(_mm512_and_si512(l, r)));
            either = _mm512_add_epi64(either, _mm512_popcnt_epi64(_mm512_or_si512(l, r)));
        }
        (_mm512_reduce_add_epi64(both) as u64, _mm512_reduce_add_epi64(either) as u64)
    }
}
