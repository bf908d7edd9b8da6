//! Order, equality and hashes of sparse vectors: those of the dense vectors they stand for.

use std::cmp::Ordering;

use super::Sparse;
use crate::hash::{hash as mix, word};

/// The order of an element to the zero that the other vector has there.
fn to_zero(element: f32) -> Ordering {
    if element < 0.0 { Ordering::Less } else { Ordering::Greater }
}

/// Order element by element, then by dimensions, as PostgreSQL orders arrays.
pub fn compare(left: Sparse, right: Sparse) -> Ordering {
    let (mut lefts, mut rights) = (left.iter(), right.iter());
    let beyond = |index: i32, dim: usize| usize::try_from(index).is_ok_and(|index| index >= dim);
    loop {
        let order = match (lefts.next(), rights.next()) {
            (Some((l, x)), Some((r, y))) => match l.cmp(&r) {
                Ordering::Less => to_zero(x),
                Ordering::Greater => to_zero(y).reverse(),
                Ordering::Equal => x.partial_cmp(&y).unwrap_or(Ordering::Equal),
            },
            (None, Some((index, y))) if !beyond(index, left.dim) => to_zero(y).reverse(),
            (Some((index, x)), None) if !beyond(index, right.dim) => to_zero(x),
            _ => return left.dim.cmp(&right.dim),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// Hash; equal vectors have equal hashes.
pub fn hash(value: Sparse, seed: u64) -> u64 {
    let words = value.iter().map(|(index, element)| word(index.cast_unsigned(), element));
    mix(value.dim, words, seed)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sparse;
    use super::*;
    use crate::dense::order;
    use crate::sparse::convert::from_dense;
    use crate::testing::Random;

    #[test]
    fn order_is_that_of_the_dense_vectors() {
        let mut random = Random::new(19);
        for _ in 0..10_000 {
            let mut some = || -> Vec<f32> {
                let dim = 1 + random.below(4);
                (0..dim).map(|_| random.below(3) as f32 - 1.0).collect()
            };
            let (left, right) = (some(), some());
            let sparse = |values: &[f32]| from_dense(values).expect("it fits");
            let (l, r) = (sparse(&left), sparse(&right));
            assert_eq!(compare(l.view(), r.view()), order::compare(&left, &right), "{left:?} {right:?}");
            assert_eq!(left == right, hash(l.view(), 0) == hash(r.view(), 0), "{left:?} {right:?}");
        }
    }

    #[test]
    fn dimensions_count() {
        let (left, right) = (sparse(2, &[]), sparse(3, &[]));
        assert_eq!(compare(left.view(), right.view()), Ordering::Less);
        assert_ne!(hash(left.view(), 0), hash(right.view(), 0));
    }
}
