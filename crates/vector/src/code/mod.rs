//! The inner loops over codes: sums of many members at once, products of packed codes, their floats, the rounding that
//! makes codes, the Hadamard transform that comes before it, and the checksum of pages. Once per level of SIMD instructions, as
//! with the distances beside this.
//!
//! What the codes mean is the index's matter (`vw-ivf`). Sums of `f32` may differ between levels in their last bits;
//! sums of integers and the checksum may not.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod bounds;
mod checksum;
mod fours;
mod hadamard;
#[cfg(target_arch = "x86_64")]
mod level;
mod panel;
mod products;
mod rounding;
mod scalar;
mod tables;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

pub use bounds::Bounds;
pub use panel::{ACROSS, Across, DEEP};
pub use rounding::Rounding;

/// The members of a block.
pub const LANES: usize = 32;

/// The product of a packed code with floats: the sum of `u_i * v_i`, as far as both go.
pub type Dot = fn(&[u8], &[f32]) -> f32;

/// A float as it lies on disk: little-endian.
pub type Stored = [u8; 4];

/// Lower bounds of scores from the sums of a block's members, their squared norms and their factors.
pub type Bound = fn(&Bounds, &[u32; LANES], &[Stored; LANES], &[Stored; LANES], &mut [f32; LANES]);

/// One level of instructions. No function reads beyond its slices, whatever their lengths.
pub struct Codes {
    /// The level, as benchmarks and tests print it.
    pub name: &'static str,
    /// Sum, for each of 32 members, the table entries that its nibbles choose. A table has 16 entries and belongs to 16
    /// bytes of planes, whose byte `j` holds member `j` in the low nibble and member `j + 16` in the high one.
    pub scan: fn(&[u8], &[u8]) -> [u32; LANES],
    /// Turn the sums of a block into lower bounds of scores.
    pub bounds: Bound,
    /// The product of a code of one bit a dimension, low bits first, with floats.
    pub dot1: Dot,
    /// The same of two bits a dimension.
    pub dot2: Dot,
    /// The same of four bits a dimension.
    pub dot4: Dot,
    /// The same of eight bits a dimension.
    pub dot8: Dot,
    /// Write the numbers of a code of four bits a dimension, less 7.5 and times the given scale, as far as there is room.
    pub fours: fn(&[u8], f32, &mut [f32]),
    /// The inner products of a vector with the rows of a matrix, as many as there are and as there is room for.
    pub products: fn(&[f32], &[f32], &mut [f32]),
    /// The inner products of eight vectors with the 32 of a panel, as far as both go. Either lie side by side: first the
    /// first number of each.
    pub eight: fn(&[[f32; DEEP]], &[Across], &mut [Across; DEEP]),
    /// The inner products of one vector with the 32 of a panel, as far as both go.
    pub one: fn(&[f32], &[Across], &mut Across),
    /// What rounding these values would give: the product of values and code, and the squared norm of the code.
    pub measure: fn(&[f32], Rounding) -> (f32, f32),
    /// Round values to codes of one byte each.
    pub round: fn(&[f32], Rounding, &mut [u8]),
    /// Make the tables that `scan` looks up: 16 entries for each four floats. Entry `n` is the sum of those whose bit is
    /// set in `n` less the sum of those that are negative, times the given scale, rounded; at most 255 are kept.
    pub tables: fn(&[f32], f32, &mut [u8]),
    /// Transform in place by the Walsh-Hadamard matrix without its scale; the length must be a power of two, or
    /// nothing is done.
    pub hadamard: fn(&mut [f32]),
    /// A checksum that a change in any one aligned word of four bytes surely changes, and others but by chance of
    /// 2^-32. It is kept on disk: all levels and all CPUs give the same.
    pub checksum: fn(u64, &[u8]) -> u32,
}

impl Codes {
    /// The product with a code of so many bits a dimension, if there are such codes.
    pub fn dot(&self, bits: u8) -> Option<Dot> {
        match bits {
            1 => Some(self.dot1),
            2 => Some(self.dot2),
            4 => Some(self.dot4),
            8 => Some(self.dot8),
            _ => None,
        }
    }
}

/// The best level of this CPU; detected once.
#[inline]
pub fn codes() -> &'static Codes {
    static BEST: LazyLock<&'static Codes> = LazyLock::new(|| levels().pop().unwrap_or(&scalar::LEVEL));
    &BEST
}

/// The checksum of bytes, by the best level.
pub fn checksum(seed: u64, bytes: &[u8]) -> u32 {
    (codes().checksum)(seed, bytes)
}

/// Every level that this CPU can run, from the plain one to the best.
pub fn levels() -> Vec<&'static Codes> {
    #[allow(unused_mut, reason = "a CPU of another kind has the plain level alone")]
    let mut levels = vec![&scalar::LEVEL];
    #[cfg(target_arch = "x86_64")]
    levels.extend(avx2::detect().into_iter().chain(avx512::detect()));
    levels
}
