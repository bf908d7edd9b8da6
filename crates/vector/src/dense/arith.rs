//! Arithmetic of dense vectors, in place or into a slice of the result's length.
//!
//! Halves are widened, combined in single precision and rounded once, which gives the nearest half.

use std::ops::Range;

use super::{Element, all_finite};
use crate::{Error, Kind};

/// Partial sums of [`norm`], so that it need not wait for one addition after the other.
const LANES: usize = 8;

/// Put `op` of both elements in place of the left one; a result that is infinite is an error.
fn combine<E: Element>(left: &mut [E], right: &[E], op: impl Fn(f32, f32) -> f32) -> Result<(), Error> {
    E::KIND.check_same_dim(left.len(), right.len())?;
    E::change_blocks(left, right, |left, right| {
        left.iter_mut().zip(right).for_each(|(left, right)| *left = op(*left, *right));
    });
    if all_finite(left) { Ok(()) } else { Err(Error::Overflow) }
}

/// `left += right`.
pub fn add<E: Element>(left: &mut [E], right: &[E]) -> Result<(), Error> {
    combine(left, right, |left, right| left + right)
}

/// `left -= right`.
pub fn sub<E: Element>(left: &mut [E], right: &[E]) -> Result<(), Error> {
    combine(left, right, |left, right| left - right)
}

/// `left *= right`, element by element; a product that vanishes is an underflow.
pub fn mul<E: Element>(left: &mut [E], right: &[E]) -> Result<(), Error> {
    E::KIND.check_same_dim(left.len(), right.len())?;
    for (left, right) in left.iter_mut().zip(right) {
        let (l, r) = (left.to_f32(), right.to_f32());
        *left = E::round(l * r);
        match left.to_f32() {
            product if product.is_infinite() => return Err(Error::Overflow),
            product if product == 0.0 && l != 0.0 && r != 0.0 => return Err(Error::Underflow),
            _ => {}
        }
    }
    Ok(())
}

/// Add the square of each number to the lane of its place.
#[inline(always)]
fn add_squares(lanes: &mut [f64; LANES], numbers: &[f32]) {
    lanes.iter_mut().zip(numbers).for_each(|(lane, number)| *lane += f64::from(*number) * f64::from(*number));
}

/// Euclidean length, summed in double precision.
pub fn norm<E: Element>(values: &[E]) -> f64 {
    let mut lanes = [0.0; LANES];
    E::read_blocks(values, |numbers| {
        let (chunks, rest) = numbers.as_chunks::<LANES>();
        chunks.iter().for_each(|chunk| add_squares(&mut lanes, chunk));
        add_squares(&mut lanes, rest);
    });
    lanes.iter().sum::<f64>().sqrt()
}

/// Divide by the length; the zero vector stays as it is.
pub fn normalize<E: Element>(values: &mut [E]) -> Result<(), Error> {
    let norm = norm(values);
    if norm == 0.0 {
        return Ok(());
    }
    for value in values {
        *value = E::round((f64::from(value.to_f32()) / norm) as f32);
        if value.to_f32().is_infinite() {
            return Err(Error::Overflow);
        }
    }
    Ok(())
}

/// Which elements `count` from the `start`-th on are, counted from 1 and clipped to a vector of `dim`.
pub fn part(kind: Kind, dim: usize, start: i32, count: i32) -> Result<Range<usize>, Error> {
    let end = (i64::from(start) + i64::from(count) - 1).clamp(0, dim as i64);
    let first = i64::from(start).max(1) - 1;
    if count < 1 || first >= end {
        return Err(Error::NoDimensions(kind));
    }
    Ok(first as usize..end as usize)
}

/// Write one bit an element into `out`, the highest first: whether it is positive.
pub fn quantize<E: Element>(values: &[E], out: &mut [u8]) {
    let positive = |byte: u8, (at, value): (usize, &E)| byte | (u8::from(value.to_f32() > 0.0) << (7 - at));
    for (byte, group) in out.iter_mut().zip(values.chunks(8)) {
        *byte = group.iter().enumerate().fold(0, positive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    type Operation<E> = fn(&mut [E], &[E]) -> Result<(), Error>;

    fn of<E: Element>(op: Operation<E>, left: &[E], right: &[E]) -> Result<Vec<E>, Error> {
        let mut out = left.to_vec();
        op(&mut out, right).map(|()| out)
    }

    #[test]
    fn results_that_do_not_fit_are_errors() {
        assert_eq!(of(add, &[1.0f32, 2.0], &[3.0, 4.0]), Ok(vec![4.0, 6.0]));
        assert_eq!(of(add, &[3e38f32], &[3e38]), Err(Error::Overflow));
        assert_eq!(of(sub, &[-3e38f32], &[3e38]), Err(Error::Overflow));
        assert_eq!(of(mul, &[1e37f32], &[1e37]), Err(Error::Overflow));
        assert_eq!(of(mul, &[1e-37f32], &[1e-37]), Err(Error::Underflow));
        assert_eq!(of(add, &[1.0f32], &[1.0, 2.0]), Err(Error::DifferentDimensions(Kind::Vector, 1, 2)));
        assert_eq!(of(add, &[0x7bffu16], &[0x7bff]), Err(Error::Overflow));
        assert_eq!(of(mul, &[2u16], &[2]), Err(Error::Underflow));
        assert_eq!(of(mul, &[0x4000u16, 0], &[0x4200, 5]), Ok(vec![0x4600, 0]));
    }

    #[test]
    fn parts_are_clipped() {
        let part = |start, count| part(Kind::Vector, 5, start, count);
        let none = Err(Error::NoDimensions(Kind::Vector));
        assert_eq!(part(1, 3), Ok(0..3));
        assert_eq!(part(-1, 3), Ok(0..1));
        assert_eq!(part(4, i32::MAX), Ok(3..5));
        for (start, count) in [(-1, 2), (6, 1), (i32::MIN, i32::MAX), (1, 0), (3, -1), (i32::MAX, 10)] {
            assert_eq!(part(start, count), none, "{start} {count}");
        }
    }

    #[test]
    fn unit_vectors_have_length_one() {
        let unit = |values: &[f32]| of(|values, _| normalize(values), values, &[]);
        assert_eq!(unit(&[3.0, 4.0]), Ok(vec![0.6, 0.8]));
        assert_eq!(unit(&[0.0, -0.0]), Ok(vec![0.0, -0.0]));
        assert!((norm(&[3e37f32, 4e37]) / 5e37 - 1.0).abs() < 1e-7);
        let values = Random::new(5).floats(1003);
        let plain = values.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        assert!((norm(&values) - plain).abs() < 1e-9);
    }

    #[test]
    fn bits_are_signs() {
        let mut out = [0xff; 2];
        quantize(&[1.0f32, 0.0, -1.0, 2.0, -0.0, 1e-45, 3.0, -3.0, 1.0], &mut out);
        assert_eq!(out, [0b1001_0110, 0b1000_0000]);
    }
}
