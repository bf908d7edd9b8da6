//! Distances between two sparse vectors of equal dimensions; callers check the dimensions first.
//!
//! Sums are kept in single precision and added by ascending index, as pgvector does.

use super::Sparse;
use crate::dense::distance::of_cosine;

/// Sum over all indices that either lists: `left_only` and `right_only` get an element that the other does not list.
#[inline(always)]
fn sum(
    left: Sparse,
    right: Sparse,
    both: impl Fn(f32, f32) -> f32,
    left_only: impl Fn(f32) -> f32,
    right_only: impl Fn(f32) -> f32,
) -> f32 {
    let mut rights = right.indices.iter().zip(right.values);
    let mut next = rights.next();
    let mut sum = 0.0;
    for (index, x) in left.indices.iter().zip(left.values) {
        while let Some((at, y)) = next
            && at < index
        {
            sum += right_only(*y);
            next = rights.next();
        }
        match next {
            Some((at, y)) if at == index => {
                sum += both(*x, *y);
                next = rights.next();
            }
            _ => sum += left_only(*x),
        }
    }
    next.into_iter().chain(rights).fold(sum, |sum, (_, y)| sum + right_only(*y))
}

/// Squared Euclidean distance.
pub fn l2_squared(left: Sparse, right: Sparse) -> f64 {
    f64::from(sum(left, right, |l, r| (l - r) * (l - r), |l| l * l, |r| r * r))
}

/// Euclidean distance.
pub fn l2(left: Sparse, right: Sparse) -> f64 {
    l2_squared(left, right).sqrt()
}

/// The inner product; what only one lists counts for nothing.
fn product(left: Sparse, right: Sparse) -> f32 {
    sum(left, right, |l, r| l * r, |_| 0.0, |_| 0.0)
}

/// Inner product.
pub fn inner_product(left: Sparse, right: Sparse) -> f64 {
    f64::from(product(left, right))
}

/// Inner product with its sign turned, so that nearer is less.
pub fn negative_inner_product(left: Sparse, right: Sparse) -> f64 {
    -inner_product(left, right)
}

/// Taxicab distance.
pub fn l1(left: Sparse, right: Sparse) -> f64 {
    f64::from(sum(left, right, |l, r| (l - r).abs(), f32::abs, f32::abs))
}

/// One minus the cosine of the angle, in 0..=2; NaN when either vector is zero.
pub fn cosine(left: Sparse, right: Sparse) -> f64 {
    let squares = |value: Sparse| value.values.iter().map(|element| element * element).sum::<f32>();
    of_cosine(product(left, right), squares(left), squares(right))
}

#[cfg(test)]
mod tests {
    use super::super::tests::sparse;
    use super::*;
    use crate::dense::distance as dense;
    use crate::sparse::convert::{from_dense, to_dense};
    use crate::testing::Random;

    #[test]
    fn distances_are_those_of_the_dense_vectors() {
        let mut random = Random::new(17);
        for dim in 1..60 {
            let mut some = |share: usize| -> Vec<f32> {
                let values = random.floats(dim);
                values.into_iter().map(|value| if random.below(10) < share { value } else { 0.0 }).collect()
            };
            let (left, right) = (some(3), some(7));
            let sparse = |values: &[f32]| from_dense(values).expect("it fits");
            let (l, r) = (sparse(&left), sparse(&right));
            let mut back = vec![0.0f32; dim];
            to_dense(l.view(), &mut back).expect("it fits");
            assert_eq!(back, left);
            let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-5 || a.is_nan() && b.is_nan(), "{dim}: {a} {b}");
            close(l2(l.view(), r.view()), dense::l2(&left, &right));
            close(l1(l.view(), r.view()), dense::l1(&left, &right));
            close(inner_product(l.view(), r.view()), dense::inner_product(&left, &right));
            close(cosine(l.view(), r.view()), dense::cosine(&left, &right));
        }
    }

    #[test]
    fn edges_are_pgvectors() {
        let (none, some) = (sparse(2, &[]), sparse(2, &[(0, 3.0), (1, 4.0)]));
        assert_eq!(l2(none.view(), some.view()), 5.0);
        assert_eq!(l1(some.view(), none.view()), 7.0);
        assert!(cosine(none.view(), some.view()).is_nan());
        let (left, right) = (sparse(1, &[(0, 3e38)]), sparse(1, &[(0, -3e38)]));
        assert_eq!(l2(left.view(), right.view()), f64::INFINITY);
    }
}
