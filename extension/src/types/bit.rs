//! Distances between `bit` strings, the functions behind `<~>` and `<%>`. The type itself is the server's.

use crate::pg::args::Args;
use crate::pg::error::Result;
use crate::pg::fast::fast_functions;
use vw_vector::bits::{self, Bits};
use vw_vector::kernel::Best;

fast_functions! {
    /// The number of bits that differ.
    fn hamming_distance(args) by byte_pair(usize::MAX) |sums, left, right| plain(left, right, |l, r| bits::hamming(sums, l, r)), else {
        measure(args, bits::hamming)
    }

    /// One minus the share of bits set in either string that are set in both.
    fn jaccard_distance(args) by byte_pair(usize::MAX) |sums, left, right| plain(left, right, |l, r| bits::jaccard(sums, l, r)), else {
        measure(args, bits::jaccard)
    }
}

/// Measure two stored values; `None` where either is not whole or they have other lengths.
#[inline(always)]
fn plain(left: &[u8], right: &[u8], distance: impl Fn(Bits, Bits) -> f64) -> Option<f64> {
    Bits::pair(left, right).map(|(left, right)| distance(left, right))
}

/// Measure the two arguments, which must have the same length.
fn measure(args: &Args, distance: fn(Best, Bits, Bits) -> f64) -> Result<f64> {
    let (left, right) = (args.varlena(0)?, args.varlena(1)?);
    let (left, right) = (Bits::stored(left.bytes())?, Bits::stored(right.bytes())?);
    left.check_same_length(right)?;
    Ok(distance(Best, left, right))
}
