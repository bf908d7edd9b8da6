//! Guards the rotation: one that stretches, is another than the one on disk, or leaves vectors as spiky as they were.

use super::super::rotation::Rotation;
use super::*;

const DIMENSIONS: [usize; 10] = [64, 128, 192, 256, 320, 384, 768, 960, 1_024, 1_536];

#[test]
fn rotations_keep_products_and_norms() {
    let mut random = SplitMix64::new(1);
    for dimensions in DIMENSIONS {
        let rotation = Rotation::new(dimensions, random.next());
        for _ in 0..10 {
            let (left, right) = (normals(&mut random, dimensions), normals(&mut random, dimensions));
            let (mut l, mut r) = (left.clone(), right.clone());
            rotation.apply(&mut l);
            rotation.apply(&mut r);
            let scale = (dot(&left, &left) * dot(&right, &right)).sqrt();
            assert!((dot(&l, &r) - dot(&left, &right)).abs() < 1e-6 * scale, "{dimensions}: products");
            assert!((dot(&l, &l) / dot(&left, &left) - 1.0).abs() < 2e-6, "{dimensions}: norms");
        }
    }
}

#[test]
fn rotations_spread_what_is_in_one_dimension() {
    let mut random = SplitMix64::new(2);
    for dimensions in DIMENSIONS {
        let rotation = Rotation::new(dimensions, random.next());
        for at in [0, 1, dimensions / 2, dimensions - 1] {
            let mut values = vec![0.0; dimensions];
            values[at] = 1.0;
            rotation.apply(&mut values);
            // The kurtosis of a normal distribution is 3, of one spike the dimensions.
            let fourth: f64 = values.iter().map(|value| f64::from(*value).powi(4)).sum();
            let kurtosis = fourth * dimensions as f64;
            assert!((1.3..6.0).contains(&kurtosis), "{dimensions}, dimension {at}: {kurtosis}");
        }
    }
}

#[test]
fn rotations_differ_by_seed() {
    let rotated = |seed| {
        let mut values = vec![1.0; 192];
        Rotation::new(192, seed).apply(&mut values);
        values
    };
    assert_eq!(rotated(7), rotated(7));
    assert!(dot(&rotated(7), &rotated(8)).abs() < 60.0);
}

#[test]
fn rotations_are_those_on_disk() {
    // From another implementation of the definition, in Python.
    let pinned = [(64, [-5.652_34, 1.460_94, -8.601_56, -1.531_25]), (192, [-3.957_94, 1.389_68, -8.320_8, 3.772_85])];
    for (dimensions, expected) in pinned {
        let mut values: Vec<f32> = (0..dimensions).map(|at| at as f32 / 8.0).collect();
        Rotation::new(dimensions, 42).apply(&mut values);
        let alike = values.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-4);
        assert!(alike, "{dimensions}: {:?}", values.split_at(4).0);
    }
}
