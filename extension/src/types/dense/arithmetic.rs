//! Arithmetic and what can be asked of one value.

use super::{Dense, build, value_of};
use crate::pg::aggregate::State;
use crate::pg::args::Args;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::pg::varlena;
use vw_vector::dense::{Element, arith, stored};
use vw_vector::{Error, bits};

/// Add; as the transition function of `sum`, to the state itself.
pub fn add<E: Element>(args: &Args) -> Result<Value> {
    let Some(mut state) = State::of(args) else { return combine::<E>(args, arith::add) };
    arith::add(stored::elements_mut::<E>(state.bytes())?, Dense::argument(args, 1)?.elements()?)?;
    Ok(state.into_value())
}

/// Subtract.
pub fn sub<E: Element>(args: &Args) -> Result<Value> {
    combine::<E>(args, arith::sub)
}

/// Multiply element by element.
pub fn mul<E: Element>(args: &Args) -> Result<Value> {
    combine::<E>(args, arith::mul)
}

/// Apply an operation to a copy of the first argument, and the second.
fn combine<E: Element>(args: &Args, operation: fn(&mut [E], &[E]) -> std::result::Result<(), Error>) -> Result<Value> {
    let (left, right) = (Dense::argument(args, 0)?, Dense::argument(args, 1)?);
    let (left, right) = (left.elements()?, right.elements()?);
    build(left.len(), |out| {
        out.copy_from_slice(left);
        operation(out, right)
    })
}

/// Append the second to the first.
pub fn concat<E: Element>(args: &Args) -> Result<Value> {
    let (left, right) = (Dense::<E>::argument(args, 0)?, Dense::<E>::argument(args, 1)?);
    let (left, right) = (left.elements()?, right.elements()?);
    build(left.len() + right.len(), |out: &mut [E]| {
        let (head, tail) = out.split_at_mut_checked(left.len()).ok_or(Error::Length)?;
        head.copy_from_slice(left);
        tail.copy_from_slice(right);
        Ok(())
    })
}

/// Count dimensions.
pub fn dims<E: Element>(args: &Args) -> Result<i32> {
    Ok(Dense::<E>::argument(args, 0)?.elements()?.len() as i32)
}

/// Give the Euclidean length.
pub fn norm<E: Element>(args: &Args) -> Result<f64> {
    Ok(arith::norm(Dense::<E>::argument(args, 0)?.elements()?))
}

/// Scale to length one.
pub fn normalize<E: Element>(args: &Args) -> Result<Value> {
    let value = Dense::<E>::argument(args, 0)?;
    let elements = value.elements()?;
    build(elements.len(), |out| {
        out.copy_from_slice(elements);
        arith::normalize(out)
    })
}

/// Cut out elements, counted from one.
pub fn part<E: Element>(args: &Args) -> Result<Value> {
    let value = Dense::<E>::argument(args, 0)?;
    let elements = value.elements()?;
    let range = arith::part(E::KIND, elements.len(), args.i32(1)?, args.i32(2)?)?;
    value_of(elements.get(range).unwrap_or_default())
}

/// Keep one bit an element: whether it is positive.
pub fn quantize<E: Element>(args: &Args) -> Result<Value> {
    let value = Dense::<E>::argument(args, 0)?;
    let elements = value.elements()?;
    varlena::build(bits::size(elements.len()), |out| {
        arith::quantize(elements, bits::begin(out, elements.len())?);
        Ok(())
    })
}
