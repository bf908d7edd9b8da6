//! The binary form: `i32` dimensions, elements and zero, then the indices, then the elements, all big endian.

use super::{Sparse, SparseBuf, check_count, check_dim, check_index};
use crate::{Error, Kind, Message, check_expected_dim};

/// Write the binary form.
pub fn send(value: Sparse) -> Vec<u8> {
    let mut out = Vec::with_capacity(12 + value.values.len() * 8);
    for word in [value.dim as i32, value.values.len() as i32, 0].iter().chain(value.indices) {
        out.extend_from_slice(&word.to_be_bytes());
    }
    value.values.iter().for_each(|element| out.extend_from_slice(&element.to_be_bytes()));
    out
}

/// Read the binary form; fails on a message that is too short, NaN, infinities, zeros, bad indices, wrong dimensions.
pub fn receive(message: &mut Message, typmod: i32) -> Result<SparseBuf, Error> {
    let (dim, count, unused) = (message.i32()?, message.i32()?, message.i32()?);
    let dim = check_dim(dim)?;
    let count = usize::try_from(count).map_err(|_| Error::NegativeCount)?;
    check_count(count, dim)?;
    check_expected_dim(typmod, dim)?;
    if unused != 0 {
        return Err(Error::Unused(unused));
    }
    let mut value = SparseBuf::with_capacity(dim, count);
    for _ in 0..count {
        let index = message.i32()?;
        check_index(index, value.indices.last().copied(), dim)?;
        value.indices.push(index);
    }
    for _ in 0..count {
        let element = message.f32()?;
        Kind::Sparsevec.check_element(element)?;
        if element == 0.0 {
            return Err(Error::ZeroElement);
        }
        value.values.push(element);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{random, sparse};
    use super::*;
    use crate::testing::Random;

    /// Words of four bytes, the form's only kind.
    fn message(words: &[i32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn error(words: &[i32]) -> Error {
        receive(&mut Message::new(&message(words)), -1).expect_err("a bad message")
    }

    #[test]
    fn round_trip_is_exact() {
        let mut source = Random::new(13);
        for _ in 0..10_000 {
            let dim = 1 + source.below(9);
            let value = random(&mut source, dim);
            assert_eq!(receive(&mut Message::new(&send(value.view())), -1), Ok(value));
        }
    }

    #[test]
    fn bytes_are_pgvectors() {
        let value = sparse(5, &[(0, 1.0), (3, -2.5)]);
        assert_eq!(send(value.view()), message(&[5, 2, 0, 0, 3, 0x3f80_0000, 0xc020_0000_u32 as i32]));
    }

    #[test]
    fn bad_bytes_are_refused() {
        let one = 1f32.to_bits() as i32;
        assert_eq!(error(&[0, 0, 0]), Error::NoDimensions(Kind::Sparsevec));
        assert_eq!(error(&[1_000_000_001, 0, 0]), Error::TooManyDimensions(Kind::Sparsevec));
        assert_eq!(error(&[1, -1, 0]), Error::NegativeCount);
        assert_eq!(error(&[20_000, 16_001, 0]), Error::TooManyElements);
        assert_eq!(error(&[1, 2, 0]), Error::MoreElementsThanDimensions);
        assert_eq!(error(&[1, 0, 3]), Error::Unused(3));
        assert_eq!(error(&[2, 1, 0, 2, one]), Error::IndexOutOfBounds);
        assert_eq!(error(&[2, 1, 0, -1, one]), Error::IndexOutOfBounds);
        assert_eq!(error(&[2, 2, 0, 1, 0, one, one]), Error::IndicesNotAscending);
        assert_eq!(error(&[2, 2, 0, 1, 1, one, one]), Error::DuplicateIndex);
        assert_eq!(error(&[2, 1, 0, 1, 0]), Error::ZeroElement);
        assert_eq!(error(&[2, 1, 0, 1, f32::NAN.to_bits() as i32]), Error::Nan(Kind::Sparsevec));
        assert_eq!(error(&[2, 1, 0, 1, f32::INFINITY.to_bits() as i32]), Error::Infinite(Kind::Sparsevec));
        assert_eq!(error(&[2, 1, 0, 1]), Error::ShortMessage);
        let bytes = message(&[2, 0, 0]);
        let expected = Err(Error::ExpectedDimensions { expected: 3, actual: 2 });
        assert_eq!(receive(&mut Message::new(&bytes), 3), expected);
    }
}
