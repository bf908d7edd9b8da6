//! The SQL types: C functions whose logic is in vw-vector.

mod bit;
pub mod dense;
mod error;
pub mod halfvec;
mod order;
pub mod sparsevec;
pub mod vector;
