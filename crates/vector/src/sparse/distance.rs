//! Distances between two sparse vectors of equal dimensions; callers check the dimensions first.
//!
//! The inner loops are in [`crate::kernel`], which sums in single precision as pgvector does; here is what the sums mean.

use super::Sparse;
use crate::dense::distance::of_cosine;
use crate::kernel::Sums;

/// Squared Euclidean distance.
#[inline(always)]
pub fn l2_squared(sums: impl Sums, left: Sparse, right: Sparse) -> f64 {
    f64::from(sums.sparse_l2_squared(left, right))
}

/// Euclidean distance.
#[inline(always)]
pub fn l2(sums: impl Sums, left: Sparse, right: Sparse) -> f64 {
    l2_squared(sums, left, right).sqrt()
}

/// Inner product.
#[inline(always)]
pub fn inner_product(sums: impl Sums, left: Sparse, right: Sparse) -> f64 {
    f64::from(sums.sparse_inner_product(left, right))
}

/// Inner product with its sign turned, so that nearer is less.
#[inline(always)]
pub fn negative_inner_product(sums: impl Sums, left: Sparse, right: Sparse) -> f64 {
    -inner_product(sums, left, right)
}

/// Taxicab distance.
#[inline(always)]
pub fn l1(sums: impl Sums, left: Sparse, right: Sparse) -> f64 {
    f64::from(sums.sparse_l1(left, right))
}

/// One minus the cosine of the angle, in 0..=2; NaN when either vector is zero.
#[inline(always)]
pub fn cosine(sums: impl Sums, left: Sparse, right: Sparse) -> f64 {
    let (product, left, right) = sums.sparse_cosine(left, right);
    of_cosine(product, left, right)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sparse;
    use super::*;
    use crate::dense::distance as dense;
    use crate::kernel::Best;
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
            close(l2(Best, l.view(), r.view()), dense::l2(Best, &left, &right));
            close(l1(Best, l.view(), r.view()), dense::l1(Best, &left, &right));
            close(inner_product(Best, l.view(), r.view()), dense::inner_product(Best, &left, &right));
            close(cosine(Best, l.view(), r.view()), dense::cosine(Best, &left, &right));
        }
    }

    #[test]
    fn edges_are_pgvectors() {
        let (none, some) = (sparse(2, &[]), sparse(2, &[(0, 3.0), (1, 4.0)]));
        assert_eq!(l2(Best, none.view(), some.view()), 5.0);
        assert_eq!(l1(Best, some.view(), none.view()), 7.0);
        assert!(cosine(Best, none.view(), some.view()).is_nan());
        let (left, right) = (sparse(1, &[(0, 3e38)]), sparse(1, &[(0, -3e38)]));
        assert_eq!(l2(Best, left.view(), right.view()), f64::INFINITY);
    }
}
