//! The level of NEON, which every 64-bit ARM server has: four lanes.

use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use super::lanes::{self, Lanes, level};
use super::{Kernels, scalar};

static LEVEL: Kernels = level!("neon", "neon", Four, scalar::hamming, scalar::jaccard);

/// The level, if this CPU has its instructions.
pub(super) fn detect() -> Option<&'static Kernels> {
    is_aarch64_feature_detected!("neon").then_some(&LEVEL)
}

#[derive(Clone, Copy)]
struct Four(float32x4_t);

impl Lanes for Four {
    const COUNT: usize = 4;

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
