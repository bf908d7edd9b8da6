//! The stored form after the varlena length word: `i16` dimensions, `i16` zero, native `f32`s.
//!
//! This is pgvector's layout byte for byte, so that a table written by one is read by the other.

use crate::{Error, check_dim};

/// Bytes before the first element: dimensions and the unused word.
pub const HEADER: usize = 4;

/// Build the stored form of `values` (1 to 16,000 of them).
pub fn build(values: &[f32]) -> Result<Vec<u8>, Error> {
    check_dim(values.len())?;
    let dim = u16::try_from(values.len()).map_err(|_| Error::TooManyDimensions)?;
    let mut out = Vec::with_capacity(HEADER + values.len() * 4);
    out.extend_from_slice(&dim.to_ne_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend(values.iter().flat_map(|value| value.to_ne_bytes()));
    Ok(out)
}

/// Read the dimensions that a stored value claims, and check that its elements are all there.
pub fn dimensions(bytes: &[u8]) -> Result<usize, Error> {
    let (dim, rest) = bytes.split_first_chunk::<2>().ok_or(Error::Length)?;
    let dim = usize::try_from(i16::from_ne_bytes(*dim)).map_err(|_| Error::Length)?;
    check_dim(dim)?;
    if rest.len() != 2 + dim * 4 {
        return Err(Error::Length);
    }
    Ok(dim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claimed_dimensions_are_checked_against_the_length() {
        let bytes = build(&[1.0, 2.0, 3.0]).expect("three dimensions are fine");
        assert_eq!(dimensions(&bytes), Ok(3));
        (0..bytes.len()).for_each(|end| assert!(dimensions(&bytes[..end]).is_err()));
        assert_eq!(build(&[]), Err(Error::NoDimensions));
    }
}
