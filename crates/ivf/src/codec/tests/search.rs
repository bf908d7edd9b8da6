//! Guards the search for the best code against the one that goes through all codes that can be best.

use super::super::row::{Head, encode_bits};
use super::*;

/// The greatest cosine between values and any code of so many bits, by going through all scales at which a code changes.
fn exhaustive(values: &[f32], bits: u8) -> f64 {
    let steps = 1usize << (bits - 1);
    let magnitudes: Vec<f64> = values.iter().map(|value| f64::from(value.abs())).collect();
    let mut changes: Vec<(f64, usize)> = Vec::new();
    for (at, magnitude) in magnitudes.iter().enumerate().filter(|(_, magnitude)| **magnitude > 0.0) {
        changes.extend((1..steps).map(|step| (step as f64 / magnitude, at)));
    }
    changes.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut levels = vec![0.5; values.len()];
    let mut product: f64 = magnitudes.iter().sum::<f64>() / 2.0;
    let mut square = values.len() as f64 / 4.0;
    let mut best = product / square.sqrt();
    for (_, at) in changes {
        product += magnitudes[at];
        square += 2.0 * levels[at] + 1.0;
        levels[at] += 1.0;
        best = best.max(product / square.sqrt());
    }
    best / dot(values, values).sqrt()
}

/// The cosine between values and their code.
fn reached(values: &[f32], bits: u8) -> f64 {
    let mut row = Vec::new();
    encode_bits(values, values.len(), bits, &mut row);
    let head = Head::read(&row).expect("a row has a head").0;
    let mut decoded = Vec::new();
    assert!(super::super::row::decode_bits(&row, bits, &mut decoded));
    let cosine = dot(values, &decoded) / (dot(values, values) * dot(&decoded, &decoded)).sqrt();
    // The second factor makes the estimate of a vector with itself exact.
    assert!((dot(values, &decoded) / f64::from(head.norm_sq) - 1.0).abs() < 1e-5);
    cosine
}

#[test]
fn codes_are_nearly_the_best() {
    let mut random = SplitMix64::new(1);
    for dimensions in [64, 128, 384, 1_024] {
        for bits in BITS {
            for round in 0..20 {
                // Normal numbers, and some with more or with fewer great ones, as far as rotations leave any.
                let values: Vec<f32> = match round % 3 {
                    0 => normals(&mut random, dimensions),
                    1 => (0..dimensions).map(|_| random.unit() as f32 - 0.5).collect(),
                    _ => normals(&mut random, dimensions).iter().map(|value| value * value.abs().sqrt()).collect(),
                };
                let (best, reached) = (exhaustive(&values, bits), reached(&values, bits));
                assert!(reached > best * 0.998, "{dimensions} dims, {bits} bits, round {round}: {reached}, not {best}");
                assert!(reached < best * 1.000_01, "{dimensions} dims, {bits} bits: the twin missed {reached}");
            }
        }
    }
}

#[test]
fn top_bits_are_signs() {
    let mut random = SplitMix64::new(2);
    let mut values = normals(&mut random, 64);
    (values[3], values[4]) = (0.0, -0.0);
    for bits in BITS {
        let mut row = Vec::new();
        encode_bits(&values, 64, bits, &mut row);
        let code = Head::read(&row).expect("a row has a head").1;
        for (at, value) in values.iter().enumerate() {
            let bit = (at + 1) * usize::from(bits) - 1;
            assert_eq!(code[bit / 8] >> (bit % 8) & 1 == 1, *value >= 0.0, "{bits} bits, dimension {at}");
        }
    }
}
