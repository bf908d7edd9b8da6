//! Guards what must never fail: vectors without a place, numbers at the ends of their range, and bytes that are no rows.

use super::super::CentroidCodec;
use super::*;

/// Every coding.
fn codings() -> impl Iterator<Item = Coding> {
    BITS.map(Coding::Bits).into_iter().chain([Coding::Raw, Coding::None])
}

#[test]
fn zero_vectors_come_last_under_cosine() {
    let one: Vec<f32> = (0..70).map(|at| at as f32).collect();
    for coding in codings() {
        let codec = Codec::new(&space(Metric::Cosine, 70, coding, 1));
        let zero = row_of(&codec, &[0.0; 70]);
        let mut decoded = vec![1.0];
        assert!(!codec.decode(&zero, &mut decoded) && decoded.is_empty());
        let expected = if coding == Coding::None { f32::NEG_INFINITY } else { f32::INFINITY };
        assert_eq!(codec.query(&one).row(&zero), (expected, 0.0), "{coding:?}");
        // To a zero query, all are alike.
        assert_eq!(codec.query(&[0.0; 70]).row(&row_of(&codec, &one)), (f32::NEG_INFINITY, 0.0), "{coding:?}");
        if matches!(coding, Coding::Bits(_)) {
            let block = block_of(&codec, &[zero, row_of(&codec, &one)]);
            let lower = bounds_of(&codec.query(&one), &block);
            assert!(lower[0] == f32::INFINITY && lower[1].is_finite());
            assert_eq!(bounds_of(&codec.query(&[0.0; 70]), &block), [f32::NEG_INFINITY; BLOCK_ROWS]);
        }
    }
    // Elsewhere a zero vector is one like others.
    for metric in [Metric::L2, Metric::InnerProduct] {
        for coding in codings().filter(|coding| *coding != Coding::None) {
            let codec = Codec::new(&space(metric, 70, coding, 1));
            let exact = distance(metric, &one, &[0.0; 70]);
            for (query, row) in [(&one, &vec![0.0; 70]), (&vec![0.0; 70], &one)] {
                let (score, slack) = codec.query(query).row(&row_of(&codec, row));
                assert!((f64::from(score) - exact).abs() <= f64::from(slack), "{metric:?} {coding:?}");
                assert!(slack <= 1e-5 * exact.abs().max(1e-16) as f32, "{metric:?} {coding:?}: {slack}");
            }
        }
    }
}

#[test]
fn numbers_at_the_ends_of_their_range_give_true_bounds() {
    let mut random = SplitMix64::new(1);
    let scales = [0.0, 1e-45, 1e-40, 1e-30, 1e-20, 1e-10, 1.0, 1e10, 1e15, 1e18, 1e20, 1e30, 1e37];
    for metric in METRICS {
        for coding in codings() {
            let codec = Codec::new(&space(metric, 96, coding, random.next()));
            for (left, right) in scales.iter().flat_map(|left| scales.iter().map(move |right| (*left, *right))) {
                let vector: Vec<f32> = normals(&mut random, 96).iter().map(|value| value * left).collect();
                let member: Vec<f32> = normals(&mut random, 96).iter().map(|value| value * right).collect();
                let row = row_of(&codec, &member);
                let mut query = codec.query(&vector);
                query.epsilon = 5.0;
                let (score, slack) = query.row(&row);
                let lower = bounds_of(&query, &block_of(&codec, &[row]))[0];
                assert!(!score.is_nan() && slack >= 0.0 && slack.is_finite() && !lower.is_nan());
                let exact = distance(metric, &vector, &member);
                // What vanishes in single precision may be off by that much.
                let exact = exact + 1e-6 * exact.abs() + f64::from(f32::MIN_POSITIVE);
                let true_bounds = f64::from(score - slack) <= exact && f64::from(lower) <= exact;
                assert!(exact.is_nan() || true_bounds, "{metric:?} {coding:?} {left:e} {right:e}: {score}, {lower}");
            }
        }
    }
}

#[test]
fn what_is_no_number_may_be_anywhere() {
    for metric in METRICS {
        for coding in codings().filter(|coding| *coding != Coding::None) {
            let codec = Codec::new(&space(metric, 64, coding, 1));
            let one = vec![1.0; 64];
            for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut vector = one.clone();
                vector[5] = odd;
                assert_eq!(codec.query(&one).row(&row_of(&codec, &vector)), (f32::NEG_INFINITY, 0.0), "{metric:?}");
                assert_eq!(codec.query(&vector).row(&row_of(&codec, &one)), (f32::NEG_INFINITY, 0.0), "{metric:?}");
            }
            // A vector of other dimensions is none of this space.
            assert_eq!(codec.query(&one).row(&row_of(&codec, &[1.0; 63])), (f32::NEG_INFINITY, 0.0), "{metric:?}");
            assert_eq!(codec.query(&[1.0; 65]).row(&row_of(&codec, &one)), (f32::NEG_INFINITY, 0.0), "{metric:?}");
        }
    }
}

#[test]
fn bytes_that_are_no_rows_are_refused() {
    let mut random = SplitMix64::new(2);
    for metric in METRICS {
        for coding in codings() {
            let codec = Codec::new(&space(metric, 64, coding, 1));
            let centroids = CentroidCodec::new(&codec);
            let query = codec.query(&normals(&mut random, 64));
            let mut out = Vec::new();
            let longest = codec.block_bytes().max(codec.row_bytes()) + 5;
            for length in 0..longest {
                let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
                let scores = [query.row(&bytes), centroids.score(&query, &bytes)];
                assert!(scores.iter().all(|(score, slack)| !(score - slack).is_nan()));
                if length != codec.row_bytes() {
                    assert_eq!(scores[0], (f32::NEG_INFINITY, 0.0), "{coding:?}: {length} bytes");
                    assert!(!codec.decode(&bytes, &mut out));
                }
                if length != centroids.bytes() {
                    assert!(!centroids.decode(&bytes, &mut out));
                }
                let lower = bounds_of(&query, &bytes);
                assert!(lower.iter().all(|lower| !lower.is_nan()));
                let known = length == codec.block_bytes() && length > 0;
                assert!(known || lower == [f32::NEG_INFINITY; BLOCK_ROWS], "{coding:?}: {length} bytes");
                block_of(&codec, &[bytes]);
            }
            for _ in 0..200 {
                let bytes: Vec<u8> = (0..codec.row_bytes()).map(|_| random.next() as u8).collect();
                let (score, slack) = query.row(&bytes);
                assert!(!(score - slack).is_nan());
                assert!(!codec.decode(&bytes, &mut out) || out.iter().all(|value| value.is_finite()));
            }
        }
    }
}
