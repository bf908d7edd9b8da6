//! Distances, the functions behind `<->`, `<#>`, `<=>` and `<+>`, and the support functions of the indexes.

use super::argument;
use crate::pg::args::Args;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;
use vw_vector::{check_same_dim, distance};

pg_functions! {
    /// Euclidean distance.
    fn l2_distance(args) { between(args, distance::l2) }

    /// Squared Euclidean distance; orders as the distance does.
    fn vector_l2_squared_distance(args) { between(args, distance::l2_squared) }

    /// Inner product.
    fn inner_product(args) { between(args, distance::inner_product) }

    /// Inner product with its sign turned, so that nearer is less.
    fn vector_negative_inner_product(args) { between(args, |a, b| -distance::inner_product(a, b)) }

    /// Cosine distance.
    fn cosine_distance(args) { between(args, distance::cosine) }

    /// Angle between unit vectors.
    fn vector_spherical_distance(args) { between(args, distance::spherical) }

    /// Taxicab distance.
    fn l1_distance(args) { between(args, distance::l1) }
}

/// Measure the two arguments.
fn between(args: &Args, measure: fn(&[f32], &[f32]) -> f64) -> Result<f64> {
    let (left, right) = (argument(args, 0)?, argument(args, 1)?);
    let (left, right) = (left.components()?, right.components()?);
    check_same_dim(left.len(), right.len())?;
    Ok(measure(left, right))
}
