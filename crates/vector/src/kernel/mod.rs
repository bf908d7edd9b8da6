//! The inner loops of all distances, once per level of SIMD instructions, and the choice of the level at run time.
//!
//! Sums are kept in `f32`, as pgvector keeps them: one that overflows is infinite, not an error. Each level adds in
//! its own fixed order, so results are the same bits on every call but may differ between levels in the last ones.
//! What the sums mean (a distance, a clamped similarity) and whether two values may be compared is the callers' matter.
//!
//! There are two ways in: a table of functions ([`kernels`], or [`Best`] for code that is generic over [`Sums`]), and
//! [`at_best_level!`](crate::at_best_level), which compiles a whole function once per level, the loops inlined.

pub mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(test, target_os = "linux"))]
mod edges;
pub mod half;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod lanes;
mod level;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod make;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod merge;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::{Avx512, Counting};
pub use level::{Best, Level, Sums};
#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use scalar::Scalar;

use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::sparse::Sparse;

/// A sum over two slices.
pub type Sum<E> = fn(&[E], &[E]) -> f32;

/// Three sums over two slices: the inner product and the squared norms of the left and of the right.
pub type Cosine<E> = fn(&[E], &[E]) -> (f32, f32, f32);

/// One level of instructions; every function wants slices of equal length and reads nothing beyond the shorter.
pub struct Kernels {
    /// Which one it is.
    pub level: Level,
    /// The level, as benchmarks and tests print it: `scalar`, `avx2`, `avx512`, …
    pub name: &'static str,
    /// Squared Euclidean distance.
    pub f32_l2_squared: Sum<f32>,
    /// Inner product.
    pub f32_inner_product: Sum<f32>,
    /// Taxicab distance.
    pub f32_l1: Sum<f32>,
    /// Inner product, squared norm of the left, squared norm of the right.
    pub f32_cosine: Cosine<f32>,
    /// Squared Euclidean distance of IEEE binary16 bit patterns, summed in `f32`.
    pub f16_l2_squared: Sum<u16>,
    /// Inner product of binary16 bit patterns, summed in `f32`.
    pub f16_inner_product: Sum<u16>,
    /// Taxicab distance of binary16 bit patterns, summed in `f32`.
    pub f16_l1: Sum<u16>,
    /// Inner product, squared norm of the left, squared norm of the right, of binary16 bit patterns.
    pub f16_cosine: Cosine<u16>,
    /// Squared Euclidean distance of vectors of which only the elements that are not zero are listed.
    pub sparse_l2_squared: fn(Sparse, Sparse) -> f32,
    /// Inner product of such vectors.
    pub sparse_inner_product: fn(Sparse, Sparse) -> f32,
    /// Taxicab distance of such vectors.
    pub sparse_l1: fn(Sparse, Sparse) -> f32,
    /// Inner product, squared norm of the left, squared norm of the right, of such vectors.
    pub sparse_cosine: fn(Sparse, Sparse) -> (f32, f32, f32),
    /// Widen binary16 bit patterns; exact, and a NaN comes out quiet.
    pub f16_to_f32: fn(&[u16], &mut [f32]),
    /// Round to the nearest binary16, ties to even; what is too great becomes infinite.
    pub f32_to_f16: fn(&[f32], &mut [u16]),
    /// The number of bits that differ.
    pub bits_hamming: fn(&[u8], &[u8]) -> u64,
    /// The number of bits set in both, and in either.
    pub bits_jaccard: fn(&[u8], &[u8]) -> (u64, u64),
}

/// The best level of this CPU; detected once.
#[inline(always)]
pub fn kernels() -> &'static Kernels {
    static BEST: AtomicPtr<Kernels> = AtomicPtr::new(null_mut());
    /// Threads that come here at once find the same.
    #[cold]
    fn detect() -> &'static Kernels {
        let best = levels().pop().unwrap_or(&scalar::LEVEL);
        BEST.store(std::ptr::from_ref(best).cast_mut(), Ordering::Relaxed);
        best
    }
    // SAFETY: the pointer is null or one to a table, which is never changed and lives as long as the program.
    unsafe { BEST.load(Ordering::Relaxed).as_ref() }.unwrap_or_else(detect)
}

/// Every level that this CPU can run, from the plain one to the best.
pub fn levels() -> Vec<&'static Kernels> {
    #[allow(unused_mut, reason = "a CPU of another kind has the plain level alone")]
    let mut levels = vec![&scalar::LEVEL];
    #[cfg(target_arch = "x86_64")]
    levels.extend(avx2::detect().into_iter().chain(avx512::detect()));
    #[cfg(target_arch = "aarch64")]
    levels.extend(neon::detect());
    levels
}
