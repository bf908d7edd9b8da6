//! `sparsevec`: the elements that are not zero, by ascending index.
//!
//! Indices count from 0 here, on disk and on the wire, and from 1 in text.

pub mod convert;
pub mod distance;
pub mod order;
pub mod stored;
pub mod text;
pub mod wire;

use crate::{Error, Kind, MAX_NONZERO};

/// A value in place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparse<'a> {
    pub dim: usize,
    pub indices: &'a [i32],
    pub values: &'a [f32],
}

/// A value of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseBuf {
    pub dim: usize,
    pub indices: Vec<i32>,
    pub values: Vec<f32>,
}

impl SparseBuf {
    /// See it as a value in place.
    pub fn view(&self) -> Sparse<'_> {
        Sparse { dim: self.dim, indices: &self.indices, values: &self.values }
    }

    /// Make room for `count` elements of a value of `dim` dimensions.
    pub fn with_capacity(dim: usize, count: usize) -> Self {
        SparseBuf { dim, indices: Vec::with_capacity(count), values: Vec::with_capacity(count) }
    }

    /// Append an element; its index must be above all others.
    fn push(&mut self, index: i32, value: f32) {
        self.indices.push(index);
        self.values.push(value);
    }
}

impl<'a> Sparse<'a> {
    /// The elements with their indices.
    fn iter(self) -> impl Iterator<Item = (i32, f32)> + 'a {
        self.indices.iter().copied().zip(self.values.iter().copied())
    }
}

/// Check how many elements a value of `dim` dimensions lists.
fn check_count(count: usize, dim: usize) -> Result<(), Error> {
    match count {
        count if count > MAX_NONZERO => Err(Error::TooManyElements),
        count if count > dim => Err(Error::MoreElementsThanDimensions),
        _ => Ok(()),
    }
}

/// Check an index of a value of `dim` dimensions, and that it is above the one before it.
fn check_index(index: i32, before: Option<i32>, dim: usize) -> Result<(), Error> {
    if !usize::try_from(index).is_ok_and(|index| index < dim) {
        return Err(Error::IndexOutOfBounds);
    }
    match before.map(|before| index.cmp(&before)) {
        Some(std::cmp::Ordering::Less) => Err(Error::IndicesNotAscending),
        Some(std::cmp::Ordering::Equal) => Err(Error::DuplicateIndex),
        _ => Ok(()),
    }
}

/// Check a number of dimensions as it was written or sent; 0 and less are too few.
fn check_dim(dim: i32) -> Result<usize, Error> {
    let dim = usize::try_from(dim).unwrap_or(0);
    Kind::Sparsevec.check_dim(dim).map(|()| dim)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::Random;

    /// The value that has these elements.
    pub(crate) fn sparse(dim: usize, elements: &[(i32, f32)]) -> SparseBuf {
        let (indices, values) = elements.iter().copied().unzip();
        SparseBuf { dim, indices, values }
    }

    /// A value of up to `dim` elements, any floats but zeros.
    pub(crate) fn random(random: &mut Random, dim: usize) -> SparseBuf {
        let mut value = SparseBuf::with_capacity(dim, 0);
        for index in 0..dim as i32 {
            let element = random.any_floats(1)[0];
            if random.below(2) == 0 && element != 0.0 {
                value.push(index, element);
            }
        }
        value
    }
}
