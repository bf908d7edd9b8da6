//! The level of AVX2, FMA, F16C and POPCNT, which every x86-64 server since 2013 has: eight lanes.

use std::arch::x86_64::*;

use super::lanes::{self, Lanes, Plain};
use super::make::level;
use super::merge::{self, Matching};
use super::{Kernels, Level, Sums, scalar};
use crate::sparse::Sparse;

level!(Avx2, "avx2", "avx2,fma,f16c,popcnt", Eight, scalar::hamming, scalar::jaccard);

/// The level, if this CPU has its instructions.
pub(super) fn detect() -> Option<&'static Kernels> {
    let found = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
        && is_x86_feature_detected!("popcnt");
    found.then_some(&LEVEL)
}

#[derive(Clone, Copy)]
struct Eight(__m256);

/// Ones, then zeros: eight from `8 - n` on select the first `n` lanes.
const SELECT: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

impl Lanes for Eight {
    const COUNT: usize = 8;
    type Floats = Plain<f32>;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_setzero_ps()) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_loadu_ps(from)) }
    }

    #[inline(always)]
    unsafe fn load_some(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's promise; lanes that are not selected are not read, and `count` is at most 8.
        unsafe {
            let select = _mm256_loadu_si256(SELECT.as_ptr().add(8 - count.min(8)).cast());
            Self(_mm256_maskload_ps(from, select))
        }
    }

    #[inline(always)]
    unsafe fn load_halves(from: *const u16) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_cvtph_ps(_mm_loadu_si128(from.cast()))) }
    }

    #[inline(always)]
    unsafe fn load_some_halves(from: *const u16, count: usize) -> Self {
        // There is no masked load of 16 bits here, and these few shifts are quicker than a copy through memory.
        // SAFETY: the caller's promise; just `count` elements are read.
        unsafe {
            let bits = (0..count).rev().fold(0, |bits: u128, at| bits << 16 | u128::from(from.add(at).read()));
            Self(_mm256_cvtph_ps(_mm_set_epi64x((bits >> 64) as i64, bits as i64)))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { _mm256_storeu_ps(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_halves(self, to: *mut u16) {
        // SAFETY: the caller's promise.
        unsafe { _mm_storeu_si128(to.cast(), _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self.0)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_sub_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0)) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, to: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_fmadd_ps(self.0, factor.0, to.0)) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe {
            let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
            let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
        }
    }
}

impl Matching for Eight {
    type Indices = __m256i;
    /// Lanes of ones.
    type Picked = __m256;

    #[inline(always)]
    unsafe fn load_indices(from: *const i32) -> __m256i {
        // SAFETY: the caller's promise.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    unsafe fn load_some_indices(from: *const i32, count: usize) -> __m256i {
        // SAFETY: the caller's promise; lanes that are not selected are not read, and `count` is at most 8.
        unsafe {
            let select = _mm256_loadu_si256(SELECT.as_ptr().add(8 - count.min(8)).cast());
            _mm256_or_si256(_mm256_maskload_epi32(from, select), _mm256_xor_si256(select, _mm256_set1_epi32(-1)))
        }
    }

    #[inline(always)]
    unsafe fn count_up_to(from: *const i32, count: usize, last: i32) -> usize {
        // SAFETY: the caller's promise; lanes that are not selected are not read, and `count` is at most 8.
        unsafe {
            let select = _mm256_loadu_si256(SELECT.as_ptr().add(8 - count.min(8)).cast());
            let above = _mm256_cmpgt_epi32(_mm256_maskload_epi32(from, select), _mm256_set1_epi32(last));
            let up_to = _mm256_andnot_si256(above, select);
            _mm256_movemask_ps(_mm256_castsi256_ps(up_to)).trailing_ones() as usize
        }
    }

    #[inline(always)]
    unsafe fn pick_none() -> __m256 {
        // SAFETY: the caller's promise.
        unsafe { _mm256_setzero_ps() }
    }

    #[inline(always)]
    unsafe fn pick(indices: __m256i, index: i32) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe { _mm256_castsi256_ps(_mm256_cmpeq_epi32(indices, _mm256_set1_epi32(index))) }
    }

    #[inline(always)]
    unsafe fn pick_bits(bits: u32) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe {
            let lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let bits = _mm256_and_si256(_mm256_set1_epi32(bits.cast_signed()), lanes);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(bits, lanes))
        }
    }

    #[inline(always)]
    unsafe fn is_none(picked: __m256) -> bool {
        // SAFETY: the caller's promise.
        unsafe { _mm256_movemask_ps(picked) == 0 }
    }

    #[inline(always)]
    unsafe fn pick_either(one: __m256, other: __m256) -> __m256 {
        // SAFETY: the caller's promise.
        unsafe { _mm256_or_ps(one, other) }
    }

    #[inline(always)]
    unsafe fn fill(value: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_set1_ps(value)) }
    }

    #[inline(always)]
    unsafe fn keep(self, picked: __m256) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_and_ps(self.0, picked)) }
    }

    #[inline(always)]
    unsafe fn clear(self, picked: __m256) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(_mm256_andnot_ps(picked, self.0)) }
    }
}
