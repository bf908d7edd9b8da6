//! The exact answers: for each query, how far its tenth nearest vector is. An answer counts when it is as near.
//!
//! So an index that gives another of two equally near vectors loses nothing, and duplicates do no harm.

use std::num::NonZero;

use anyhow::{Result, anyhow};

use super::data::{Metric, Vectors};

/// How many neighbours are asked for; the statements say it too.
pub const NEAREST: usize = 10;
/// Rounding of a sum of products in float32, as a share of the vectors' lengths.
const ROUNDING: f32 = 2e-6;
/// Vectors that are compared with all queries before the next ones are read, so that they stay in the cache.
const BLOCK: usize = 32;

/// The lengths of some vectors.
pub struct Norms(Vec<f32>);

impl Norms {
    pub fn of(vectors: &Vectors) -> Norms {
        Norms(vectors.rows().map(|row| dot(row, row).sqrt()).collect())
    }

    fn get(&self, number: usize) -> f32 {
        self.0.get(number).copied().unwrap_or_default()
    }
}

/// What is known of each query.
pub struct Truth {
    norms: Norms,
    /// The distance of the tenth nearest vector.
    bounds: Vec<f32>,
}

impl Truth {
    /// Compare every query with every vector, on all cores.
    pub fn find(metric: Metric, base: &Vectors, norms: &Norms, queries: &Vectors) -> Result<Truth> {
        let of_queries = Norms::of(queries);
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = queries.len().div_ceil(threads);
        let bounds = std::thread::scope(|scope| {
            let starts = (0..queries.len()).step_by(share.max(1));
            let work = starts.map(|start| {
                let (end, of_queries) = ((start + share).min(queries.len()), &of_queries);
                scope.spawn(move || bounds(metric, (base, norms), (queries, of_queries), start..end))
            });
            let running: Vec<_> = work.collect();
            running.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a thread ended early"))).collect()
        });
        let bounds: Result<Vec<Vec<f32>>> = bounds;
        Ok(Truth { norms: of_queries, bounds: bounds?.concat() })
    }

    /// The share of the nearest vectors of one query that is among `answer`, the numbers of vectors.
    pub fn recall(&self, metric: Metric, base: (&Vectors, &Norms), query: (usize, &[f32]), answer: &[i32]) -> f64 {
        let (number, query) = query;
        let (Some(bound), length) = (self.bounds.get(number), self.norms.get(number)) else { return 0.0 };
        let mut answer: Vec<usize> = answer.iter().filter_map(|id| usize::try_from(*id).ok()).collect();
        answer.sort_unstable();
        answer.dedup();
        let near = answer.iter().filter(|id| {
            let of_row = base.1.get(**id);
            let distance = distance(metric, dot(query, base.0.row(**id)), length, of_row);
            distance <= bound + ROUNDING * scale(metric, length, of_row)
        });
        near.count() as f64 / NEAREST.min(base.0.len()) as f64
    }
}

/// The distance of the tenth nearest vector of each query of a range.
fn bounds(
    metric: Metric,
    (base, norms): (&Vectors, &Norms),
    (queries, of_queries): (&Vectors, &Norms),
    range: std::ops::Range<usize>,
) -> Vec<f32> {
    let mut nearest = vec![[f32::INFINITY; NEAREST]; range.len()];
    for (block, rows) in base.values.chunks(BLOCK * base.dims).enumerate() {
        for (number, nearest) in range.clone().zip(&mut nearest) {
            let (query, length) = (queries.row(number), of_queries.get(number));
            for (at, row) in rows.chunks_exact(base.dims).enumerate() {
                let distance = distance(metric, dot(query, row), length, norms.get(block * BLOCK + at));
                keep(nearest, distance);
            }
        }
    }
    // The last one is the tenth, or where the base has fewer vectors, the farthest that there is.
    let last = |nearest: &[f32; NEAREST]| nearest.iter().copied().rfind(|d| d.is_finite());
    nearest.iter().map(|nearest| last(nearest).unwrap_or(f32::INFINITY)).collect()
}

/// Keep the least distances, in order.
fn keep(nearest: &mut [f32; NEAREST], distance: f32) {
    if distance < nearest[NEAREST - 1] {
        let at = nearest.partition_point(|near| *near <= distance);
        nearest[at..].rotate_right(1);
        nearest[at] = distance;
    }
}

/// A distance out of a sum of products and the lengths; of Euclidean distance, the square.
fn distance(metric: Metric, dot: f32, a: f32, b: f32) -> f32 {
    match metric {
        Metric::Cosine if a * b == 0.0 => f32::INFINITY,
        Metric::Cosine => 1.0 - dot / (a * b),
        Metric::L2 => a * a + b * b - 2.0 * dot,
        Metric::Ip => -dot,
    }
}

/// What rounding is a share of.
fn scale(metric: Metric, a: f32, b: f32) -> f32 {
    match metric {
        Metric::Cosine => 1.0,
        Metric::L2 => a * a + b * b,
        Metric::Ip => a * b,
    }
}

/// The sum of products, in sixteen sums at a time, which compilers turn into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, rest_a) = a.as_chunks::<16>();
    let (b, rest_b) = b.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn some(random: &mut Random, rows: usize, dims: usize) -> Vectors {
        Vectors { dims, values: (0..rows * dims).map(|_| random.normal()).collect() }
    }

    /// The numbers of the vectors, nearest first, computed in float64.
    fn sorted(metric: Metric, base: &Vectors, query: &[f32]) -> Vec<i32> {
        let far = |row: &[f32]| {
            let pairs = || row.iter().zip(query).map(|(a, b)| (f64::from(*a), f64::from(*b)));
            let dot: f64 = pairs().map(|(a, b)| a * b).sum();
            let lengths: f64 = pairs().map(|(a, _)| a * a).sum::<f64>() * pairs().map(|(_, b)| b * b).sum::<f64>();
            match metric {
                Metric::Cosine => 1.0 - dot / lengths.sqrt(),
                Metric::L2 => pairs().map(|(a, b)| (a - b) * (a - b)).sum(),
                Metric::Ip => -dot,
            }
        };
        let mut all: Vec<(f64, i32)> = base.rows().map(far).zip(0..).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.into_iter().map(|(_, number)| number).collect()
    }

    #[test]
    fn the_nearest_count_and_others_do_not() {
        let mut random = Random::new(3);
        let (base, queries) = (some(&mut random, 300, 37), some(&mut random, 5, 37));
        let norms = Norms::of(&base);
        for metric in [Metric::Cosine, Metric::L2, Metric::Ip] {
            let truth = Truth::find(metric, &base, &norms, &queries).unwrap();
            for (number, query) in queries.rows().enumerate() {
                let recall = |answer: &[i32]| truth.recall(metric, (&base, &norms), (number, query), answer);
                let sorted = sorted(metric, &base, query);
                assert_eq!(recall(&sorted[..10]), 1.0, "{metric:?}");
                assert_eq!(recall(&sorted[5..15]), 0.5, "{metric:?}");
                assert_eq!(recall(&[sorted[0]; 10]), 0.1, "a repeated answer counts once");
                assert_eq!(recall(&[]), 0.0);
            }
        }
    }

    #[test]
    fn fewer_vectors_than_asked_for_are_all_found() {
        let base = Vectors { dims: 1, values: vec![1.0, 2.0, 3.0] };
        let queries = Vectors { dims: 1, values: vec![2.0] };
        let norms = Norms::of(&base);
        let truth = Truth::find(Metric::L2, &base, &norms, &queries).unwrap();
        assert_eq!(truth.recall(Metric::L2, (&base, &norms), (0, &[2.0]), &[0, 1, 2]), 1.0);
    }
}
