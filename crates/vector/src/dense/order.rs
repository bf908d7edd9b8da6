//! Order, equality and hashes of dense vectors.

use std::cmp::Ordering;

use super::Element;
use crate::hash::{bits, hash as mix, word};

/// Order element by element, then by length, as PostgreSQL orders arrays.
pub fn compare<E: Element>(left: &[E], right: &[E]) -> Ordering {
    let orders = left.iter().zip(right).map(|(left, right)| left.to_f32().partial_cmp(&right.to_f32()));
    let differing = orders.map(|order| order.unwrap_or(Ordering::Equal)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// Hash; equal vectors, zeros of either sign in them, have equal hashes.
pub fn hash<E: Element>(values: &[E], seed: u64) -> u64 {
    let number = |value: Option<&E>| value.map_or(0.0, |value| value.to_f32());
    let words = values.chunks(2).map(|pair| word(bits(number(pair.first())), number(pair.get(1))));
    mix(values.len(), words, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_arrays() {
        assert_eq!(compare(&[1.0f32, 2.0], &[1.0, 2.0]), Ordering::Equal);
        assert_eq!(compare(&[1.0f32, 2.0], &[1.0, 2.0, 0.0]), Ordering::Less);
        assert_eq!(compare(&[2.0f32], &[1.0, 5.0]), Ordering::Greater);
        assert_eq!(compare(&[0.0f32], &[-0.0]), Ordering::Equal);
        assert_eq!(compare(&[0x8000u16, 0xbc00], &[0x0000, 0x3c00]), Ordering::Less);
    }

    #[test]
    fn equal_vectors_hash_alike() {
        assert_eq!(hash(&[0.0f32, 1.0], 0), hash(&[-0.0f32, 1.0], 0));
        assert_eq!(hash(&[0x8000u16], 7), hash(&[0x0000u16], 7));
        assert_ne!(hash(&[0.0f32], 0), hash(&[0.0f32, 0.0], 0));
        assert_ne!(hash(&[1.0f32, 2.0], 0), hash(&[2.0f32, 1.0], 0));
    }
}
