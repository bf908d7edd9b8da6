//! Distances between `bit` strings, the functions behind `<~>` and `<%>`. The type itself is the server's.

use crate::pg::args::Args;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;
use vw_vector::bits::{self, Bits};

pg_functions! {
    /// The number of bits that differ.
    fn hamming_distance(args) { measure(args, bits::hamming) }

    /// One minus the share of bits set in either string that are set in both.
    fn jaccard_distance(args) { measure(args, bits::jaccard) }
}

/// Measure the two arguments, which must have the same length.
fn measure(args: &Args, distance: fn(Bits, Bits) -> f64) -> Result<f64> {
    let (left, right) = (args.varlena(0)?, args.varlena(1)?);
    let (left, right) = (Bits::stored(left.bytes())?, Bits::stored(right.bytes())?);
    left.check_same_length(right)?;
    Ok(distance(left, right))
}
