//! Guards the scores: estimates that lean to one side, and bounds that fail more often than they may.

use super::super::CentroidCodec;
use super::*;

/// One in so many errors may be greater than the slack on the side that counts, for 1.9 deviations: 2.9 % of a normal
/// distribution.
const FAILURES: f64 = 0.029;

/// Counts errors.
#[derive(Default)]
struct Errors {
    count: f64,
    sum: f64,
    squares: f64,
    failures: f64,
}

impl Errors {
    fn add(&mut self, score: f32, lower: f32, exact: f64) {
        let error = f64::from(score) - exact;
        self.count += 1.0;
        self.sum += error;
        self.squares += error * error;
        self.failures += f64::from(u8::from(f64::from(lower) > exact));
    }

    /// The mean error in deviations of the mean.
    fn lean(&self) -> f64 {
        self.sum / (self.squares.sqrt() + f64::MIN_POSITIVE)
    }

    /// Check that bounds fail as seldom as they may, and three deviations of that more.
    fn assert_few_failures(&self, what: &str) {
        let allowed = FAILURES + 3.0 * (FAILURES / self.count).sqrt();
        let rate = self.failures / self.count;
        assert!(rate < allowed, "{what}: {rate}, not {allowed}");
    }
}

/// Score members by rows and by a block.
fn observe(codec: &Codec, metric: Metric, vector: &[f32], members: &[Vec<f32>]) -> [Errors; 2] {
    let (mut by_row, mut by_block) = (Errors::default(), Errors::default());
    let rows: Vec<_> = members.iter().map(|member| row_of(codec, member)).collect();
    let block = block_of(codec, &rows);
    let query = codec.query(vector);
    let mut plain = query.clone();
    plain.epsilon = 0.0;
    let (lower, scores) = (bounds_of(&query, &block), bounds_of(&plain, &block));
    for (at, (member, row)) in members.iter().zip(&rows).enumerate() {
        let exact = distance(metric, vector, member);
        let (score, slack) = query.row(row);
        by_row.add(score, score - slack, exact);
        by_block.add(scores[at], lower[at], exact);
    }
    [by_row, by_block]
}

fn merge(into: &mut [Errors; 2], from: [Errors; 2]) {
    for (into, from) in into.iter_mut().zip(from) {
        into.count += from.count;
        into.sum += from.sum;
        into.squares += from.squares;
        into.failures += from.failures;
    }
}

#[test]
fn bounds_hold_at_the_promised_rate() {
    let mut random = SplitMix64::new(1);
    for dimensions in [64, 200, 384, 1_536] {
        for bits in BITS {
            for metric in METRICS {
                for apart in [0.1, 0.7, 30.0] {
                    let mut errors = Default::default();
                    // Many rotations of few members: the errors of one query's neighbours are alike.
                    for _ in 0..80 {
                        let codec = codec(metric, dimensions, bits, random.next());
                        let vector = normals(&mut random, dimensions);
                        let members: Vec<_> = (0..3).map(|_| beside(&mut random, &vector, apart)).collect();
                        merge(&mut errors, observe(&codec, metric, &vector, &members));
                    }
                    let [by_row, by_block] = errors;
                    let what = format!("{dimensions} dims, {bits} bits, {metric:?}, {apart} apart");
                    by_row.assert_few_failures(&format!("{what}, rows"));
                    by_block.assert_few_failures(&format!("{what}, blocks"));
                }
            }
        }
    }
}

#[test]
fn bounds_hold_for_odd_vectors() {
    let mut random = SplitMix64::new(2);
    for dimensions in [64, 192, 384] {
        for bits in BITS {
            let mut errors = Default::default();
            for round in 0..30 {
                let codec = codec(Metric::L2, dimensions, bits, random.next());
                // In few dimensions, of one value, of two, and with heavy tails.
                let make = |random: &mut SplitMix64| -> Vec<f32> {
                    let value = |at: usize, random: &mut SplitMix64| match round % 4 {
                        0 => normal(random) * f32::from(u8::from(at < 3)),
                        1 => 1.0 + 0.001 * normal(random),
                        2 => f32::from(u8::from(random.below(8) == 0)),
                        _ => normal(random).powi(5),
                    };
                    (0..dimensions).map(|at| value(at, random)).collect()
                };
                let vector = make(&mut random);
                let members: Vec<_> = (0..32).map(|_| make(&mut random)).collect();
                merge(&mut errors, observe(&codec, Metric::L2, &vector, &members));
            }
            let [by_row, by_block] = errors;
            by_row.assert_few_failures(&format!("{dimensions} dims, {bits} bits, rows"));
            by_block.assert_few_failures(&format!("{dimensions} dims, {bits} bits, blocks"));
        }
    }
}

#[test]
fn estimates_lean_to_no_side() {
    let mut random = SplitMix64::new(3);
    for dimensions in [64, 320, 1_024] {
        for bits in BITS {
            let (vector, member) = (normals(&mut random, dimensions), normals(&mut random, dimensions));
            let mut errors = Default::default();
            // The same two vectors under many rotations.
            for _ in 0..400 {
                let codec = codec(Metric::InnerProduct, dimensions, bits, random.next());
                let found = observe(&codec, Metric::InnerProduct, &vector, std::slice::from_ref(&member));
                merge(&mut errors, found);
            }
            for (errors, what) in errors.iter().zip(["rows", "blocks"]) {
                assert!(errors.lean().abs() < 4.0, "{dimensions} dims, {bits} bits, {what}: {}", errors.lean());
            }
        }
    }
}

#[test]
fn a_centre_changes_no_score() {
    let mut random = SplitMix64::new(4);
    for metric in METRICS {
        for bits in BITS {
            let mut errors = Default::default();
            for _ in 0..30 {
                let centre = normals(&mut random, 200);
                let members: Vec<_> = (0..32).map(|_| beside(&mut random, &centre, 0.5)).collect();
                let vector = beside(&mut random, &centre, 0.5);
                let scale = if metric == Metric::Cosine { dot(&centre, &centre).sqrt() as f32 } else { 1.0 };
                let centre = centre.iter().map(|value| value / scale).collect();
                let space = Space { centre, ..space(metric, 200, Coding::Bits(bits), random.next()) };
                merge(&mut errors, observe(&Codec::new(&space), metric, &vector, &members));
            }
            let [by_row, by_block] = errors;
            by_row.assert_few_failures(&format!("{metric:?}, {bits} bits, rows"));
            by_block.assert_few_failures(&format!("{metric:?}, {bits} bits, blocks"));
            assert!(by_row.lean().abs() < 4.0 && by_block.lean().abs() < 4.0, "{metric:?}, {bits} bits");
        }
    }
}

#[test]
fn centroids_are_scored_as_members_are() {
    let mut random = SplitMix64::new(5);
    for metric in METRICS {
        for (dimensions, coding, bytes) in [
            (384, Coding::Bits(4), 12 + 384),
            (512, Coding::Bits(1), 12 + 512),
            (576, Coding::Bits(4), 12 + 288),
            (30, Coding::Raw, 120),
        ] {
            let codec = Codec::new(&space(metric, dimensions, coding, 7));
            let centroids = CentroidCodec::new(&codec);
            assert_eq!(centroids.bytes(), bytes);
            let (vector, other) = (normals(&mut random, dimensions), normals(&mut random, dimensions));
            let (mut projected, mut place, mut coded) = (Vec::new(), Vec::new(), Vec::new());
            codec.project(&other, &mut projected);
            codec.project(&vector, &mut place);
            centroids.encode(&projected, &mut coded);
            assert_eq!(coded.len(), bytes);
            let close = |score: f32, exact: f64| (f64::from(score) / exact - 1.0).abs() < 0.1;
            // A centroid at a member's place has the member's score, and is at the distance of the places.
            let exact = distance(metric, &vector, &other);
            let (score, slack) = centroids.score(&codec.query(&vector), &coded);
            assert!(
                close(score, exact) || (f64::from(score) - exact).abs() < 2.0 * f64::from(slack),
                "{metric:?}: {score}, not {exact}"
            );
            let exact = distance(Metric::L2, &place, &projected);
            let (score, _) = centroids.score(&codec.near(&place), &coded);
            assert!(close(score, exact), "{metric:?}: {score}, not {exact}");
            let mut decoded = Vec::new();
            assert!(centroids.decode(&coded, &mut decoded));
            assert!(distance(Metric::L2, &decoded, &projected) < 0.03 * dot(&projected, &projected));
        }
    }
}
