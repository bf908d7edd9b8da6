//! The values of the `vector` type: text form, bytes, distances and arithmetic.
//!
//! Everything here is a pure function over slices of `f32`; nothing knows of PostgreSQL's memory or
//! function calls. Names, limits, texts and formats are pgvector's, so that its clients work unmodified.

pub mod arith;
pub mod datum;
pub mod distance;
mod error;
mod float;
pub mod kernel;
pub mod text;
pub mod wire;

pub use error::{Error, SqlState};

/// The most dimensions that a vector may have.
pub const MAX_DIM: usize = 16_000;

/// Check a number of dimensions against the type's limits.
pub fn check_dim(dim: usize) -> Result<(), Error> {
    match dim {
        0 => Err(Error::NoDimensions),
        1..=MAX_DIM => Ok(()),
        _ => Err(Error::TooManyDimensions),
    }
}

/// Check a value's dimensions against the column's (`-1`: any).
pub fn check_expected_dim(typmod: i32, dim: usize) -> Result<(), Error> {
    if typmod == -1 || usize::try_from(typmod) == Ok(dim) {
        return Ok(());
    }
    Err(Error::ExpectedDimensions { expected: typmod, actual: dim })
}

/// Check that two vectors can be compared element by element.
pub fn check_same_dim(left: usize, right: usize) -> Result<(), Error> {
    if left == right { Ok(()) } else { Err(Error::DifferentDimensions(left, right)) }
}

/// Refuse NaN and infinities, which no vector may hold.
pub fn check_element(value: f32) -> Result<(), Error> {
    if value.is_nan() {
        return Err(Error::Nan);
    }
    if value.is_infinite() { Err(Error::Infinite) } else { Ok(()) }
}

#[cfg(test)]
mod testing;
