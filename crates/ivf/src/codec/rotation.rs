//! A random rotation that costs few operations: rounds of random signs, a Hadamard transform of the first and then the
//! last power of two of the dimensions, and a turn by 45 degrees between the halves where the dimensions are no power
//! of two themselves. After four rounds any vector's coordinates are as those of a random rotation, nearly.
//!
//! The idea is FhtKac's of the RaBitQ library. Orthogonal up to rounding. Stored codes depend on it.

use vw_vector::code::codes;

use super::splitmix::SplitMix64;

const ROUNDS: usize = 4;

/// The rotation of one index.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    dimensions: usize,
    /// The greatest power of two that fits.
    power: usize,
    /// For each round and dimension the sign, times the scale that keeps the round's transform a rotation.
    factors: Vec<f32>,
}

impl Rotation {
    /// Make the rotation of a seed; the dimensions must be even, or zero.
    pub(super) fn new(dimensions: usize, seed: u64) -> Self {
        let power = if dimensions == 0 { 0 } else { 1 << dimensions.ilog2() };
        let mut factors = Vec::with_capacity(ROUNDS * dimensions);
        let mut random = SplitMix64::new(seed);
        let turn = if power == dimensions { 1.0 } else { std::f64::consts::FRAC_1_SQRT_2 };
        let inside = (turn / (power as f64).sqrt()) as f32;
        for round in 0..ROUNDS {
            let transformed = start(round, dimensions, power)..start(round, dimensions, power) + power;
            let mut bits = 0;
            for at in 0..dimensions {
                if at % 64 == 0 {
                    bits = random.next();
                }
                let scale = if transformed.contains(&at) { inside } else { turn as f32 };
                factors.push(if bits >> (at % 64) & 1 == 1 { scale } else { -scale });
            }
        }
        Self { dimensions, power, factors }
    }

    /// Rotate in place; what has other dimensions stays as it is.
    pub(super) fn apply(&self, values: &mut [f32]) {
        if values.len() != self.dimensions || values.is_empty() {
            return;
        }
        for (round, factors) in self.factors.chunks_exact(self.dimensions).enumerate() {
            values.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
            let (_, from) = values.split_at_mut(start(round, self.dimensions, self.power));
            let (transformed, _) = from.split_at_mut(self.power);
            (codes().hadamard)(transformed);
            if self.power < self.dimensions {
                let (left, right) = values.split_at_mut(self.dimensions / 2);
                left.iter_mut().zip(right).for_each(|(l, r)| (*l, *r) = (*l + *r, *l - *r));
            }
        }
    }
}

/// Where the transform of a round starts: at the first dimension, and in every other round so that it ends at the last.
fn start(round: usize, dimensions: usize, power: usize) -> usize {
    if round.is_multiple_of(2) { 0 } else { dimensions - power }
}
