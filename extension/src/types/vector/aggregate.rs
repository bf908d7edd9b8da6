//! `avg`: the state is `{count, sum of each dimension...}` in double precision, as pgvector's.
//! `sum` needs nothing of its own: it is `vector_add`.

use super::{argument, value_of};
use crate::pg::aggregate::require_aggregate;
use crate::pg::args::Args;
use crate::pg::array;
use crate::pg::datum::Value;
use crate::pg::error::{Fault, Result};
use crate::pg::function::pg_functions;
use vw_vector::{Error, check_element, check_expected_dim};

pg_functions! {
    /// Add a vector to the state.
    fn vector_accum(args) {
        require_aggregate(args, "vector_accum")?;
        let value = argument(args, 1)?;
        let right: Vec<f64> = value.components()?.iter().map(|x| f64::from(*x)).collect();
        merge(state(args, 0)?, (1.0, right))
    }

    /// Add two states.
    fn vector_combine(args) {
        require_aggregate(args, "vector_combine")?;
        merge(state(args, 0)?, state(args, 1)?)
    }

    /// Divide the sums by the count; NULL when nothing was counted.
    fn vector_avg(args) {
        let (count, sums) = state(args, 0)?;
        if count == 0.0 {
            return Result::Ok(None);
        }
        let means: Vec<f32> = sums.iter().map(|sum| (sum / count) as f32).collect();
        for mean in &means {
            check_element(*mean)?;
        }
        value_of(&means).map(Some)
    }
}

/// Read a state: the count, and the sums.
fn state(args: &Args, index: usize) -> Result<(f64, Vec<f64>)> {
    let mut values = args.array(index)?.to_f64s()?.into_iter();
    let count = values.next().ok_or_else(|| Fault::internal("vector state is empty"))?;
    Ok((count, values.collect()))
}

/// Add two states; an empty one leaves the other as it is.
fn merge(left: (f64, Vec<f64>), right: (f64, Vec<f64>)) -> Result<Value> {
    let (count, sums) = match (left, right) {
        (empty, right) if empty.0 == 0.0 => right,
        (left, empty) if empty.0 == 0.0 => left,
        ((left_count, left), (right_count, right)) => {
            check_expected_dim(left.len() as i32, right.len())?;
            let sums: Vec<f64> = left.iter().zip(&right).map(|(l, r)| l + r).collect();
            if sums.iter().any(|sum| sum.is_infinite()) {
                return Err(Error::Overflow.into());
            }
            (left_count + right_count, sums)
        }
    };
    Ok(array::from_f64s(std::iter::once(count).chain(sums)))
}
