//! Centroids in two levels: groups, and within each group the lists, in number by the group's share of the points.

use super::rows::{Pacer, Rows};
use super::{Nearest, lloyd};

/// The rounds of each level.
const ROUNDS: usize = 10;

/// A group of lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub centroid: Vec<f32>,
    /// The centroids of the lists; never empty.
    pub lists: Vec<Vec<f32>>,
}

/// Find about `lists` centroids in groups of about `per_group`: fewer where there are fewer different points, and none
/// without points.
///
/// `pause` is called at least every millisecond or so of work.
pub fn tree(
    points: &[f32],
    dim: usize,
    lists: usize,
    per_group: usize,
    seed: u64,
    pause: &mut dyn FnMut(),
) -> Vec<Group> {
    let rows = Rows::all(points, dim);
    let pacer = &mut Pacer::new(pause);
    let centroids = lloyd(rows, lists.div_ceil(per_group.max(1)), ROUNDS, seed, pacer);
    if centroids.is_empty() {
        return Vec::new();
    }
    let (order, sizes) = arrange(rows, &centroids, pacer);
    let shares = shares(&sizes, lists);
    let mut groups = Vec::with_capacity(sizes.len());
    let mut rest = order.as_slice();
    for (at, ((centroid, size), share)) in centroids.chunks_exact(dim).zip(&sizes).zip(shares).enumerate() {
        let (members, others) = rest.split_at(*size);
        rest = others;
        let inner = lloyd(rows.only(members), share, ROUNDS, seed.wrapping_add(1 + at as u64), pacer);
        let lists: Vec<Vec<f32>> = inner.chunks_exact(dim).map(<[f32]>::to_vec).collect();
        if !lists.is_empty() {
            groups.push(Group { centroid: centroid.to_vec(), lists });
        }
    }
    groups
}

/// Put the numbers of all rows in the order of their nearest centroids, and count those of each.
fn arrange(rows: Rows<'_>, centroids: &[f32], pacer: &mut Pacer<'_>) -> (Vec<u32>, Vec<usize>) {
    let mut nearest = Nearest::new(rows.dim(), centroids.to_vec());
    let mut sizes = vec![0; nearest.count()];
    let mut homes = Vec::with_capacity(rows.len());
    for row in rows.iter() {
        let home = nearest.of(row);
        sizes[home] += 1;
        homes.push(home as u32);
        pacer.work(nearest.cost());
    }
    let mut ends: Vec<usize> = sizes.iter().scan(0, |sum, size| Some(std::mem::replace(sum, *sum + size))).collect();
    let mut order = vec![0; homes.len()];
    for (at, home) in homes.iter().enumerate() {
        let end = &mut ends[*home as usize];
        order[*end] = at as u32;
        *end += 1;
    }
    (order, sizes)
}

/// Share lists out by the sizes of groups (Sainte-Laguë), at least one to each group with members.
fn shares(sizes: &[usize], lists: usize) -> Vec<usize> {
    let mut shares: Vec<usize> = sizes.iter().map(|size| usize::from(*size > 0)).collect();
    for _ in shares.iter().sum()..lists {
        let quotient = |at: &usize| sizes[*at] as f64 / (2 * shares[*at] + 1) as f64;
        let most = (0..sizes.len()).max_by(|left, right| quotient(left).total_cmp(&quotient(right)));
        if let Some(most) = most {
            shares[most] += 1;
        }
    }
    shares
}
