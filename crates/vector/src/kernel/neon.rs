//! The level of NEON, which every 64-bit ARM server has: four lanes.

use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use super::lanes::{self, Lanes, Plain};
use super::make::level;
use super::merge::{self, Matching};
use super::{Kernels, Level, Sums, scalar};
use crate::sparse::Sparse;

level!(Neon, "neon", "neon", Four, scalar::hamming, scalar::jaccard);

/// The level, if this CPU has its instructions.
pub(super) fn detect() -> Option<&'static Kernels> {
    is_aarch64_feature_detected!("neon").then_some(&LEVEL)
}

#[derive(Clone, Copy)]
struct Four(float32x4_t);

impl Lanes for Four {
    const COUNT: usize = 4;
    type Floats = Plain<f32>;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vdupq_n_f32(0.0)) }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vld1q_f32(from)) }
    }

    #[inline(always)]
    unsafe fn load_halves(from: *const u16) -> Self {
        // SAFETY: the caller's promise; what is read are four halves, of which any bits are valid.
        unsafe { Self(vcvt_f32_f16(from.cast::<float16x4_t>().read_unaligned())) }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { vst1q_f32(to, self.0) }
    }

    #[inline(always)]
    unsafe fn store_halves(self, to: *mut u16) {
        // SAFETY: the caller's promise; what is written are four halves.
        unsafe { to.cast::<float16x4_t>().write_unaligned(vcvt_f16_f32(self.0)) }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vaddq_f32(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vsubq_f32(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn abs(self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vabsq_f32(self.0)) }
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, to: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vfmaq_f32(to.0, self.0, factor.0)) }
    }

    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { vaddvq_f32(self.0) }
    }
}

impl Matching for Four {
    type Indices = int32x4_t;
    /// Lanes of ones.
    type Picked = uint32x4_t;

    #[inline(always)]
    unsafe fn load_indices(from: *const i32) -> int32x4_t {
        // SAFETY: the caller's promise.
        unsafe { vld1q_s32(from) }
    }

    #[inline(always)]
    unsafe fn load_some_indices(from: *const i32, count: usize) -> int32x4_t {
        let mut copy = [-1; Self::COUNT];
        // SAFETY: the caller vouches for `count` indices, and no more are written than there is room for.
        unsafe {
            copy.as_mut_ptr().copy_from_nonoverlapping(from, count.min(Self::COUNT));
            vld1q_s32(copy.as_ptr())
        }
    }

    #[inline(always)]
    unsafe fn count_up_to(from: *const i32, count: usize, last: i32) -> usize {
        let mut up_to = 0;
        // SAFETY: the caller vouches for `count` indices.
        while up_to < count && unsafe { from.add(up_to).read() } <= last {
            up_to += 1;
        }
        up_to
    }

    #[inline(always)]
    unsafe fn pick_none() -> uint32x4_t {
        // SAFETY: the caller's promise.
        unsafe { vdupq_n_u32(0) }
    }

    #[inline(always)]
    unsafe fn pick(indices: int32x4_t, index: i32) -> uint32x4_t {
        // SAFETY: the caller's promise.
        unsafe { vceqq_s32(indices, vdupq_n_s32(index)) }
    }

    #[inline(always)]
    unsafe fn pick_bits(bits: u32) -> uint32x4_t {
        // SAFETY: the caller's promise.
        unsafe { vtstq_u32(vdupq_n_u32(bits), vld1q_u32([1, 2, 4, 8].as_ptr())) }
    }

    #[inline(always)]
    unsafe fn is_none(picked: uint32x4_t) -> bool {
        // SAFETY: the caller's promise.
        unsafe { vmaxvq_u32(picked) == 0 }
    }

    #[inline(always)]
    unsafe fn pick_either(one: uint32x4_t, other: uint32x4_t) -> uint32x4_t {
        // SAFETY: the caller's promise.
        unsafe { vorrq_u32(one, other) }
    }

    #[inline(always)]
    unsafe fn fill(value: f32) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vdupq_n_f32(value)) }
    }

    #[inline(always)]
    unsafe fn keep(self, picked: uint32x4_t) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(self.0), picked))) }
    }

    #[inline(always)]
    unsafe fn clear(self, picked: uint32x4_t) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self(vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(self.0), picked))) }
    }
}
