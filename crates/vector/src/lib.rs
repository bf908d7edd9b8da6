//! The values of `vector`, `halfvec`, `sparsevec` and `bit`: text form, bytes, distances and arithmetic.
//!
//! Everything here is a pure function over slices; nothing knows of PostgreSQL's memory or function calls. Names,
//! limits, texts and formats are pgvector's, so that its clients work unmodified.

pub mod bits;
pub mod code;
pub mod dense;
mod error;
mod hash;
pub mod kernel;
mod kind;
mod message;
mod number;
mod plain;
pub mod sparse;

pub use error::{Error, SqlState};
pub use kind::{Kind, check_expected_dim};
pub use message::Message;
pub use number::{WriteFloat, write_float};
pub use plain::{Plain, view, view_mut};

/// The most dimensions that a `vector` or a `halfvec` may have.
pub const MAX_DIM: usize = 16_000;
/// The most dimensions that a `sparsevec` may have.
pub const MAX_SPARSE_DIM: usize = 1_000_000_000;
/// The most elements that a `sparsevec` may list.
pub const MAX_NONZERO: usize = 16_000;

#[cfg(test)]
mod testing;
