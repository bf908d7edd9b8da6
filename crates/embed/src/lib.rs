//! Model packs, tokenising and ONNX Runtime behind the program `vw-engine`.
//!
//! Nothing here knows of PostgreSQL: inputs come in as frames of vw-protocol, unit vectors go out.

pub mod engine;
mod failure;
mod pack;
mod pooling;
pub mod serve;
mod text;

pub use failure::Failure;
