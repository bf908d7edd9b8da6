//! The stored form after the varlena length word: `i32` dimensions, elements and zero, then the `i32` indices, then
//! the `f32` elements, all in native byte order. This is pgvector's layout byte for byte.

use super::Sparse;
use crate::{Error, view, view_mut};

/// Bytes before the first index.
const HEADER: usize = 12;

/// The length of a value that lists `count` elements.
pub fn size(count: usize) -> usize {
    HEADER + count * 8
}

/// Write a value into `bytes`, which it fills ([`size`]).
pub fn write(value: Sparse, bytes: &mut [u8]) -> Result<(), Error> {
    let (header, rest) = bytes.split_at_mut_checked(HEADER).ok_or(Error::Length)?;
    let count = value.values.len();
    if value.indices.len() != count || rest.len() != count * 8 {
        return Err(Error::Length);
    }
    let header = view_mut::<i32>(header).ok_or(Error::Length)?;
    header.copy_from_slice(&[value.dim as i32, count as i32, 0]);
    let (indices, values) = rest.split_at_mut_checked(count * 4).ok_or(Error::Length)?;
    view_mut(indices).ok_or(Error::Length)?.copy_from_slice(value.indices);
    view_mut(values).ok_or(Error::Length)?.copy_from_slice(value.values);
    Ok(())
}

/// The dimensions of a stored value, and how many elements it lists; `None` where the length is not what the header
/// asks for, or the address is not aligned.
#[inline(always)]
fn header(bytes: &[u8]) -> Option<(i32, usize)> {
    let (head, _) = bytes.split_first_chunk::<HEADER>()?;
    let [dim, count, _] = *view::<i32>(head)? else { return None };
    let whole = bytes.len() as i64 == HEADER as i64 + i64::from(count) * 8;
    (whole && dim >= 0).then_some((dim, count as usize))
}

/// See a stored value; fails where the length is not what the header asks for.
#[inline(always)]
pub fn read(bytes: &[u8]) -> Result<Sparse<'_>, Error> {
    let (dim, count) = header(bytes).ok_or(Error::Length)?;
    // SAFETY: behind the header, which is aligned, are `count` words of each kind, and every pattern of bits is one.
    let (indices, values) = unsafe {
        let start = bytes.as_ptr().add(HEADER);
        (
            std::slice::from_raw_parts(start.cast(), count),
            std::slice::from_raw_parts(start.add(count * 4).cast(), count),
        )
    };
    Ok(Sparse { dim: dim as usize, indices, values })
}

#[cfg(test)]
mod tests {
    use super::super::tests::sparse;
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut words = [0i32; 7];
        // SAFETY: every byte of a word may be seen and changed.
        let bytes = unsafe { words.align_to_mut::<u8>().1 };
        let value = sparse(9, &[(1, 1.5), (8, -2.0)]);
        assert_eq!(size(2), bytes.len());
        write(value.view(), bytes).expect("the size is right");
        assert_eq!(read(bytes), Ok(value.view()));
        (0..bytes.len()).for_each(|end| assert_eq!(read(&bytes[..end]), Err(Error::Length)));
        assert_eq!(words, [9, 2, 0, 1, 8, 1.5f32.to_bits() as i32, (-2f32).to_bits() as i32]);
    }
}
