//! Casts: to another declaration, from arrays of numbers and sparse vectors, to `real[]`, and to one another.

use super::{Dense, build};
use crate::pg::args::Args;
use crate::pg::array;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::types::sparsevec;
use vw_vector::check_expected_dim;
use vw_vector::dense::{Element, check_elements, convert};
use vw_vector::sparse::convert::to_dense;

/// Check a value against the dimensions of its column, and hand it back as it was passed.
pub fn declared<E: Element>(args: &Args) -> Result<Value> {
    check_expected_dim(args.typmod(1)?, Dense::<E>::argument(args, 0)?.elements()?.len())?;
    args.value(0)
}

/// Make a value of an array of integer, real, double precision or numeric.
pub fn from_array<E: Element>(args: &Args) -> Result<Value> {
    let array = args.array(0)?;
    let dim = array.check_list()?;
    E::KIND.check_dim(dim)?;
    check_expected_dim(args.typmod(1)?, dim)?;
    let numbers = array.to_f32s()?;
    build(dim, |out| {
        convert(&numbers, out)?;
        check_elements::<E>(out)
    })
}

/// Make a `real[]`.
pub fn to_array<E: Element>(args: &Args) -> Result<Value> {
    let value = Dense::<E>::argument(args, 0)?;
    let elements = value.elements()?;
    array::build_f32s(elements.len(), |out| {
        E::widen(elements, out);
        Ok(())
    })
}

/// Make a `vector` of a `halfvec`.
pub fn widen<E: Element>(args: &Args) -> Result<Value> {
    let value = Dense::<E>::argument(args, 0)?;
    let elements = value.elements()?;
    check_expected_dim(args.typmod(1)?, elements.len())?;
    build(elements.len(), |out| {
        E::widen(elements, out);
        Ok(())
    })
}

/// Make a value of a `vector`; a number that does not fit is an error.
pub fn from_vector<E: Element>(args: &Args) -> Result<Value> {
    let value = Dense::<f32>::argument(args, 0)?;
    let numbers = value.elements()?;
    check_expected_dim(args.typmod(1)?, numbers.len())?;
    build(numbers.len(), |out| convert::<E>(numbers, out))
}

/// Make a value of a `sparsevec`.
pub fn from_sparse<E: Element>(args: &Args) -> Result<Value> {
    let value = sparsevec::argument(args, 0)?;
    let sparse = value.view()?;
    E::KIND.check_dim(sparse.dim)?;
    check_expected_dim(args.typmod(1)?, sparse.dim)?;
    build(sparse.dim, |out| to_dense::<E>(sparse, out))
}

/// Make a `sparsevec`.
pub fn to_sparse<E: Element>(args: &Args) -> Result<Value> {
    let value = Dense::<E>::argument(args, 0)?;
    let elements = value.elements()?;
    check_expected_dim(args.typmod(1)?, elements.len())?;
    let mut numbers = vec![0.0; elements.len()];
    E::widen(elements, &mut numbers);
    sparsevec::value_of(sparsevec::listed(&numbers)?.view())
}
