//! What `vector` and `halfvec` share: their Datum form and the bodies of their functions, over either element.
//! Which C function has which body is in `vector.rs` and `halfvec.rs`.

pub mod aggregate;
pub mod arithmetic;
pub mod cast;
pub mod io;

use crate::pg::args::Args;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::pg::varlena::{self, Varlena};
use std::cmp::Ordering;
use std::marker::PhantomData;
use vw_vector::Error;
use vw_vector::dense::{Element, order, stored};
use vw_vector::kernel::Best;

/// An argument, detoasted.
pub struct Dense<'a, E> {
    value: Varlena<'a>,
    element: PhantomData<E>,
}

impl<'a, E: Element> Dense<'a, E> {
    /// Read an argument of the type that `E` makes.
    #[inline(always)]
    pub fn argument(args: &'a Args, index: usize) -> Result<Self> {
        Ok(Dense { value: args.varlena(index)?, element: PhantomData })
    }

    /// The elements, in place.
    #[inline(always)]
    pub fn elements(&self) -> Result<&[E]> {
        Ok(stored::elements(self.value.bytes())?)
    }
}

/// Make a value of `dim` dimensions whose elements, zeros at first, `fill` writes.
pub fn build<E: Element>(dim: usize, fill: impl FnOnce(&mut [E]) -> std::result::Result<(), Error>) -> Result<Value> {
    E::KIND.check_dim(dim)?;
    varlena::build(stored::size::<E>(dim), |bytes| Ok(fill(stored::begin(bytes)?)?))
}

/// Make a value of elements that were checked before.
pub fn value_of<E: Element>(elements: &[E]) -> Result<Value> {
    build(elements.len(), |out| {
        out.copy_from_slice(elements);
        Ok(())
    })
}

/// Define C functions by the body that each has: `module::body = c_function`.
macro_rules! dense_functions {
    ($element:ty: $($module:ident::$body:ident = $name:ident),+ $(,)?) => {
        $crate::pg::function::pg_functions! {
            $(fn $name(args) { $crate::types::dense::$module::$body::<$element>(args) })+
        }
    };
}

/// Define the distances: `distance = c_function`.
macro_rules! dense_distances {
    ($element:ty: $($distance:ident = $name:ident),+ $(,)?) => {
        $crate::pg::fast::fast_functions! {
            $(fn $name(args) by flat_pair($crate::pg::fast::LONG) |sums, left, right| $crate::types::dense::plain(
                left, right, |left: &[$element], right: &[$element]| {
                    vw_vector::dense::distance::$distance(sums, left, right)
                },
            ), else {
                $crate::types::dense::measure(args, vw_vector::dense::distance::$distance::<$element>)
            })+
        }
    };
}

pub(super) use {dense_distances, dense_functions};

/// Measure two stored values; `None` where either is not whole or they have other dimensions.
#[inline(always)]
pub fn plain<E: Element>(left: &[u8], right: &[u8], distance: impl Fn(&[E], &[E]) -> f64) -> Option<f64> {
    stored::pair(left, right).map(|(left, right)| distance(left, right))
}

/// Measure the two arguments, which must have the same dimensions.
#[inline]
pub fn measure<E: Element>(args: &Args, distance: impl Fn(Best, &[E], &[E]) -> f64) -> Result<f64> {
    let (left, right) = (Dense::argument(args, 0)?, Dense::argument(args, 1)?);
    let (left, right) = (left.elements()?, right.elements()?);
    E::KIND.check_same_dim(left.len(), right.len())?;
    Ok(distance(Best, left, right))
}

/// Order the two arguments.
#[inline]
pub fn compare<E: Element>(args: &Args) -> Result<Ordering> {
    let (left, right) = (Dense::<E>::argument(args, 0)?, Dense::<E>::argument(args, 1)?);
    Ok(order::compare(left.elements()?, right.elements()?))
}

/// Hash the first argument.
pub fn hash<E: Element>(args: &Args, seed: u64) -> Result<u64> {
    Ok(order::hash(Dense::<E>::argument(args, 0)?.elements()?, seed))
}
