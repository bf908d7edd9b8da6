//! The binary form: `i16` dimensions, `i16` zero, then `f32`s, all big endian.

use crate::{Error, check_dim, check_element, check_expected_dim};

/// Write the binary form.
pub fn send(values: &[f32]) -> Vec<u8> {
    let dim = u16::try_from(values.len()).unwrap_or(u16::MAX);
    let mut out = Vec::with_capacity(4 + values.len() * 4);
    out.extend_from_slice(&dim.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    out
}

/// Read the binary form; fails on a wrong length, NaN, infinities and wrong dimensions.
pub fn receive(bytes: &[u8], typmod: i32) -> Result<Vec<f32>, Error> {
    let (dim, rest) = bytes.split_first_chunk::<2>().ok_or(Error::Length)?;
    let (unused, rest) = rest.split_first_chunk::<2>().ok_or(Error::Length)?;
    let dim = usize::try_from(i16::from_be_bytes(*dim)).map_err(|_| Error::NoDimensions)?;
    let unused = i16::from_be_bytes(*unused);
    check_dim(dim)?;
    check_expected_dim(typmod, dim)?;
    if unused != 0 {
        return Err(Error::Unused(unused));
    }
    let (chunks, tail) = rest.as_chunks::<4>();
    if chunks.len() != dim || !tail.is_empty() {
        return Err(Error::Length);
    }
    let values: Vec<f32> = chunks.iter().map(|chunk| f32::from_be_bytes(*chunk)).collect();
    values.iter().try_for_each(|value| check_element(*value))?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Random;

    #[test]
    fn round_trip_is_exact() {
        let mut random = Random::new(3);
        for _ in 0..10_000 {
            let count = 1 + random.below(9);
            let values = random.any_floats(count);
            let read = receive(&send(&values), -1).expect("own bytes are read");
            assert!(read.iter().zip(&values).all(|(left, right)| left.to_bits() == right.to_bits()));
        }
    }

    #[test]
    fn bad_bytes_are_refused() {
        let good = send(&[1.0, 2.0]);
        (0..good.len()).for_each(|end| assert!(receive(&good[..end], -1).is_err()));
        assert_eq!(receive(&[good.as_slice(), &[0]].concat(), -1), Err(Error::Length));
        assert_eq!(receive(&[0, 1, 0, 7, 0, 0, 0, 0], -1), Err(Error::Unused(7)));
        assert_eq!(receive(&[0xff, 0xff, 0, 0], -1), Err(Error::NoDimensions));
        assert_eq!(receive(&send(&[f32::NAN]), -1), Err(Error::Nan));
        assert_eq!(receive(&send(&[f32::INFINITY]), -1), Err(Error::Infinite));
        assert_eq!(receive(&good, 3), Err(Error::ExpectedDimensions { expected: 3, actual: 2 }));
    }
}
