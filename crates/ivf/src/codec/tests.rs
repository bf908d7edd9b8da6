//! Guards the codec: what the tests of its parts share.

mod bounds;
mod extremes;
mod forms;
mod rotations;
mod search;

use super::{BLOCK_ROWS, Codec, Coding, Metric, Space, SplitMix64};

const METRICS: [Metric; 3] = [Metric::L2, Metric::InnerProduct, Metric::Cosine];
const BITS: [u8; 4] = [1, 2, 4, 8];

/// Make numbers of a normal distribution (Box and Muller's way).
fn normal(random: &mut SplitMix64) -> f32 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    (radius * (std::f64::consts::TAU * random.unit()).cos()) as f32
}

fn normals(random: &mut SplitMix64, count: usize) -> Vec<f32> {
    (0..count).map(|_| normal(random)).collect()
}

/// Make a vector about so far from another, in deviations of each number.
fn beside(random: &mut SplitMix64, vector: &[f32], distance: f32) -> Vec<f32> {
    vector.iter().map(|value| value + distance * normal(random)).collect()
}

fn space(metric: Metric, dimensions: usize, coding: Coding, seed: u64) -> Space {
    Space { metric, dimensions, coding, seed, centre: Vec::new() }
}

fn codec(metric: Metric, dimensions: usize, bits: u8, seed: u64) -> Codec {
    Codec::new(&space(metric, dimensions, Coding::Bits(bits), seed))
}

/// Project and encode a vector.
fn row_of(codec: &Codec, vector: &[f32]) -> Vec<u8> {
    let (mut projected, mut row) = (Vec::new(), Vec::new());
    codec.project(vector, &mut projected);
    codec.encode(&projected, &mut row);
    assert_eq!(row.len(), codec.row_bytes());
    row
}

fn block_of(codec: &Codec, rows: &[Vec<u8>]) -> Vec<u8> {
    let slices: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
    let mut block = Vec::new();
    codec.block(&slices, &mut block);
    assert_eq!(block.len(), codec.block_bytes());
    block
}

/// The lower bounds that a query gives to a block.
fn bounds_of(query: &super::Query, block: &[u8]) -> [f32; BLOCK_ROWS] {
    let mut lower = [0.0; BLOCK_ROWS];
    query.block(block, &mut lower);
    lower
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(l, r)| f64::from(*l) * f64::from(*r)).sum()
}

/// The distance by its definition, in double precision.
fn distance(metric: Metric, left: &[f32], right: &[f32]) -> f64 {
    match metric {
        Metric::L2 => left.iter().zip(right).map(|(l, r)| (f64::from(*l) - f64::from(*r)).powi(2)).sum(),
        Metric::InnerProduct => -dot(left, right),
        Metric::Cosine => 1.0 - dot(left, right) / (dot(left, left) * dot(right, right)).sqrt(),
    }
}
