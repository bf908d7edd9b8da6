//! Where k-means starts: points chosen far apart (k-means++; D. Arthur, S. Vassilvitskii, SODA 2007), from a sample.

use vw_vector::kernel::kernels;

use super::rows::{Pacer, Rows};
use super::{Matrix, nearest};
use crate::codec::SplitMix64;

/// Points of the sample for each centroid.
const SAMPLE: usize = 8;

/// With more centroids than this, points are chosen evenly instead: the other way takes time by the square.
const MOST: usize = 2_048;

/// The points among which each centroid is chosen, of up to so many centroids.
const TRIALS: usize = 4;
const FEW: usize = 256;

/// Choose up to `count` of the rows as first centroids.
pub(super) fn start(rows: Rows<'_>, count: usize, random: &mut SplitMix64, pacer: &mut Pacer<'_>) -> Vec<f32> {
    if count > MOST {
        let chosen = rows.sample(count, random);
        return rows.only(&chosen).iter().flatten().copied().collect();
    }
    let sample = rows.sample(SAMPLE * count, random);
    let sample = rows.only(&sample);
    let leading = nearest::leading(rows.dim(), rows.rotated());
    let heads: Vec<f32> = sample.iter().filter_map(|row| row.get(..leading)).flatten().copied().collect();
    let heads = Matrix { values: &heads, dim: leading, rotated: false };
    let chosen = apart(heads.rows(), count, random, pacer);
    chosen.iter().flat_map(|at| sample.get(*at)).copied().collect()
}

/// Choose up to `count` different rows, each with a chance by its squared distance from those already chosen: of a few
/// chosen so, the one that leaves least distance.
pub(super) fn apart(rows: Rows<'_>, count: usize, random: &mut SplitMix64, pacer: &mut Pacer<'_>) -> Vec<usize> {
    let mut chosen = Vec::with_capacity(count);
    if rows.len() == 0 || count == 0 {
        return chosen;
    }
    let trials = if count > FEW { 1 } else { TRIALS };
    let mut distances = vec![f32::INFINITY; rows.len()];
    let (mut tried, mut best) = (distances.clone(), distances.clone());
    let mut next = random.below(rows.len());
    let mut total = nearer(rows, rows.get(next), &distances, &mut best, pacer);
    loop {
        chosen.push(next);
        std::mem::swap(&mut distances, &mut best);
        if chosen.len() >= count {
            return chosen;
        }
        let mut least = f64::INFINITY;
        for _ in 0..trials {
            let Some(at) = pick(&distances, total * random.unit()) else { return chosen };
            let left = nearer(rows, rows.get(at), &distances, &mut tried, pacer);
            if left < least {
                (least, next) = (left, at);
                std::mem::swap(&mut tried, &mut best);
            }
        }
        total = least;
    }
}

/// Write the distances of rows from what is nearest of those chosen and one more, and give their sum.
fn nearer(rows: Rows<'_>, one: &[f32], known: &[f32], to: &mut [f32], pacer: &mut Pacer<'_>) -> f64 {
    let mut total = 0.0;
    for ((row, known), to) in rows.iter().zip(known).zip(to) {
        *to = (kernels().f32_l2_squared)(one, row).min(*known);
        total += f64::from(*to);
        pacer.work(rows.dim());
    }
    total
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
