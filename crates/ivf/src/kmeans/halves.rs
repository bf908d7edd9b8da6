//! Two means for the split of a list: two halves of like size.

use vw_vector::kernel::kernels;

use super::Matrix;
use super::rows::{Pacer, Rows};
use super::start::apart;
use crate::codec::SplitMix64;

const ROUNDS: usize = 8;

/// The smaller side has at least one row in so many.
const LEAST: usize = 4;

/// Find two centroids and tell for each row whether it belongs to the second: at least a quarter of the rows to either.
///
/// `None` where all rows are equal. There is no pause: a list is small.
pub fn halves(points: &[f32], dim: usize, seed: u64) -> Option<(Vec<f32>, Vec<f32>, Vec<bool>)> {
    let rows = Rows::all(Matrix { values: points, dim, rotated: false });
    let first = rows.get(0);
    let other = rows.iter().find(|row| *row != first)?;
    let mut random = SplitMix64::new(seed);
    let chosen = apart(rows, 2, &mut random, &mut Pacer::new(&mut || ()));
    // Distances may vanish where the rows still differ.
    let (mut left, mut right) = match chosen.as_slice() {
        [left, right] => (rows.get(*left).to_vec(), rows.get(*right).to_vec()),
        _ => (first.to_vec(), other.to_vec()),
    };
    let mut sides = vec![false; rows.len()];
    for _ in 0..ROUNDS {
        let new = assign(rows, &left, &right);
        let settled = new == sides;
        sides = new;
        (left, right) = (mean(rows, &sides, false), mean(rows, &sides, true));
        if settled {
            break;
        }
    }
    Some((left, right, sides))
}

/// Tell for each row whether it belongs to the right: those nearer to it, but no fewer or more than is allowed.
fn assign(rows: Rows<'_>, left: &[f32], right: &[f32]) -> Vec<bool> {
    let distance = kernels().f32_l2_squared;
    let leads: Vec<f32> = rows.iter().map(|row| distance(row, left) - distance(row, right)).collect();
    let nearer = leads.iter().filter(|lead| **lead > 0.0).count();
    let least = rows.len().div_ceil(LEAST);
    let count = nearer.clamp(least, rows.len().saturating_sub(least).max(least));
    if count == nearer {
        return leads.iter().map(|lead| *lead > 0.0).collect();
    }
    let mut order: Vec<u32> = (0..leads.len() as u32).collect();
    let lead = |at: &u32| leads.get(*at as usize).copied().unwrap_or(0.0);
    order.sort_unstable_by(|l, r| lead(r).total_cmp(&lead(l)).then(l.cmp(r)));
    let mut sides = vec![false; leads.len()];
    for at in order.iter().take(count) {
        sides.iter_mut().skip(*at as usize).take(1).for_each(|side| *side = true);
    }
    sides
}

/// The mean of the rows of a side.
fn mean(rows: Rows<'_>, sides: &[bool], side: bool) -> Vec<f32> {
    let mut sum = vec![0.0; rows.dim()];
    let mut count = 0.0;
    for (row, _) in rows.iter().zip(sides).filter(|(_, of)| **of == side) {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        count += 1.0;
    }
    sum.iter_mut().for_each(|sum| *sum /= f32::max(count, 1.0));
    sum
}
