//! Where k-means starts: points chosen far apart (k-means++; D. Arthur, S. Vassilvitskii, SODA 2007), from a sample.

use vw_vector::kernel::kernels;

use super::rows::{Pacer, Rows};
use crate::codec::SplitMix64;

/// Points of the sample for each centroid.
const SAMPLE: usize = 8;

/// With more centroids than this, points are chosen evenly instead: the other way takes time by the square.
const MOST: usize = 2_048;

/// Choose up to `count` of the rows as first centroids.
pub(super) fn start(rows: Rows<'_>, count: usize, random: &mut SplitMix64, pacer: &mut Pacer<'_>) -> Vec<f32> {
    if count > MOST {
        let chosen = rows.sample(count, random);
        return rows.only(&chosen).iter().flatten().copied().collect();
    }
    let sample = rows.sample(SAMPLE * count, random);
    apart(rows.only(&sample), count, random, pacer)
}

/// Choose up to `count` different rows, each with a chance by its squared distance from those already chosen.
pub(super) fn apart(rows: Rows<'_>, count: usize, random: &mut SplitMix64, pacer: &mut Pacer<'_>) -> Vec<f32> {
    let mut chosen = Vec::with_capacity(count * rows.dim());
    let mut distances = vec![f32::INFINITY; rows.len()];
    let mut next = (rows.len() > 0 && count > 0).then(|| random.below(rows.len()));
    while let Some(at) = next {
        let row = rows.get(at);
        chosen.extend_from_slice(row);
        if chosen.len() >= count * rows.dim() {
            break;
        }
        let mut total = 0.0;
        for (other, distance) in rows.iter().zip(&mut distances) {
            *distance = (kernels().f32_l2_squared)(row, other).min(*distance);
            total += f64::from(*distance);
            pacer.work(rows.dim());
        }
        next = pick(&distances, total * random.unit());
    }
    chosen
}

/// Find where the running sum of weights passes `goal`; nothing where all weights are zero.
fn pick(weights: &[f32], goal: f64) -> Option<usize> {
    let mut sum = 0.0;
    let passing = weights.iter().position(|weight| {
        sum += f64::from(*weight);
        *weight > 0.0 && sum > goal
    });
    passing.or_else(|| weights.iter().rposition(|weight| *weight > 0.0))
}
