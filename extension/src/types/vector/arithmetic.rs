//! Arithmetic on vectors and what can be asked of one.

use super::{argument, value_of};
use crate::pg::args::Args;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;
use vw_vector::{Error, arith};

pg_functions! {
    /// Add.
    fn vector_add(args) { combine(args, arith::add) }

    /// Subtract.
    fn vector_sub(args) { combine(args, arith::sub) }

    /// Multiply element by element.
    fn vector_mul(args) { combine(args, arith::mul) }

    /// Append the second to the first.
    fn vector_concat(args) { combine(args, arith::concat) }

    /// Count dimensions.
    fn vector_dims(args) { Result::Ok(argument(args, 0)?.components()?.len() as i32) }

    /// Give the Euclidean length.
    fn vector_norm(args) { Result::Ok(arith::norm(argument(args, 0)?.components()?)) }

    /// Scale to length one.
    fn l2_normalize(args) { value_of(&arith::l2_normalize(argument(args, 0)?.components()?)?) }

    /// Cut out elements, counted from one.
    fn subvector(args) {
        value_of(&arith::subvector(argument(args, 0)?.components()?, args.i32(1)?, args.i32(2)?)?)
    }
}

/// A binary operation of vw-vector.
type Operation = fn(&[f32], &[f32]) -> std::result::Result<Vec<f32>, Error>;

/// Apply a binary operation to the arguments.
fn combine(args: &Args, operation: Operation) -> Result<Value> {
    let (left, right) = (argument(args, 0)?, argument(args, 1)?);
    value_of(&operation(left.components()?, right.components()?)?)
}
