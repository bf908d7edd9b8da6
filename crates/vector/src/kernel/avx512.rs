//! The levels of AVX-512 (F, BW and VL): sixteen lanes and masked loads; with VPOPCNTDQ it counts bits in registers.

use std::arch::x86_64::*;

use super::lanes::{self, Lanes, level};
use super::{Kernels, avx2, scalar};

static LEVEL: Kernels =
    level!("avx512", "avx512f,avx512bw,avx512vl,avx2,fma,f16c,popcnt", Sixteen, scalar::hamming, scalar::jaccard);

static COUNTING: Kernels = level!(
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
    base.then_some(&LEVEL).into_iter().chain(counting.then_some(&COUNTING)).collect()
}

#[derive(Clone, Copy)]
struct Sixteen(__m512);

impl Lanes for Sixteen {
    const COUNT: usize = 16;

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

/// A mask of the first `count` (fewer than 64) lanes or bytes.
#[inline(always)]
fn first(count: usize) -> u64 {
    (1 << count) - 1
}

/// Bytes in a register.
const BYTES: usize = 64;

/// Count the bits set in each of what `combine` makes of a register of both slices; zeros must give zeros.
///
/// # Safety
/// The CPU must have the instructions of the level that counts.
#[inline(always)]
unsafe fn count<const N: usize>(
    left: &[u8],
    right: &[u8],
    combine: impl Fn(__m512i, __m512i) -> [__m512i; N],
) -> [u64; N] {
    let length = left.len().min(right.len());
    let (left, left_rest) = left.get(..length).unwrap_or_default().as_chunks::<BYTES>();
    let (right, right_rest) = right.get(..length).unwrap_or_default().as_chunks::<BYTES>();
    // SAFETY: the caller vouches for the instructions. A chunk is as long as a register, and of the shorter rests only
    // the bytes that the mask leaves in are read.
    unsafe {
        let mut sums = [_mm512_setzero_si512(); N];
        let mut add = |l, r| {
            for (sum, bits) in sums.iter_mut().zip(combine(l, r)) {
                *sum = _mm512_add_epi64(*sum, _mm512_popcnt_epi64(bits));
            }
        };
        for (l, r) in left.iter().zip(right) {
            add(_mm512_loadu_si512(l.as_ptr().cast()), _mm512_loadu_si512(r.as_ptr().cast()));
        }
        let rest = |bytes: &[u8]| _mm512_maskz_loadu_epi8(first(bytes.len()), bytes.as_ptr().cast());
        add(rest(left_rest), rest(right_rest));
        sums.map(|sum| _mm512_reduce_add_epi64(sum) as u64)
    }
}

/// Count the bits that differ.
///
/// # Safety
/// The CPU must have the instructions of the level that counts.
#[inline(always)]
unsafe fn hamming(left: &[u8], right: &[u8]) -> u64 {
    // SAFETY: the caller's promise.
    let [count] = unsafe { count(left, right, |l, r| [_mm512_xor_si512(l, r)]) };
    count
}

/// Count the bits set in both and in either.
///
/// # Safety
/// The CPU must have the instructions of the level that counts.
#[inline(always)]
unsafe fn jaccard(left: &[u8], right: &[u8]) -> (u64, u64) {
    // SAFETY: the caller's promise.
    unsafe { count(left, right, |l, r| [_mm512_and_si512(l, r), _mm512_or_si512(l, r)]) }.into()
}
