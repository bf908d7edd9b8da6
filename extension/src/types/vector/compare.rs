//! Order and equality, for btree, DISTINCT and GROUP BY.

use super::argument;
use crate::pg::args::Args;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;
use std::cmp::Ordering;
use vw_vector::arith;

pg_functions! {
    /// Less than.
    fn vector_lt(args) { order(args).map(Ordering::is_lt) }

    /// Less than or equal.
    fn vector_le(args) { order(args).map(Ordering::is_le) }

    /// Equal.
    fn vector_eq(args) { order(args).map(Ordering::is_eq) }

    /// Not equal.
    fn vector_ne(args) { order(args).map(Ordering::is_ne) }

    /// Greater than or equal.
    fn vector_ge(args) { order(args).map(Ordering::is_ge) }

    /// Greater than.
    fn vector_gt(args) { order(args).map(Ordering::is_gt) }

    /// Three-way comparison: -1, 0 or 1.
    fn vector_cmp(args) { order(args).map(|order| order as i32) }
}

fn order(args: &Args) -> Result<Ordering> {
    let (left, right) = (argument(args, 0)?, argument(args, 1)?);
    Ok(arith::compare(left.components()?, right.components()?))
}
