//! The stored form after the varlena length word: `i16` dimensions, `i16` zero, then the elements in native byte order.
//!
//! This is pgvector's layout byte for byte, so that a table written by one is read by the other.

use super::Element;
use crate::{Error, view, view_mut};

/// Bytes before the first element: dimensions and the unused word.
const HEADER: usize = 4;

/// The length of a value of `dim` dimensions.
pub fn size<E: Element>(dim: usize) -> usize {
    HEADER + dim * size_of::<E>()
}

/// See a stored value's elements; fails where the length is not what the header asks for.
#[inline]
pub fn elements<E: Element>(bytes: &[u8]) -> Result<&[E], Error> {
    let (dim, rest) = bytes.split_first_chunk::<2>().ok_or(Error::Length)?;
    let elements = view::<E>(rest.get(2..).ok_or(Error::Length)?).ok_or(Error::Length)?;
    if usize::from(u16::from_ne_bytes(*dim)) == elements.len() { Ok(elements) } else { Err(Error::Length) }
}

/// The elements of two stored values of the same dimensions; `None` of any others, and where either is not whole.
#[inline(always)]
pub fn pair<'a, E: Element>(left: &'a [u8], right: &'a [u8]) -> Option<(&'a [E], &'a [E])> {
    // No test that another one contains: they are a good part of the time of a short distance.
    if left.len() != right.len() || left.len() < HEADER {
        return None;
    }
    // SAFETY: both are as long as the header at least, whose first word need not be aligned.
    let (dim, other) =
        unsafe { (left.as_ptr().cast::<u16>().read_unaligned(), right.as_ptr().cast::<u16>().read_unaligned()) };
    if left.len() != HEADER + usize::from(dim) * size_of::<E>() || dim != other {
        return None;
    }
    // Out of the length and not the header: what is known of it is then known of the count.
    let count = (left.len() - HEADER) / size_of::<E>();
    // SAFETY: both are longer than the header, or as long.
    let (left, right) = unsafe { (left.as_ptr().add(HEADER), right.as_ptr().add(HEADER)) };
    // One by one, for so the callers that know their addresses know this.
    if !left.addr().is_multiple_of(align_of::<E>()) || !right.addr().is_multiple_of(align_of::<E>()) {
        return None;
    }
    // SAFETY: both have `count` elements behind the header, aligned, and every pattern of bits is an element.
    unsafe { Some((std::slice::from_raw_parts(left.cast(), count), std::slice::from_raw_parts(right.cast(), count))) }
}

/// A stored value's elements, to change them in place.
pub fn elements_mut<E: Element>(bytes: &mut [u8]) -> Result<&mut [E], Error> {
    elements::<E>(bytes)?;
    view_mut(bytes.get_mut(HEADER..).ok_or(Error::Length)?).ok_or(Error::Length)
}

/// Write the header of a value that fills `bytes` ([`size`]), and give its elements to be written.
pub fn begin<E: Element>(bytes: &mut [u8]) -> Result<&mut [E], Error> {
    let (header, rest) = bytes.split_first_chunk_mut::<HEADER>().ok_or(Error::Length)?;
    let elements = view_mut::<E>(rest).ok_or(Error::Length)?;
    E::KIND.check_dim(elements.len())?;
    let [low, high] = u16::try_from(elements.len()).map_err(|_| Error::Length)?.to_ne_bytes();
    *header = [low, high, 0, 0];
    Ok(elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    /// Eight-byte words, for their alignment.
    fn bytes(words: &mut [u64], length: usize) -> &mut [u8] {
        &mut view_mut_words(words)[..length]
    }

    fn view_mut_words(words: &mut [u64]) -> &mut [u8] {
        // SAFETY: every byte of a word may be seen and changed.
        unsafe { words.align_to_mut::<u8>().1 }
    }

    #[test]
    fn claimed_dimensions_are_checked_against_the_length() {
        let mut words = [0; 4];
        let stored = bytes(&mut words, size::<f32>(3));
        begin::<f32>(stored).expect("three dimensions are fine").copy_from_slice(&[1.0, 2.0, 3.0]);
        assert_eq!(stored[..8], [3, 0, 0, 0, 0, 0, 0x80, 0x3f], "pgvector's bytes, on a little-endian machine");
        assert_eq!(elements(stored), Ok(&[1.0f32, 2.0, 3.0][..]));
        assert_eq!(elements::<u16>(stored), Err(Error::Length));
        (0..stored.len()).for_each(|end| assert!(elements::<f32>(&stored[..end]).is_err()));
        elements_mut::<f32>(stored).expect("the same")[2] = 4.0;
        assert_eq!(elements(stored), Ok(&[1.0f32, 2.0, 4.0][..]));
    }

    #[test]
    fn pairs_are_those_of_equal_dimensions() {
        let (mut one, mut two) = ([0; 4], [0; 4]);
        let one = bytes(&mut one, size::<f32>(3));
        begin::<f32>(one).expect("three dimensions are fine").copy_from_slice(&[1.0, 2.0, 3.0]);
        let two = bytes(&mut two, size::<f32>(3));
        begin::<f32>(two).expect("three dimensions are fine").copy_from_slice(&[4.0, 5.0, 6.0]);
        assert_eq!(pair(one, two), Some((&[1.0f32, 2.0, 3.0][..], &[4.0f32, 5.0, 6.0][..])));
        assert_eq!(pair::<u16>(one, two), None);
        for end in 0..two.len() {
            assert_eq!(pair::<f32>(one, &two[..end]), None);
            assert_eq!(pair::<f32>(&one[..end], two), None);
            assert_eq!(pair::<f32>(&one[..end], &two[..end]), None);
        }
        // Another number of dimensions in the header, on either side, and an address that is not aligned.
        two[0] = 2;
        assert_eq!(pair::<f32>(one, two), None);
        assert_eq!(pair::<f32>(two, one), None);
        let mut shifted = [0; 5];
        let shifted = &mut view_mut_words(&mut shifted)[1..17];
        shifted.copy_from_slice(one);
        assert_eq!(pair::<f32>(one, shifted), None);
        assert_eq!(pair::<f32>(shifted, one), None);
    }

    #[test]
    fn limits_are_kept() {
        let mut words = [0; 4_001];
        assert_eq!(begin::<u16>(bytes(&mut words, 4)), Err(Error::NoDimensions(Kind::Halfvec)));
        let long = bytes(&mut words, size::<u16>(16_001));
        assert_eq!(begin::<u16>(long), Err(Error::TooManyDimensions(Kind::Halfvec)));
        assert!(begin::<u16>(bytes(&mut words, size::<u16>(16_000))).is_ok());
    }
}
