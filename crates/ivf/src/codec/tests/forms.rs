//! Guards the forms on disk: sizes, rows and blocks that say the same, and rows that are read back.

use super::super::query::EPSILON;
use super::*;

#[test]
fn sizes_are_those_on_disk() {
    let sizes = |codec: Codec| (codec.padded(), codec.row_bytes(), codec.block_bytes());
    assert_eq!(sizes(codec(Metric::L2, 65, 1, 1)), (128, 12 + 16, 256 + 512));
    assert_eq!(sizes(codec(Metric::L2, 384, 4, 1)), (384, 12 + 192, 256 + 1_536));
    assert_eq!(sizes(codec(Metric::L2, 1_000, 8, 1)), (1_024, 12 + 1_024, 256 + 4_096));
    assert_eq!(sizes(codec(Metric::L2, 100, 3, 1)), (0, 0, 0));
    assert_eq!(sizes(Codec::new(&space(Metric::L2, 63, Coding::Raw, 1))), (63, 252, 0));
    assert_eq!(sizes(Codec::new(&space(Metric::L2, 63, Coding::None, 1))), (0, 0, 0));
}

#[test]
fn rows_are_read_back() {
    let mut random = SplitMix64::new(1);
    for dimensions in [64, 100, 384, 1_536] {
        // How far off the direction may be, by the bits: 1 / o^2 - 1 of a normal distribution, and some more.
        for (bits, allowed) in [(1, 0.9), (2, 0.25), (4, 0.025), (8, 0.000_2)] {
            let codec = codec(Metric::L2, dimensions, bits, random.next());
            let (mut projected, mut decoded) = (Vec::new(), Vec::new());
            for _ in 0..20 {
                let vector = normals(&mut random, dimensions);
                codec.project(&vector, &mut projected);
                assert!((dot(&projected, &projected) / dot(&vector, &vector) - 1.0).abs() < 1e-5);
                assert!(codec.decode(&row_of(&codec, &vector), &mut decoded));
                let missed = distance(Metric::L2, &projected, &decoded) / dot(&projected, &projected);
                assert!(missed < allowed, "{dimensions} dims, {bits} bits: {missed}");
            }
        }
    }
}

/// Four bits are decoded by a loop of their own; all are held to the definition.
#[test]
fn rows_are_decoded_as_they_are_defined() {
    let mut random = SplitMix64::new(9);
    for bits in BITS {
        let codec = codec(Metric::L2, 192, bits, random.next());
        let row = row_of(&codec, &normals(&mut random, 192));
        let mut decoded = vec![7.0; 3];
        assert!(codec.decode(&row, &mut decoded));
        let f2 = f32::from_le_bytes(row[8..12].try_into().expect("four bytes"));
        let (mask, per) = ((1_u32 << bits) - 1, 8 / usize::from(bits));
        let naive: Vec<f32> = (0..192)
            .map(|at| {
                let number = u32::from(row[12 + at / per]) >> (at % per * usize::from(bits)) & mask;
                (number as f32 - mask as f32 / 2.0) * f2
            })
            .collect();
        assert_eq!(decoded, naive, "{bits} bits");
    }
}

#[test]
fn the_centre_is_taken_off() {
    let mut random = SplitMix64::new(2);
    for metric in METRICS {
        let centre = normals(&mut random, 100).iter().map(|value| value / 20.0).collect::<Vec<_>>();
        let centred = Space { centre: centre.clone(), ..space(metric, 100, Coding::Bits(4), 3) };
        let (mut projected, vector) = (Vec::new(), normals(&mut random, 100));
        Codec::new(&centred).project(&vector, &mut projected);
        let scale = if metric == Metric::Cosine { dot(&vector, &vector).sqrt() as f32 } else { 1.0 };
        let moved: Vec<f32> = vector.iter().zip(&centre).map(|(value, centre)| value / scale - centre).collect();
        let expected = dot(&moved, &moved);
        assert!((dot(&projected, &projected) / expected - 1.0).abs() < 1e-5, "{metric:?}");
    }
}

/// The lower bound of a member by the definition, from its row of one bit and the rotated query.
fn naive(codec: &Codec, query: &[f32], row: &[u8], slack: bool) -> f64 {
    let mut v = Vec::new();
    codec.project(query, &mut v);
    let mut decoded = Vec::new();
    assert!(codec.decode(row, &mut decoded));
    let norm_sq = f64::from(f32::from_le_bytes(row[..4].try_into().expect("four bytes")));
    let (width, product) = (v.len() as f64, dot(&decoded, &v));
    let miss = dot(&decoded, &decoded) / norm_sq - 1.0;
    let k = (f64::from(EPSILON).powi(2) * miss / (width - 1.0)).sqrt();
    let t = product / (norm_sq * dot(&v, &v)).sqrt();
    let error = k * (1.0 + k * k - t * t).max(0.0).sqrt();
    let most = if slack { (t + error).min(1.0) } else { t.min(1.0) };
    norm_sq + dot(&v, &v) - 2.0 * most * (norm_sq * dot(&v, &v)).sqrt()
}

#[test]
fn blocks_say_what_rows_say() {
    let mut random = SplitMix64::new(3);
    for dimensions in [64, 200, 384, 1_536] {
        for bits in BITS {
            for count in [0, 1, 15, 16, 17, 31, 32] {
                let seed = random.next();
                let (many, one) = (codec(Metric::L2, dimensions, bits, seed), codec(Metric::L2, dimensions, 1, seed));
                let vector = normals(&mut random, dimensions);
                let members: Vec<_> = (0..count).map(|_| beside(&mut random, &vector, 1.0)).collect();
                let rows: Vec<_> = members.iter().map(|member| row_of(&many, member)).collect();
                let block = block_of(&many, &rows);
                let ones: Vec<_> = members.iter().map(|member| row_of(&one, member)).collect();
                assert_eq!(block, block_of(&one, &ones), "the plane does not depend on the other bits");
                let mut query = many.query(&vector);
                let lower = bounds_of(&query, &block);
                query.epsilon = 0.0;
                let scores = bounds_of(&query, &block);
                for (at, row) in ones.iter().enumerate() {
                    // The tables' entries have steps of about 1/30 of a number of v: that leaves 1 % of a deviation.
                    let (bound, score) = (naive(&one, &vector, row, true), naive(&one, &vector, row, false));
                    let near = 0.05 * (score - bound) + 1e-5 * dot(&vector, &vector);
                    assert!((f64::from(lower[at]) - bound).abs() < near, "{dimensions} dims, {bits} bits: a bound");
                    assert!((f64::from(scores[at]) - score).abs() < near, "{dimensions} dims, {bits} bits: a score");
                }
            }
        }
    }
}

#[test]
fn raw_rows_are_exact() {
    let mut random = SplitMix64::new(4);
    for metric in METRICS {
        for dimensions in [1, 3, 31, 32, 33, 63, 100] {
            let codec = Codec::new(&space(metric, dimensions, Coding::Raw, 5));
            let (vector, member) = (normals(&mut random, dimensions), normals(&mut random, dimensions));
            let (score, slack) = codec.query(&vector).row(&row_of(&codec, &member));
            let exact = distance(metric, &vector, &member);
            assert!((f64::from(score) - exact).abs() <= f64::from(slack) + 1e-9, "{metric:?}: {score}, not {exact}");
            let mut decoded = Vec::new();
            assert!(codec.decode(&row_of(&codec, &member), &mut decoded));
            assert!(metric == Metric::Cosine || decoded == member, "{metric:?} of {dimensions}");
        }
    }
}
