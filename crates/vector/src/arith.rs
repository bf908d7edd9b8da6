//! Arithmetic and order of vectors.

use std::cmp::Ordering;

use crate::{Error, check_dim, check_same_dim};

/// Combine two vectors element by element; a result that is not finite is an error.
fn elementwise(left: &[f32], right: &[f32], op: impl Fn(f32, f32) -> Result<f32, Error>) -> Result<Vec<f32>, Error> {
    check_same_dim(left.len(), right.len())?;
    left.iter().zip(right).map(|(l, r)| op(*l, *r)).collect()
}

/// Refuse a result that overflowed.
fn finite(value: f32) -> Result<f32, Error> {
    if value.is_finite() { Ok(value) } else { Err(Error::Overflow) }
}

/// `left + right`.
pub fn add(left: &[f32], right: &[f32]) -> Result<Vec<f32>, Error> {
    elementwise(left, right, |l, r| finite(l + r))
}

/// `left - right`.
pub fn sub(left: &[f32], right: &[f32]) -> Result<Vec<f32>, Error> {
    elementwise(left, right, |l, r| finite(l - r))
}

/// `left * right`, element by element; a product that vanishes is an underflow.
pub fn mul(left: &[f32], right: &[f32]) -> Result<Vec<f32>, Error> {
    elementwise(left, right, |l, r| match l * r {
        product if product == 0.0 && l != 0.0 && r != 0.0 => Err(Error::Underflow),
        product => finite(product),
    })
}

/// `left` followed by `right`.
pub fn concat(left: &[f32], right: &[f32]) -> Result<Vec<f32>, Error> {
    check_dim(left.len() + right.len())?;
    Ok([left, right].concat())
}

/// Euclidean length, summed in double precision.
pub fn norm(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt()
}

/// The vector divided by its length; the zero vector stays as it is.
pub fn l2_normalize(values: &[f32]) -> Result<Vec<f32>, Error> {
    let norm = norm(values);
    if norm == 0.0 {
        return Ok(values.to_vec());
    }
    values.iter().map(|value| finite((f64::from(*value) / norm) as f32)).collect()
}

/// `count` elements from the `start`-th on, counted from 1 and clipped to the vector, as pgvector does.
pub fn subvector(values: &[f32], start: i32, count: i32) -> Result<Vec<f32>, Error> {
    let length = i64::try_from(values.len()).unwrap_or(i64::MAX);
    if count < 1 {
        return Err(Error::NoDimensions);
    }
    let first = i64::from(start).max(1);
    let last = (i64::from(start) + i64::from(count) - 1).min(length);
    let range = usize::try_from(first - 1).unwrap_or(0)..usize::try_from(last).unwrap_or(0);
    let part = values.get(range).unwrap_or_default();
    check_dim(part.len())?;
    Ok(part.to_vec())
}

/// Order element by element, then by length, as PostgreSQL orders arrays.
pub fn compare(left: &[f32], right: &[f32]) -> Ordering {
    let differing = left.iter().zip(right).map(|(l, r)| l.partial_cmp(r).unwrap_or(Ordering::Equal));
    differing.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| left.len().cmp(&right.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_do_not_fit_are_errors() {
        assert_eq!(add(&[1.0, 2.0], &[3.0, 4.0]), Ok(vec![4.0, 6.0]));
        assert_eq!(add(&[3e38], &[3e38]), Err(Error::Overflow));
        assert_eq!(sub(&[-3e38], &[3e38]), Err(Error::Overflow));
        assert_eq!(mul(&[1e37], &[1e37]), Err(Error::Overflow));
        assert_eq!(mul(&[1e-37], &[1e-37]), Err(Error::Underflow));
        assert_eq!(add(&[1.0], &[1.0, 2.0]), Err(Error::DifferentDimensions(1, 2)));
        assert_eq!(concat(&[1.0; 16_000], &[1.0]), Err(Error::TooManyDimensions));
    }

    #[test]
    fn parts_are_clipped() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(subvector(&values, 1, 3), Ok(vec![1.0, 2.0, 3.0]));
        assert_eq!(subvector(&values, -1, 3), Ok(vec![1.0]));
        assert_eq!(subvector(&values, 4, i32::MAX), Ok(vec![4.0, 5.0]));
        assert_eq!(subvector(&values, -1, 2), Err(Error::NoDimensions));
        assert_eq!(subvector(&values, 6, 1), Err(Error::NoDimensions));
        assert_eq!(subvector(&values, i32::MIN, i32::MAX), Err(Error::NoDimensions));
        assert_eq!(subvector(&values, 1, 0), Err(Error::NoDimensions));
    }

    #[test]
    fn order_is_that_of_arrays() {
        assert_eq!(compare(&[1.0, 2.0], &[1.0, 2.0]), Ordering::Equal);
        assert_eq!(compare(&[1.0, 2.0], &[1.0, 2.0, 0.0]), Ordering::Less);
        assert_eq!(compare(&[2.0], &[1.0, 5.0]), Ordering::Greater);
        assert_eq!(compare(&[0.0], &[-0.0]), Ordering::Equal);
    }

    #[test]
    fn unit_vectors_have_length_one() {
        assert_eq!(l2_normalize(&[3.0, 4.0]), Ok(vec![0.6, 0.8]));
        assert_eq!(l2_normalize(&[0.0, 0.0]), Ok(vec![0.0, 0.0]));
        assert!((norm(&[3e37, 4e37]) / 5e37 - 1.0).abs() < 1e-7);
    }
}
