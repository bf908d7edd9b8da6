//! `bit` strings: PostgreSQL's stored form (`i32` length in bits, then the bits, the first one highest) and distances.

use crate::Error;
use crate::kernel::Sums;

/// Bytes before the first bit: the length.
const HEADER: usize = 4;

/// A bit string in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits<'a> {
    length: usize,
    bytes: &'a [u8],
}

/// The length of a stored value of `length` bits.
pub fn size(length: usize) -> usize {
    HEADER + length.div_ceil(8)
}

/// Write the header of a value of `length` bits that fills `bytes` ([`size`]), and give the bytes of its bits.
pub fn begin(bytes: &mut [u8], length: usize) -> Result<&mut [u8], Error> {
    let (header, bits) = bytes.split_first_chunk_mut::<HEADER>().ok_or(Error::Length)?;
    *header = i32::try_from(length).map_err(|_| Error::Length)?.to_ne_bytes();
    if bits.len() == length.div_ceil(8) { Ok(bits) } else { Err(Error::Length) }
}

impl<'a> Bits<'a> {
    /// See a stored value; fails where the length is not what the header asks for.
    #[inline]
    pub fn stored(bytes: &'a [u8]) -> Result<Self, Error> {
        let (length, bytes) = bytes.split_first_chunk::<HEADER>().ok_or(Error::Length)?;
        let length = usize::try_from(i32::from_ne_bytes(*length)).map_err(|_| Error::Length)?;
        if bytes.len() == length.div_ceil(8) { Ok(Bits { length, bytes }) } else { Err(Error::Length) }
    }

    /// See two stored values of the same length; `None` of any others, and where either is not whole.
    #[inline(always)]
    pub fn pair(left: &'a [u8], right: &'a [u8]) -> Option<(Self, Self)> {
        // No test that another one contains: they are a good part of the time of a short distance.
        if left.len() != right.len() {
            return None;
        }
        let (head, left) = left.split_first_chunk::<HEADER>()?;
        let (other, right) = right.split_first_chunk::<HEADER>()?;
        let length = usize::try_from(i32::from_ne_bytes(*head)).ok()?;
        let whole = head == other && left.len() == length.div_ceil(8);
        whole.then_some((Bits { length, bytes: left }, Bits { length, bytes: right }))
    }

    /// How many bits there are.
    #[inline]
    pub fn length(self) -> usize {
        self.length
    }

    /// Check that two strings can be taken bit by bit.
    pub fn check_same_length(self, other: Bits) -> Result<(), Error> {
        if self.length == other.length { Ok(()) } else { Err(Error::DifferentLengths(self.length, other.length)) }
    }
}

/// How many bits differ, of strings of equal length.
#[inline(always)]
pub fn hamming(sums: impl Sums, left: Bits, right: Bits) -> f64 {
    sums.bits_hamming(left.bytes, right.bytes) as f64
}

/// One minus the share of the bits set in either that are set in both; 1 where none is.
#[inline(always)]
pub fn jaccard(sums: impl Sums, left: Bits, right: Bits) -> f64 {
    match sums.bits_jaccard(left.bytes, right.bytes) {
        (0, _) => 1.0,
        (both, either) => 1.0 - both as f64 / either as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Best;

    fn stored(bits: &str) -> Vec<u8> {
        let mut bytes = vec![0; size(bits.len())];
        let out = begin(&mut bytes, bits.len()).expect("the size is right");
        bits.bytes().enumerate().for_each(|(at, bit)| out[at / 8] |= (bit - b'0') << (7 - at % 8));
        bytes
    }

    fn measure(distance: fn(Best, Bits, Bits) -> f64, left: &str, right: &str) -> f64 {
        let (left, right) = (stored(left), stored(right));
        distance(Best, Bits::stored(&left).expect("stored"), Bits::stored(&right).expect("stored"))
    }

    #[test]
    fn distances_count_bits() {
        assert_eq!(measure(hamming, "111", "100"), 2.0);
        assert_eq!(measure(hamming, "", ""), 0.0);
        assert_eq!(measure(hamming, &"10".repeat(500), &"01".repeat(500)), 1000.0);
        assert_eq!(measure(jaccard, "1111", "1110"), 0.25);
        assert_eq!(measure(jaccard, "1111", "0000"), 1.0);
        assert_eq!(measure(jaccard, "", ""), 1.0);
    }

    #[test]
    fn claimed_lengths_are_checked() {
        let bytes = stored("101010101");
        assert_eq!(Bits::stored(&bytes).map(Bits::length), Ok(9));
        (0..bytes.len()).for_each(|end| assert_eq!(Bits::stored(&bytes[..end]), Err(Error::Length)));
        assert_eq!(Bits::pair(&bytes, &bytes).map(|(left, right)| (left.length(), right.length())), Some((9, 9)));
        (0..bytes.len()).for_each(|end| assert_eq!(Bits::pair(&bytes[..end], &bytes[..end]), None));
        (0..bytes.len()).for_each(|end| assert_eq!(Bits::pair(&bytes, &bytes[..end]), None));
        assert_eq!(Bits::pair(&bytes, &stored("1010101011")), None, "as many bytes, another length");
        let (left, right) = (stored("1"), stored("10"));
        let (left, right) = (Bits::stored(&left).expect("stored"), Bits::stored(&right).expect("stored"));
        assert_eq!(left.check_same_length(right), Err(Error::DifferentLengths(1, 2)));
    }
}
