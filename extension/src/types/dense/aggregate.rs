//! `avg`: the state is `{count, sum of each dimension...}` in double precision, as pgvector's, changed in place where
//! the caller is an aggregate node. `sum` needs nothing of its own: it is addition.

use super::{Dense, build};
use crate::pg::aggregate::State;
use crate::pg::args::Args;
use crate::pg::array::{self, Array};
use crate::pg::datum::Value;
use crate::pg::error::Result;
use vw_vector::dense::{Element, aggregate};
use vw_vector::{Error, Kind};

/// Read a state argument of `function`: its count and its sums, of which there are none before the first value.
fn state<'a>(array: &'a Array<'_>, function: &'static str) -> std::result::Result<(f64, &'a [f64]), Error> {
    let numbers = array.f64s().and_then(<[f64]>::split_first);
    numbers.map(|(count, sums)| (*count, sums)).ok_or(Error::State(function))
}

/// Change the state in place, where it is ours and has begun.
fn in_place(args: &Args, change: impl FnOnce(&mut [f64]) -> std::result::Result<(), Error>) -> Result<Option<Value>> {
    let Some(mut own) = State::of(args) else { return Ok(None) };
    match array::f64s_mut(own.bytes()) {
        Some(numbers) if numbers.len() > 1 => change(numbers)?,
        _ => return Ok(None),
    }
    Ok(Some(own.into_value()))
}

/// Make a new state of `sums` and change it.
fn changed(
    count: f64,
    sums: &[f64],
    change: impl FnOnce(&mut [f64]) -> std::result::Result<(), Error>,
) -> Result<Value> {
    array::build_f64s(aggregate::length(sums.len()), |out| {
        out.iter_mut().zip(std::iter::once(&count).chain(sums)).for_each(|(out, number)| *out = *number);
        change(out)
    })
}

/// Add a value to the state, for the function of this name.
fn accumulate<E: Element>(args: &Args, function: &'static str) -> Result<Value> {
    let value = Dense::<E>::argument(args, 1)?;
    let elements = value.elements()?;
    if let Some(state) = in_place(args, |state| aggregate::accumulate(state, elements))? {
        return Ok(state);
    }
    let array = args.array(0)?;
    let (count, sums) = state(&array, function)?;
    if !sums.is_empty() {
        return changed(count, sums, |state| aggregate::accumulate(state, elements));
    }
    array::build_f64s(aggregate::length(elements.len()), |out| {
        aggregate::begin(count, elements, out);
        Ok(())
    })
}

/// Add a `vector` to the state.
pub fn accumulate_vector<E: Element>(args: &Args) -> Result<Value> {
    accumulate::<E>(args, "vector_accum")
}

/// Add a `halfvec` to the state.
pub fn accumulate_halfvec<E: Element>(args: &Args) -> Result<Value> {
    accumulate::<E>(args, "halfvec_accum")
}

/// Add two states, of either type.
pub fn merge(args: &Args) -> Result<Value> {
    const FUNCTION: &str = "vector_combine";
    let (left, right) = (args.array(0)?, args.array(1)?);
    let (left_count, left) = state(&left, FUNCTION)?;
    let (right_count, right_sums) = state(&right, FUNCTION)?;
    let longer = if left.is_empty() { right_sums } else { left };
    if !longer.is_empty() {
        Kind::Vector.check_dim(longer.len())?;
    }
    if left.is_empty() || right_sums.is_empty() {
        return changed(left_count + right_count, longer, |_| Ok(()));
    }
    let add = |state: &mut [f64]| aggregate::merge(state, right.f64s().unwrap_or_default());
    match in_place(args, add)? {
        Some(state) => Ok(state),
        None => changed(left_count, left, |state| aggregate::merge(state, right.f64s().unwrap_or_default())),
    }
}

/// Divide the sums by the count; NULL when nothing was counted.
fn average<E: Element>(args: &Args, function: &'static str) -> Result<Option<Value>> {
    let array = args.array(0)?;
    let (count, sums) = state(&array, function)?;
    if count == 0.0 {
        return Ok(None);
    }
    let numbers = array.f64s().unwrap_or_default();
    build::<E>(sums.len(), |out| aggregate::average(numbers, out)).map(Some)
}

/// The mean of `vector`s.
pub fn average_vector<E: Element>(args: &Args) -> Result<Option<Value>> {
    average::<E>(args, "vector_avg")
}

/// The mean of `halfvec`s.
pub fn average_halfvec<E: Element>(args: &Args) -> Result<Option<Value>> {
    average::<E>(args, "halfvec_avg")
}
