//! Between sparse and dense vectors, and scaling to length one.

use super::{Sparse, SparseBuf, check_count};
use crate::dense::{Element, arith};
use crate::{Error, Kind};

/// List the elements of a dense vector that are not zero; NaN and infinities are listed too.
pub fn from_dense(values: &[f32]) -> Result<SparseBuf, Error> {
    let dim = values.len();
    Kind::Sparsevec.check_dim(dim)?;
    let count = values.iter().filter(|value| **value != 0.0).count();
    check_count(count, dim)?;
    let mut out = SparseBuf { dim, indices: vec![0; count], values: vec![0.0; count] };
    let mut at = 0;
    for (index, value) in (0..).zip(values) {
        // A zero is written too, but the next element takes its place.
        if let (Some(place), Some(element)) = (out.indices.get_mut(at), out.values.get_mut(at)) {
            (*place, *element) = (index, *value);
        }
        at += usize::from(*value != 0.0);
    }
    Ok(out)
}

/// Write into zeros: `out` is as long as the vector has dimensions.
pub fn to_dense<E: Element>(value: Sparse, out: &mut [E]) -> Result<(), Error> {
    for (index, element) in value.iter() {
        let place = usize::try_from(index).ok().and_then(|index| out.get_mut(index));
        *place.ok_or(Error::IndexOutOfBounds)? = E::fit(element)?;
    }
    Ok(())
}

/// Divide by the length; the zero vector stays as it is, and elements that vanish are left out.
pub fn normalize(value: Sparse) -> Result<SparseBuf, Error> {
    let mut scaled = value.values.to_vec();
    arith::normalize(&mut scaled)?;
    let mut out = SparseBuf::with_capacity(value.dim, scaled.len());
    let left = value.indices.iter().zip(scaled).filter(|(_, element)| *element != 0.0);
    left.for_each(|(index, element)| out.push(*index, element));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::tests::sparse;
    use super::*;

    #[test]
    fn what_vanishes_is_left_out() {
        let value = sparse(9, &[(1, 3e37), (3, 3e-37), (5, 4e37), (7, 4e-37)]);
        assert_eq!(normalize(value.view()), Ok(sparse(9, &[(1, 0.6), (5, 0.8)])));
        assert_eq!(normalize(sparse(2, &[]).view()), Ok(sparse(2, &[])));
    }

    #[test]
    fn limits_are_kept() {
        assert_eq!(from_dense(&[]), Err(Error::NoDimensions(Kind::Sparsevec)));
        assert_eq!(from_dense(&vec![1.0; 16_001]), Err(Error::TooManyElements));
        assert_eq!(from_dense(&[0.0, 2.0, -0.0]), Ok(sparse(3, &[(1, 2.0)])));
        assert_eq!(to_dense(sparse(3, &[(3, 1.0)]).view(), &mut [0.0f32; 3]), Err(Error::IndexOutOfBounds));
        let great = sparse(1, &[(0, 65520.0)]);
        let refused = Error::NumberOutOfRange(Kind::Halfvec, 65520.0);
        assert_eq!(to_dense(great.view(), &mut [0u16]), Err(refused));
    }
}
