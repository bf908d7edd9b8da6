//! Vectors as short codes: what a list keeps of a member, and the scores that a query gives to codes.
//!
//! Pure functions over slices; no pages here. A vector is first **projected**: transformed by the metric, the centre of
//! the index taken off, filled up with zeros to a multiple of 64 dimensions and rotated. The result, called r, is coded
//! by extended RaBitQ ([arXiv 2405.12497](https://arxiv.org/abs/2405.12497),
//! [2409.09913](https://arxiv.org/abs/2409.09913)). Nothing depends on the list, so a member that moves to another list
//! takes its bytes along.
//!
//! ```text
//! row    norm_sq f32 | f1 f32 | f2 f32 | code, B bits a dimension, low bits first in a byte
//! block  norm_sq 32 x f32 | f1 32 x f32 | planes: 16 bytes for each 4 dimensions; byte j holds member j in its low
//!        nibble and member j + 16 in its high one; bit b of a nibble is the sign of dimension b of the four
//! raw    the floats themselves, where there are few dimensions; there are no blocks of these
//! ```
//!
//! `norm_sq` is |r|^2, infinite for a vector that comes last (zero under cosine), not a number for one that codes
//! cannot stand for (too great or too small); `f1` is |r|^2 over the sum of |r_i|, and `f2` is |r|^2 / <u - c, r>, where u are the code's
//! numbers and c their centre. So `f1 <sign(r), v>` and `f2 <u - c, v>` estimate <r, v>.

mod block;
mod centroid;
mod project;
mod query;
mod rotation;
mod row;
mod space;
mod splitmix;
#[cfg(test)]
mod tests;

pub use block::BLOCK_ROWS;
pub use centroid::CentroidCodec;
pub use project::Codec;
pub use query::{EPSILON, Query};
pub use space::{Coding, Metric, Space};
pub(crate) use splitmix::SplitMix64;
