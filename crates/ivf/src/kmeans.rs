//! k-means by Lloyd's rounds: the centroids of an index's lists. Squared Euclidean distance, one thread, seeded.
//!
//! All lists are found in one level: of two levels, groups and lists within them, a point near the border of two groups
//! has its neighbours in many lists, and searches have to visit several times as many. Lists should be of like sizes, so
//! between rounds a cluster with hardly any members gives its centroid away to halve a large one.
//!
//! Memory beyond the matrix: for [`kmeans`] two matrices of the centroids, what [`Nearest`] takes to find them (128 floats
//! for each, or one more matrix where dimensions are few or the space is not rotated), and 8 bytes for each row that is
//! learnt from (at most 96 for each centroid); to start, up to 2,048 centroids, the same 128 floats for 8 rows of each.
//! For [`groups`] that, one more matrix of the centroids, and a few megabytes; for [`halves`] four rows and 9 bytes for
//! each row.

mod groups;
mod halves;
mod nearest;
mod panels;
mod rows;
mod start;
#[cfg(test)]
mod tests;

pub use groups::{Group, PerGroup, groups};
pub use halves::halves;

pub(crate) use nearest::Nearest;
pub(crate) use rows::Pacer;

use self::rows::Rows;
use crate::codec::SplitMix64;

/// The most rows that are learnt from, for each centroid.
const LEARN: usize = 96;

/// Rounds end when fewer than one row in so many changes its cluster.
const SETTLED: usize = 64;

/// The last rounds, in which no centroid is given away any more.
const QUIET: usize = 3;

/// Rows of floats one after another; rows that are not finite do not belong in it.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    pub values: &'a [f32],
    pub dim: usize,
    /// Whether the space was rotated at random, so that any coordinates are as good as others.
    pub rotated: bool,
}

impl<'a> Matrix<'a> {
    fn rows(self) -> Rows<'a> {
        Rows::all(self)
    }
}

/// Find up to `k` centroids in so many rounds: fewer where there are fewer different points.
///
/// `pause` is called at least every millisecond or so of work.
pub fn kmeans(points: Matrix<'_>, k: usize, rounds: usize, seed: u64, pause: &mut dyn FnMut()) -> Vec<f32> {
    lloyd(points.rows(), k, rounds, seed, &mut Pacer::new(pause))
}

/// Find up to `k` centroids of some rows.
fn lloyd(rows: Rows<'_>, k: usize, rounds: usize, seed: u64, pacer: &mut Pacer<'_>) -> Vec<f32> {
    let mut random = SplitMix64::new(seed);
    if k == 0 || rows.dim() == 0 {
        return Vec::new();
    }
    let learnt = rows.sample(LEARN.saturating_mul(k), &mut random);
    let rows = rows.only(&learnt);
    let mut clusters = Clusters::new(rows, start::start(rows, k, &mut random, pacer));
    for round in 0..rounds {
        let changed = clusters.assign(pacer);
        clusters.update();
        let given = round + QUIET < rounds && clusters.balance(&mut random);
        if !given && changed * SETTLED < rows.len() {
            break;
        }
    }
    clusters.into_centroids(rounds > 0)
}

/// Centroids and the rows that are nearest to each.
struct Clusters<'a> {
    rows: Rows<'a>,
    centroids: Vec<f32>,
    sums: Vec<f32>,
    counts: Vec<u32>,
    /// The cluster of each row.
    homes: Vec<u32>,
}

impl<'a> Clusters<'a> {
    fn new(rows: Rows<'a>, centroids: Vec<f32>) -> Self {
        let sums = vec![0.0; centroids.len()];
        let counts = vec![0; centroids.len() / rows.dim()];
        Self { rows, centroids, sums, counts, homes: vec![u32::MAX; rows.len()] }
    }

    /// Put each row into the cluster of the nearest centroid; count those that changed.
    fn assign(&mut self, pacer: &mut Pacer<'_>) -> usize {
        let Self { rows, centroids, sums, counts, homes } = self;
        let dim = rows.dim();
        sums.fill(0.0);
        counts.fill(0);
        let mut nearest = Nearest::new(std::mem::take(centroids), dim, rows.rotated(), pacer);
        let mut changed = 0;
        nearest.of_all(rows.iter(), pacer, |row, at| {
            homes.iter_mut().skip(row).take(1).for_each(|home| {
                changed += usize::from(*home != at as u32);
                *home = at as u32;
            });
            counts.iter_mut().skip(at).take(1).for_each(|count| *count += 1);
            let sum = sums.get_mut(at * dim..(at + 1) * dim).unwrap_or_default();
            sum.iter_mut().zip(rows.get(row)).for_each(|(sum, value)| *sum += value);
        });
        *centroids = nearest.into_centroids();
        changed
    }

    /// Move each centroid to the mean of its members.
    fn update(&mut self) {
        let dim = self.rows.dim();
        let centroids = self.centroids.chunks_exact_mut(dim).zip(self.sums.chunks_exact(dim));
        for ((centroid, sum), count) in centroids.zip(&self.counts).filter(|(_, count)| **count > 0) {
            centroid.iter_mut().zip(sum).for_each(|(value, sum)| *value = sum / *count as f32);
        }
    }

    /// Give the centroids of the smallest clusters to the largest, until neither is far from the mean; tell whether any
    /// was given.
    fn balance(&mut self, random: &mut SplitMix64) -> bool {
        let mean = self.rows.len() / self.counts.len().max(1);
        let mut order: Vec<(u32, usize)> = self.counts.iter().copied().zip(0..).collect();
        order.sort_unstable();
        let (mut small, mut large) = (0, order.len().saturating_sub(1));
        while small < large {
            let (few, taken) = order[small];
            let (many, halved) = order[large];
            if few as usize * 4 > mean || (many as usize) < 2 * mean.max(1) {
                break;
            }
            // A member chosen at random starts where the large cluster is dense.
            if let Some(at) = self.member(halved, random) {
                let dim = self.rows.dim();
                let centroid = self.centroids.get_mut(taken * dim..(taken + 1) * dim).unwrap_or_default();
                centroid.copy_from_slice(self.rows.get(at));
            }
            order[large].0 = many / 2;
            small += 1;
            if ((many / 2) as usize) < 2 * mean {
                large -= 1;
            }
        }
        small > 0
    }

    /// Find a member of a cluster by chance.
    fn member(&self, cluster: usize, random: &mut SplitMix64) -> Option<usize> {
        let tries = 4 * self.counts.len() + 64;
        let mut places = (0..tries).map(|_| random.below(self.rows.len()));
        places.find(|at| self.homes.get(*at).is_some_and(|home| *home as usize == cluster))
    }

    /// Give the centroids; of `assigned` clusters only those that have members.
    fn into_centroids(self, assigned: bool) -> Vec<f32> {
        let dim = self.rows.dim();
        if !assigned || self.counts.iter().all(|count| *count > 0) {
            return self.centroids;
        }
        let kept = self.centroids.chunks_exact(dim).zip(&self.counts).filter(|(_, count)| **count > 0);
        kept.flat_map(|(centroid, _)| centroid).copied().collect()
    }
}
