//! The binary form: `i16` dimensions, `i16` zero, then the elements, all big endian.

use super::Element;
use crate::{Error, Message, check_expected_dim};

/// Write the binary form.
pub fn send<E: Element>(values: &[E]) -> Vec<u8> {
    let dim = u16::try_from(values.len()).unwrap_or(u16::MAX);
    let mut out = Vec::with_capacity(4 + size_of_val(values));
    out.extend_from_slice(&dim.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    values.iter().for_each(|value| value.put(&mut out));
    out
}

/// Read the binary form; fails on a message that is too short, NaN, infinities and wrong dimensions.
pub fn receive<E: Element>(message: &mut Message, typmod: i32) -> Result<Vec<E>, Error> {
    let dim = usize::from(message.u16()?);
    let unused = message.u16()?;
    E::KIND.check_dim(dim)?;
    check_expected_dim(typmod, dim)?;
    if unused != 0 {
        return Err(Error::Unused(unused.into()));
    }
    let mut values = Vec::with_capacity(dim);
    for _ in 0..dim {
        let value = E::take(message)?;
        E::KIND.check_element(value.to_f32())?;
        values.push(value);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;
    use crate::testing::Random;

    fn receive_all<E: Element>(bytes: &[u8], typmod: i32) -> Result<Vec<E>, Error> {
        receive(&mut Message::new(bytes), typmod)
    }

    #[test]
    fn round_trip_is_exact() {
        let mut random = Random::new(3);
        for _ in 0..10_000 {
            let count = 1 + random.below(9);
            let values = random.any_floats(count);
            let read = receive_all::<f32>(&send(&values), -1).expect("own bytes are read");
            assert!(read.iter().zip(&values).all(|(left, right)| left.to_bits() == right.to_bits()));
            let halves: Vec<u16> = values.iter().map(|value| u16::round(value % 65504.0)).collect();
            assert_eq!(receive_all::<u16>(&send(&halves), -1), Ok(halves));
        }
    }

    #[test]
    fn bytes_are_pgvectors() {
        assert_eq!(send(&[1.0f32, -2.5]), [0, 2, 0, 0, 0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0]);
        assert_eq!(send(&[0x3c00u16, 0xc100]), [0, 2, 0, 0, 0x3c, 0, 0xc1, 0]);
    }

    #[test]
    fn bad_bytes_are_refused() {
        let good = send(&[1.0f32, 2.0]);
        (0..good.len()).for_each(|end| assert_eq!(receive_all::<f32>(&good[..end], -1), Err(Error::ShortMessage)));
        let longer = [good.as_slice(), &[0]].concat();
        let mut message = Message::new(&longer);
        assert!(receive::<f32>(&mut message, -1).is_ok(), "what follows is the caller's to refuse");
        assert_eq!(message.left(), 1);
        assert_eq!(receive_all::<f32>(&[0, 1, 0, 7, 0, 0, 0, 0], -1), Err(Error::Unused(7)));
        assert_eq!(receive_all::<f32>(&[0xff, 0xff, 0, 0], -1), Err(Error::TooManyDimensions(Kind::Vector)));
        assert_eq!(receive_all::<u16>(&[0, 0, 0, 0], -1), Err(Error::NoDimensions(Kind::Halfvec)));
        assert_eq!(receive_all::<f32>(&send(&[f32::NAN]), -1), Err(Error::Nan(Kind::Vector)));
        assert_eq!(receive_all::<u16>(&send(&[0x7c00u16]), -1), Err(Error::Infinite(Kind::Halfvec)));
        assert_eq!(receive_all::<f32>(&good, 3), Err(Error::ExpectedDimensions { expected: 3, actual: 2 }));
    }
}
