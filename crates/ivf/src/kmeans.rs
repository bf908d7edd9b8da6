//! k-means by Lloyd's rounds: the centroids of an index's lists. Squared Euclidean distance, one thread, seeded.
//!
//! A matrix is a slice of rows, each of `dim` floats; rows that are not finite do not belong in it. Lists should be of
//! like sizes, so between rounds a cluster with hardly any members gives its centroid away to halve a large one.
//!
//! Memory beyond the matrix: for [`kmeans`] two matrices of the centroids and 12 bytes for each row that it learns from
//! (at most 256 for each centroid); for [`tree`] that, of one level at a time, and 8 bytes for each row; for [`halves`]
//! four rows and 9 bytes for each row.

mod halves;
mod rows;
mod start;
#[cfg(test)]
mod tests;
mod tree;

pub use halves::halves;
pub use tree::{Group, tree};

use vw_vector::code::codes;
use vw_vector::kernel::kernels;

use self::rows::{Pacer, Rows};
use crate::codec::SplitMix64;

/// The most rows that are learnt from, for each centroid.
const LEARN: usize = 256;

/// Find up to `k` centroids in so many rounds: fewer where there are fewer different points.
///
/// `pause` is called at least every millisecond or so of work.
pub fn kmeans(points: &[f32], dim: usize, k: usize, rounds: usize, seed: u64, pause: &mut dyn FnMut()) -> Vec<f32> {
    lloyd(Rows::all(points, dim), k, rounds, seed, &mut Pacer::new(pause))
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
        clusters.assign(pacer);
        clusters.update();
        if round + 1 < rounds {
            clusters.balance(&mut random);
        }
    }
    clusters.into_centroids(rounds > 0)
}

/// Centroids and the rows that are nearest to each.
struct Clusters<'a> {
    rows: Rows<'a>,
    nearest: Nearest,
    sums: Vec<f32>,
    counts: Vec<u32>,
    /// The cluster of each row.
    homes: Vec<u32>,
}

impl<'a> Clusters<'a> {
    fn new(rows: Rows<'a>, centroids: Vec<f32>) -> Self {
        let (nearest, sums) = (Nearest::new(rows.dim(), centroids.clone()), centroids);
        let counts = vec![0; nearest.count()];
        Self { rows, nearest, sums, counts, homes: vec![0; rows.len()] }
    }

    /// Put each row into the cluster of the nearest centroid.
    fn assign(&mut self, pacer: &mut Pacer<'_>) {
        let dim = self.rows.dim();
        self.sums.fill(0.0);
        self.counts.fill(0);
        for (row, home) in self.rows.iter().zip(&mut self.homes) {
            let at = self.nearest.of(row);
            *home = at as u32;
            self.counts.iter_mut().skip(at).take(1).for_each(|count| *count += 1);
            let sum = self.sums.get_mut(at * dim..(at + 1) * dim).unwrap_or_default();
            sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            pacer.work(self.nearest.cost());
        }
    }

    /// Move each centroid to the mean of its members.
    fn update(&mut self) {
        let dim = self.rows.dim();
        for (at, (sum, count)) in self.sums.chunks_exact(dim).zip(&self.counts).enumerate() {
            if *count > 0 {
                self.nearest.set(at, sum.iter().map(|sum| sum / *count as f32));
            }
        }
    }

    /// Give the centroids of the smallest clusters to the largest, until neither is far from the mean.
    fn balance(&mut self, random: &mut SplitMix64) {
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
                self.nearest.set(taken, self.rows.get(at).iter().copied());
            }
            order[large].0 = many / 2;
            small += 1;
            if ((many / 2) as usize) < 2 * mean {
                large -= 1;
            }
        }
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
            return self.nearest.centroids;
        }
        let kept = self.nearest.centroids.chunks_exact(dim).zip(&self.counts).filter(|(_, count)| **count > 0);
        kept.flat_map(|(centroid, _)| centroid).copied().collect()
    }
}

/// Finds the nearest of some centroids.
struct Nearest {
    dim: usize,
    centroids: Vec<f32>,
    /// Half of each centroid's squared norm: that less the inner product orders centroids as distances do.
    halves: Vec<f32>,
    /// Room for the inner products.
    products: Vec<f32>,
}

impl Nearest {
    fn new(dim: usize, centroids: Vec<f32>) -> Self {
        let halves: Vec<f32> = centroids.chunks_exact(dim).map(half_norm).collect();
        Self { dim, centroids, products: vec![0.0; halves.len()], halves }
    }

    fn count(&self) -> usize {
        self.halves.len()
    }

    /// The multiplications that one search takes.
    fn cost(&self) -> usize {
        self.centroids.len()
    }

    /// Find the place of the centroid nearest to a row: the first of several.
    fn of(&mut self, row: &[f32]) -> usize {
        (codes().products)(row, &self.centroids, &mut self.products);
        let mut best = (f32::INFINITY, 0);
        for (at, (half, product)) in self.halves.iter().zip(&self.products).enumerate() {
            let distance = half - product;
            if distance < best.0 {
                best = (distance, at);
            }
        }
        best.1
    }

    /// Move a centroid.
    fn set(&mut self, at: usize, to: impl Iterator<Item = f32>) {
        let Some(centroid) = self.centroids.get_mut(at * self.dim..(at + 1) * self.dim) else { return };
        centroid.iter_mut().zip(to).for_each(|(old, new)| *old = new);
        let half = half_norm(centroid);
        self.halves.iter_mut().skip(at).take(1).for_each(|old| *old = half);
    }
}

fn half_norm(centroid: &[f32]) -> f32 {
    (kernels().f32_inner_product)(centroid, centroid) / 2.0
}
