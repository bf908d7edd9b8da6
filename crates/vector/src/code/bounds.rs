//! From the sums of a block to lower bounds of its members' scores: one formula, compiled for every level.
//!
//! A member is r, the query v, and the member's code has the direction c; o is the cosine between r and c. What the
//! code misses of r is orthogonal to r and of a random direction, so of <r, v> it misses, in units of |r||v|, about
//! `k * sqrt(1 - t^2)`, where `t` is the cosine between r and v and `k^2 = (1 / o^2 - 1) / (P - 1)`
//! (RaBitQ, arXiv 2405.12497, section 3.2). With an estimate `e` of `t`, the greatest `t` that fits is below
//! `e + k * sqrt(1 + k^2 - e^2)`.

use super::{LANES, Stored};

/// What one query brings to every block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// The part of the score that does not depend on the member.
    pub base: f32,
    /// How the member's squared norm counts.
    pub norm_weight: f32,
    /// How much the inner product of member and query takes off the score.
    pub dot_weight: f32,
    /// With `offset`: `scale * sum + offset` is the inner product of the query with the member's signs.
    pub scale: f32,
    pub offset: f32,
    /// The squared norm of the query.
    pub norm_sq: f32,
    /// The square of how many deviations the bound allows, over `P - 1`.
    pub spread: f32,
    /// The dimensions of a code.
    pub dimensions: f32,
    /// The squared error that the rounding of the tables adds to the product with the signs, deviations included.
    pub table_error: f32,
    /// The error of rounding, relative to the sum of the magnitudes of what is added.
    pub rounding: f32,
    /// The magnitude of what `base` was made of.
    pub magnitude: f32,
}

impl Bounds {
    /// The square of the most that an inner product may differ from its estimate; that and the estimate are in units of
    /// the member's norm, and `miss` is `1 / o^2 - 1`.
    #[inline(always)]
    pub fn deviation_sq(&self, miss: f32, estimate: f32) -> f32 {
        let k_sq = (self.spread * miss).max(0.0);
        k_sq * (self.norm_sq * (1.0 + k_sq) - estimate * estimate).max(0.0)
    }

    /// The error of rounding of a score, of a member of this norm and its square.
    #[inline(always)]
    pub fn rounding_error(&self, norm: f32, norm_sq: f32) -> f32 {
        self.rounding * (self.magnitude + self.norm_weight * norm_sq + self.dot_weight * self.norm_sq.sqrt() * norm)
    }
}

/// Bound the scores of a block.
#[inline(always)]
pub(super) fn bounds(
    query: &Bounds,
    sums: &[u32; LANES],
    norms: &[Stored; LANES],
    factors: &[Stored; LANES],
    lower: &mut [f32; LANES],
) {
    for (((lower, sum), norm_sq), factor) in lower.iter_mut().zip(sums).zip(norms).zip(factors) {
        *lower = bound(query, *sum, f32::from_le_bytes(*norm_sq), f32::from_le_bytes(*factor));
    }
}

/// Bound one score. A member whose norm is infinite comes last; one whose norm is not a number may be anywhere.
#[inline(always)]
fn bound(query: &Bounds, sum: u32, norm_sq: f32, factor: f32) -> f32 {
    // A sum is far below 2^31, and a signed number is converted by one instruction.
    let signs = query.scale * (sum as i32 as f32) + query.offset;
    let inverse = if norm_sq > 0.0 { 1.0 / norm_sq.sqrt() } else { 0.0 };
    let norm = norm_sq * inverse;
    let unit = factor * inverse;
    let miss = query.dimensions * unit * unit - 1.0;
    let code = query.deviation_sq(miss, signs * unit);
    let error = norm * (code + query.table_error * unit * unit).sqrt();
    // No inner product is above the product of the norms.
    let most = signs * factor + error;
    let limit = norm * query.norm_sq.sqrt();
    let most = if most < limit { most } else { limit };
    let farthest = query.base + query.norm_weight * norm_sq;
    let lower = farthest - query.dot_weight * most - query.rounding_error(norm, norm_sq);
    // Written so that whatever is not a number, from a corrupt page too, ends as the bound that excludes nothing.
    let finite = if lower > f32::NEG_INFINITY { lower } else { f32::NEG_INFINITY };
    let last = if norm_sq == f32::INFINITY { f32::INFINITY } else { f32::NEG_INFINITY };
    if norm_sq < f32::INFINITY { finite } else { last }
}
