//! The thin layer over the server's C interface: everything else in this crate speaks Rust values.
//! Not the place for what a type or the engine means; only how values, waits and workers cross the boundary.

pub mod aggregate;
pub mod args;
pub mod array;
pub mod background;
pub mod clock;
pub mod datum;
pub mod encoding;
pub mod error;
pub mod fast;
pub mod float;
pub mod function;
pub mod install;
pub mod latch;
mod memo;
mod owner;
mod refusal;
pub mod reserve;
pub mod rows;
pub mod toast;
pub mod varlena;
pub mod wire;
pub mod worker;
