//! The data set: the vectors to index, and one or two sets of queries with their exact answers.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::truth::{Norms, Truth};
use super::{npy, variable};
use crate::random::Random;

/// The data set that is made on the spot.
const ROWS: usize = 50_000;
const DIMENSIONS: usize = 128;
const PARTS: usize = 500;
const QUERIES: usize = 500;

/// Vectors of one size, one after another.
pub struct Vectors {
    pub dims: usize,
    pub values: Vec<f32>,
}

impl Vectors {
    pub fn len(&self) -> usize {
        self.values.len() / self.dims
    }

    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dims)
    }

    /// One vector; empty when there is none of this number.
    pub fn row(&self, number: usize) -> &[f32] {
        let at = number * self.dims;
        self.values.get(at..at + self.dims).unwrap_or_default()
    }
}

/// What near means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metric {
    Cosine,
    L2,
    Ip,
}

impl Metric {
    fn read() -> Result<Metric> {
        match variable("VW_ANN_METRIC").as_deref() {
            None | Some("cosine") => Ok(Metric::Cosine),
            Some("l2") => Ok(Metric::L2),
            Some("ip") => Ok(Metric::Ip),
            Some(other) => bail!("VW_ANN_METRIC is \"{other}\"; it can be cosine, l2 or ip"),
        }
    }

    /// The operator class that serves it; all kinds of index have the same names.
    pub fn class(self) -> &'static str {
        match self {
            Metric::Cosine => "vector_cosine_ops",
            Metric::L2 => "vector_l2_ops",
            Metric::Ip => "vector_ip_ops",
        }
    }
}

/// Queries and their exact answers.
pub struct Set {
    pub queries: Vectors,
    pub truth: Truth,
}

/// The vectors to index, and the queries: those of the same distribution first, then those of another.
pub struct Data {
    pub name: String,
    pub metric: Metric,
    pub base: Vectors,
    pub norms: Norms,
    pub sets: Vec<Set>,
    seconds: f64,
}

impl Data {
    /// Read the data set that the environment names, or make one.
    pub fn read() -> Result<Data> {
        let metric = Metric::read()?;
        let (base, queries) = match (variable("VW_ANN_BASE"), variable("VW_ANN_QUERIES")) {
            (Some(base), Some(queries)) => {
                let mut sets = vec![npy::read(Path::new(&queries))?];
                if let Some(other) = variable("VW_ANN_OTHER_QUERIES") {
                    sets.push(npy::read(Path::new(&other))?);
                }
                (npy::read(Path::new(&base))?, sets)
            }
            (None, None) => make(),
            _ => bail!("VW_ANN_BASE and VW_ANN_QUERIES go together"),
        };
        i32::try_from(base.len()).context("there are too many vectors for an integer column")?;
        let begun = Instant::now();
        let norms = Norms::of(&base);
        let answer = |queries: Vectors| {
            ensure!(queries.dims == base.dims, "queries of {} dimensions, base of {}", queries.dims, base.dims);
            ensure!(queries.len() > 0, "there are no queries");
            let truth = Truth::find(metric, &base, &norms, &queries)?;
            Ok(Set { queries, truth })
        };
        let sets = queries.into_iter().map(answer).collect::<Result<_>>()?;
        let name = variable("VW_ANN_NAME").unwrap_or_else(|| "ann".to_owned());
        Ok(Data { name, metric, base, norms, sets, seconds: begun.elapsed().as_secs_f64() })
    }

    pub fn describe(&self) -> String {
        let counts: Vec<String> = self.sets.iter().map(|set| set.queries.len().to_string()).collect();
        let (rows, dims) = (self.base.len(), self.base.dims);
        format!(
            "{}: {rows} vectors of {dims} dimensions, {:?}; {} queries, answered exactly in {:.1} s",
            self.name,
            self.metric,
            counts.join(" and "),
            self.seconds
        )
    }
}

/// Make a clustered data set, its queries, and queries that lie between the clusters.
fn make() -> (Vectors, Vec<Vectors>) {
    let mut random = Random::new(20);
    let centres = normal(&mut random, PARTS, 1.0);
    let base = around(&mut random, &centres, ROWS, 0.6);
    let queries = around(&mut random, &centres, QUERIES, 0.6);
    let mut other = around(&mut random, &centres, QUERIES, 0.8);
    let shift = around(&mut random, &centres, QUERIES, 0.0);
    other.values.iter_mut().zip(&shift.values).for_each(|(value, shift)| *value += 0.5 * shift);
    (base, vec![queries, other])
}

/// Vectors around randomly picked centres.
fn around(random: &mut Random, centres: &Vectors, rows: usize, spread: f32) -> Vectors {
    let mut made = normal(random, rows, spread);
    for row in made.values.chunks_exact_mut(made.dims) {
        let centre = centres.row(random.below(centres.len()));
        row.iter_mut().zip(centre).for_each(|(value, centre)| *value += centre);
    }
    made
}

/// Normally distributed vectors, whose later components are smaller, as those of real embeddings are.
fn normal(random: &mut Random, rows: usize, spread: f32) -> Vectors {
    let scales: Vec<f32> = (1..=DIMENSIONS).map(|at| spread / (at as f32).sqrt()).collect();
    let values = (0..rows * DIMENSIONS).map(|at| scales.get(at % DIMENSIONS).map_or(0.0, |s| s * random.normal()));
    Vectors { dims: DIMENSIONS, values: values.collect() }
}
