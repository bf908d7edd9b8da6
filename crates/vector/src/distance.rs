//! Distances between two vectors of equal length; callers check the lengths first.
//!
//! Each sum is kept in [`LANES`] partial sums, which the compiler turns into vector instructions; the
//! plain definition of each distance stands in the tests, which hold the two together.

/// Partial sums per loop: two registers of 256 bits.
const LANES: usize = 16;

/// Sum `term(l, r)` over both slices.
#[inline(always)]
fn sum(left: &[f32], right: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (l, r) in left.iter().zip(right) {
        for ((lane, l), r) in lanes.iter_mut().zip(l).zip(r) {
            *lane += term(*l, *r);
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(l, r)| term(*l, *r)).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Squared Euclidean distance.
pub fn l2_squared(left: &[f32], right: &[f32]) -> f64 {
    f64::from(sum(left, right, |l, r| (l - r) * (l - r)))
}

/// Euclidean distance.
pub fn l2(left: &[f32], right: &[f32]) -> f64 {
    l2_squared(left, right).sqrt()
}

/// Inner product.
pub fn inner_product(left: &[f32], right: &[f32]) -> f64 {
    f64::from(sum(left, right, |l, r| l * r))
}

/// Taxicab distance.
pub fn l1(left: &[f32], right: &[f32]) -> f64 {
    f64::from(sum(left, right, |l, r| (l - r).abs()))
}

/// One minus the cosine of the angle, in 0..=2; NaN when either vector is zero.
pub fn cosine(left: &[f32], right: &[f32]) -> f64 {
    let dot = inner_product(left, right);
    let norms = inner_product(left, left) * inner_product(right, right);
    let similarity = dot / norms.sqrt();
    1.0 - if similarity.is_nan() { similarity } else { similarity.clamp(-1.0, 1.0) }
}

/// The angle between two unit vectors, in units of pi (0..=1).
pub fn spherical(left: &[f32], right: &[f32]) -> f64 {
    inner_product(left, right).clamp(-1.0, 1.0).acos() / std::f64::consts::PI
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    /// The definition, term by term in double precision.
    fn naive(left: &[f32], right: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
        left.iter().zip(right).map(|(l, r)| term(f64::from(*l), f64::from(*r))).sum()
    }

    #[test]
    fn sums_agree_with_their_definitions() {
        let mut random = Random::new(1);
        for dim in (1..70).chain([384, 1023, 1536, 16_000]) {
            let (left, right) = (random.floats(dim), random.floats(dim));
            let close =
                |fast: f64, slow: f64| assert!((fast - slow).abs() <= 1e-5 * dim as f64, "{dim}: {fast} {slow}");
            close(l2_squared(&left, &right), naive(&left, &right, |l, r| (l - r) * (l - r)));
            close(inner_product(&left, &right), naive(&left, &right, |l, r| l * r));
            close(l1(&left, &right), naive(&left, &right, |l, r| (l - r).abs()));
            let norm = |v: &[f32]| naive(v, v, |l, r| l * r).sqrt();
            let cosine_by_hand = 1.0 - naive(&left, &right, |l, r| l * r) / (norm(&left) * norm(&right));
            assert!((cosine(&left, &right) - cosine_by_hand).abs() < 1e-5);
        }
    }

    #[test]
    fn edges_are_pgvectors() {
        assert!(cosine(&[0.0, 0.0], &[1.0, 1.0]).is_nan());
        assert_eq!(cosine(&[1.0, 1.0], &[-1.0, -1.0]), 2.0);
        assert_eq!(l2(&[0.0, 0.0], &[3.0, 4.0]), 5.0);
        assert_eq!(l2(&[3e38], &[-3e38]), f64::INFINITY);
        assert_eq!(l1(&[0.0, 0.0], &[3.0, -4.0]), 7.0);
        assert_eq!(spherical(&[1.0, 0.0], &[0.0, 1.0]), 0.5);
    }
}
