//! Measure codes: nanoseconds per operation, the checksum's gigabytes per second, and how far estimates are off.
//!
//! `cargo run --release -p vw-ivf --example codes`. The best of several rounds is printed: the least disturbed.

use std::hint::black_box;
use std::time::Instant;

use vw_ivf::codec::{CentroidCodec, Codec, Coding, Metric, Query, Space};
use vw_ivf::kmeans::{self, Matrix, PerGroup};
use vw_vector::code::{Bounds, LANES, codes, levels};

const DIMS: [usize; 5] = [128, 384, 768, 1024, 1536];
const BITS: [u8; 4] = [1, 2, 4, 8];

/// A small generator of numbers (SplitMix64); the simplest ones are too regular for a Hadamard transform.
struct Random(u64);

impl Random {
    /// A number that is nearly of a normal distribution: a sum of several uniform ones.
    fn normal(&mut self) -> f32 {
        let mut uniform = || {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32 - 0.5
        };
        (0..12).map(|_| uniform()).sum()
    }

    fn vector(&mut self, dim: usize) -> Vec<f32> {
        (0..dim).map(|_| self.normal()).collect()
    }

    /// A vector near to another.
    fn near(&mut self, vector: &[f32], distance: f32) -> Vec<f32> {
        vector.iter().map(|value| value + distance * self.normal()).collect()
    }
}

/// Let the compiler believe that a result is used.
fn hide<T>(result: T) {
    let _ = black_box(result);
}

fn codec(dimensions: usize, bits: u8, metric: Metric) -> Codec {
    Codec::new(&Space { metric, dimensions, coding: Coding::Bits(bits), seed: 1, centre: Vec::new() })
}

/// The nanoseconds that one call takes, in the best of ten rounds of about a millisecond.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    let mut round = |calls: u32| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
    };
    let calls = (1e6 / round(20).max(1.0)) as u32 + 1;
    (0..10).map(|_| round(calls)).fold(f64::INFINITY, f64::min)
}

fn print(operation: &str, times: impl Iterator<Item = f64>) {
    let columns: String = times.map(|time| format!("{time:>10.1}")).collect();
    println!("{operation:<28}{columns}");
}

/// Print a heading with the dimensions.
fn head(what: &str) {
    println!();
    print(what, DIMS.iter().map(|dim| *dim as f64));
}

/// Measure the functions of each level on their own.
fn kernels() {
    let mut random = Random(1);
    for level in levels() {
        head(&format!("ns, level {}", level.name));
        let sizes = DIMS.map(|dim| (dim, random.vector(dim), vec![0x5a_u8; 4 * dim]));
        print("scan, 32 members", sizes.iter().map(|(_, _, b)| nanoseconds(|| hide((level.scan)(b, b)))));
        let (bounds, sums, norms) = (Bounds::default(), [1; LANES], [1f32.to_le_bytes(); LANES]);
        let mut lower = [0.0; LANES];
        let time = nanoseconds(|| (level.bounds)(black_box(&bounds), &sums, &norms, &norms, black_box(&mut lower)));
        println!("bounds of 32 members: {time:.1} ns");
        for bits in BITS {
            let Some(dot) = level.dot(bits) else { continue };
            let time = |(dim, v, b): &(usize, Vec<f32>, Vec<u8>)| {
                let code = b.split_at(dim * usize::from(bits) / 8).0;
                nanoseconds(|| hide(dot(black_box(code), v)))
            };
            print(&format!("dot, {bits} bits"), sizes.iter().map(time));
        }
        let hadamard = |(dim, v, _): &(usize, Vec<f32>, Vec<u8>)| {
            let mut values = v.split_at(1 << dim.ilog2()).0.to_vec();
            nanoseconds(|| {
                (level.hadamard)(black_box(&mut values));
                values.fill(1.0);
            })
        };
        print("hadamard, power below", sizes.iter().map(hadamard));
        let page = vec![0x5a_u8; 8_152];
        let time = nanoseconds(|| hide((level.checksum)(1, black_box(&page))));
        println!("checksum of 8,152 bytes: {time:.0} ns, {:.1} GB/s", 8_152.0 / time);
    }
}

/// Measure what an index does with a vector.
fn operations() {
    let mut random = Random(2);
    head(&format!("ns, as used, level {}", codes().name));
    let made = DIMS.map(|dim| (codec(dim, 4, Metric::L2), random.vector(dim)));
    let each = |call: &dyn Fn(&Codec, &[f32]) -> f64| made.iter().map(|(codec, v)| call(codec, v)).collect::<Vec<_>>();
    let mut out = Vec::new();
    let project = made.iter().map(|(codec, v)| nanoseconds(|| codec.project(black_box(v), &mut out)));
    print("project", project.collect::<Vec<_>>().into_iter());
    let make = |dim: &usize| nanoseconds(|| hide(codec(black_box(*dim), 4, Metric::L2)));
    print("codec, made", DIMS.iter().map(make));
    print("query", each(&|codec, v| nanoseconds(|| hide(codec.query(black_box(v))))).into_iter());
    for bits in BITS {
        let made = DIMS.map(|dim| (codec(dim, bits, Metric::L2), random.vector(dim)));
        let times = made.map(|(codec, v)| measure_bits(&codec, &v));
        for (at, what) in
            ["encode", "decode", "block of 32, made", "block of 32, scored", "row, scored"].iter().enumerate()
        {
            print(&format!("{what}, {bits} bits"), times.iter().map(|times| times[at]));
        }
    }
}

fn measure_bits(codec: &Codec, vector: &[f32]) -> [f64; 5] {
    let (mut projected, mut row, mut block, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    codec.project(vector, &mut projected);
    let encode = nanoseconds(|| {
        row.clear();
        codec.encode(black_box(&projected), &mut row);
    });
    let decode = nanoseconds(|| {
        codec.decode(black_box(&row), &mut out);
    });
    let rows = [row.as_slice(); LANES];
    let make = nanoseconds(|| {
        block.clear();
        codec.block(black_box(&rows), &mut block);
    });
    let query = codec.query(vector);
    let mut lower = [0.0; LANES];
    let scan = nanoseconds(|| query.block(black_box(&block), &mut lower));
    let score = nanoseconds(|| hide(query.row(black_box(&row))));
    [encode, decode, make, scan, score]
}

/// Errors of estimates in units of the slack, and how often a bound fails.
#[derive(Default)]
struct Errors {
    count: f64,
    squares: f64,
    sum: f64,
    above: f64,
    slack: f64,
}

impl Errors {
    fn add(&mut self, error: f32, slack: f32) {
        // An estimate beyond what norms allow has no slack but for rounding, and is no measure of the others.
        let relative = if slack > 1e-5 { f64::from(error / slack) } else { 0.0 };
        self.count += 1.0;
        self.sum += relative;
        self.squares += relative * relative;
        self.above += f64::from(u8::from(relative > 1.0));
        self.slack += f64::from(slack);
    }

    fn print(&self, what: &str) {
        let (mean, rms) = (self.sum / self.count, (self.squares / self.count).sqrt());
        let (failed, slack) = (100.0 * self.above / self.count, self.slack / self.count);
        println!("{what:<34} mean {mean:>7.3}  rms {rms:>6.3}  bound fails {failed:>5.2} %  slack {slack:>9.5}");
    }
}

/// Print how far estimates are off, for neighbours and for others.
fn errors() {
    println!("\nerrors of cosine scores in units of the slack (deviations 1.9: an rms of 0.53, 2.9 % failures)");
    for dim in [64, 384, 1536] {
        for bits in BITS {
            for distance in [0.5, 1.0, 100.0] {
                let codec = codec(dim, bits, Metric::Cosine);
                let mut random = Random(3);
                let (mut rows, mut blocks, mut miss) = (Errors::default(), Errors::default(), (0.0f64, 0.0f64));
                for _ in 0..60 {
                    let query = random.vector(dim);
                    let members: Vec<_> = (0..LANES).map(|_| random.near(&query, distance)).collect();
                    let missed = observe(&codec, &codec.query(&query), &query, &members, &mut rows, &mut blocks);
                    miss = (miss.0 + missed.0 / 60.0, miss.1.max(missed.1));
                }
                rows.print(&format!("{dim} dims, {bits} bits, {distance:.1} away, row"));
                if bits == 4 {
                    blocks.print(&format!("{dim} dims, any bits, {distance:.1} away, block"));
                }
                println!("    1 / o^2 - 1: mean {:.6}, greatest {:.6}", miss.0, miss.1);
            }
        }
    }
}

/// Add the errors of some members' scores; give the mean and the greatest of what their codes miss.
fn observe(
    codec: &Codec,
    query: &Query,
    vector: &[f32],
    members: &[Vec<f32>],
    rows: &mut Errors,
    blocks: &mut Errors,
) -> (f64, f64) {
    let (mut projected, mut decoded, mut block, mut encoded) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut missed = (0.0, 0.0);
    for member in members {
        let mut row = Vec::new();
        codec.project(member, &mut projected);
        codec.encode(&projected, &mut row);
        codec.decode(&row, &mut decoded);
        let miss = norm_sq(&decoded) / norm_sq(&projected) - 1.0;
        missed = (missed.0 + miss / members.len() as f64, f64::max(missed.1, miss));
        let (score, slack) = query.row(&row);
        rows.add(score - cosine_distance(vector, member), slack);
        encoded.push(row);
    }
    let slices: Vec<&[u8]> = encoded.iter().map(Vec::as_slice).collect();
    codec.block(&slices, &mut block);
    // Without slack the bound is the score.
    let (mut scores, mut lower) = ([0.0; LANES], [0.0; LANES]);
    let mut exact = query.clone();
    exact.epsilon = 0.0;
    exact.block(&block, &mut scores);
    query.block(&block, &mut lower);
    for ((member, score), lower) in members.iter().zip(scores).zip(lower) {
        blocks.add(score - cosine_distance(vector, member), score - lower);
    }
    missed
}

fn norm_sq(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum()
}

fn cosine_distance(left: &[f32], right: &[f32]) -> f32 {
    let dot: f64 = left.iter().zip(right).map(|(l, r)| f64::from(*l) * f64::from(*r)).sum();
    (1.0 - dot / (norm_sq(left) * norm_sq(right)).sqrt()) as f32
}

/// Measure the centroids of 20,000 points.
fn centroids() {
    let (dim, count) = (384, 20_000);
    let mut random = Random(4);
    let centres: Vec<_> = (0..100).map(|_| random.vector(dim)).collect();
    let points: Vec<f32> = (0..count).flat_map(|at| random.near(&centres[at % 100], 0.7)).collect();
    let start = Instant::now();
    let matrix = Matrix { values: &points, dim, rotated: false };
    let groups = kmeans::groups(matrix, 400, PerGroup { about: 12, most: 20 }, 1, &mut || ());
    let time = start.elapsed().as_secs_f64() * 1e3;
    let lists: usize = groups.iter().map(|group| group.lists.len()).sum();
    println!("\ngroups: {count} x {dim} into {lists} lists of {} groups: {time:.0} ms", groups.len());
    let start = Instant::now();
    let flat = kmeans::kmeans(matrix, 400, 10, 1, &mut || ());
    println!("lists alone: into {} lists: {:.0} ms", flat.len() / dim, start.elapsed().as_secs_f64() * 1e3);
    let few = points.split_at(2_000 * dim).0;
    let start = Instant::now();
    let halves = kmeans::halves(few, dim, 1);
    let right = halves.map_or(0, |(_, _, sides)| sides.iter().filter(|side| **side).count());
    println!("halves: 2000 x {dim} into {right} and the others: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    let codec = CentroidCodec::new(&codec(dim, 4, Metric::L2));
    println!("a centroid of {dim} dims takes {} bytes", codec.bytes());
}

fn main() {
    kernels();
    operations();
    errors();
    centroids();
}
