//! Distances between two dense vectors of equal length; callers check the lengths first.
//!
//! The inner loops are in [`crate::kernel`], which sums in single precision as pgvector does.

use super::Element;
use crate::kernel::Sums;

/// Squared Euclidean distance.
#[inline(always)]
pub fn l2_squared<E: Element>(sums: impl Sums, left: &[E], right: &[E]) -> f64 {
    f64::from(E::l2_squared(sums, left, right))
}

/// Euclidean distance.
#[inline(always)]
pub fn l2<E: Element>(sums: impl Sums, left: &[E], right: &[E]) -> f64 {
    l2_squared(sums, left, right).sqrt()
}

/// Inner product.
#[inline(always)]
pub fn inner_product<E: Element>(sums: impl Sums, left: &[E], right: &[E]) -> f64 {
    f64::from(E::inner_product(sums, left, right))
}

/// Inner product with its sign turned, so that nearer is less.
#[inline(always)]
pub fn negative_inner_product<E: Element>(sums: impl Sums, left: &[E], right: &[E]) -> f64 {
    -inner_product(sums, left, right)
}

/// Taxicab distance.
#[inline(always)]
pub fn l1<E: Element>(sums: impl Sums, left: &[E], right: &[E]) -> f64 {
    f64::from(E::l1(sums, left, right))
}

/// One minus the cosine of the angle, in 0..=2; NaN when either vector is zero.
#[inline(always)]
pub fn cosine<E: Element>(sums: impl Sums, left: &[E], right: &[E]) -> f64 {
    let (product, left, right) = E::cosine(sums, left, right);
    of_cosine(product, left, right)
}

/// The cosine distance out of the inner product and both squared norms.
#[inline(always)]
pub(crate) fn of_cosine(product: f32, left: f32, right: f32) -> f64 {
    // `clamp` leaves NaN alone.
    1.0 - (f64::from(product) / (f64::from(left) * f64::from(right)).sqrt()).clamp(-1.0, 1.0)
}

/// The angle between two unit vectors, in units of pi (0..=1).
#[inline(always)]
pub fn spherical<E: Element>(sums: impl Sums, left: &[E], right: &[E]) -> f64 {
    inner_product(sums, left, right).clamp(-1.0, 1.0).acos() / std::f64::consts::PI
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Best;
    use crate::testing::Random;

    /// The definition, term by term in double precision.
    fn naive<E: Element>(left: &[E], right: &[E], term: impl Fn(f64, f64) -> f64) -> f64 {
        left.iter().zip(right).map(|(l, r)| term(f64::from(l.to_f32()), f64::from(r.to_f32()))).sum()
    }

    fn agree<E: Element>(left: &[E], right: &[E]) {
        let dim = left.len() as f64;
        let close = |fast: f64, slow: f64| assert!((fast - slow).abs() <= 1e-5 * dim, "{dim}: {fast} {slow}");
        close(l2_squared(Best, left, right), naive(left, right, |l, r| (l - r) * (l - r)));
        close(inner_product(Best, left, right), naive(left, right, |l, r| l * r));
        close(l1(Best, left, right), naive(left, right, |l, r| (l - r).abs()));
        let norm = |v: &[E]| naive(v, v, |l, r| l * r).sqrt();
        let cosine_by_hand = 1.0 - naive(left, right, |l, r| l * r) / (norm(left) * norm(right));
        assert!((cosine(Best, left, right) - cosine_by_hand).abs() < 1e-5);
    }

    #[test]
    fn sums_agree_with_their_definitions() {
        let mut random = Random::new(1);
        for dim in (1..70).chain([384, 1023, 1536, 16_000]) {
            let (left, right) = (random.floats(dim), random.floats(dim));
            agree(&left, &right);
            let halves = |values: &[f32]| values.iter().map(|value| u16::round(*value)).collect::<Vec<u16>>();
            agree(&halves(&left), &halves(&right));
        }
    }

    #[test]
    fn edges_are_pgvectors() {
        assert!(cosine(Best, &[0.0f32, 0.0], &[1.0, 1.0]).is_nan());
        assert_eq!(cosine(Best, &[1.0f32, 1.0], &[-1.0, -1.0]), 2.0);
        assert_eq!(l2(Best, &[0.0f32, 0.0], &[3.0, 4.0]), 5.0);
        assert_eq!(l2(Best, &[3e38f32], &[-3e38]), f64::INFINITY);
        assert_eq!(l1(Best, &[0.0f32, 0.0], &[3.0, -4.0]), 7.0);
        assert_eq!(spherical(Best, &[1.0f32, 0.0], &[0.0, 1.0]), 0.5);
        assert!(cosine(Best, &[3e38f32], &[3e38]).is_nan());
    }
}
