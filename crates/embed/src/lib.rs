//! Model packs, tokenising and ONNX Runtime behind the program `vw-engine`.
//!
//! Nothing here knows of PostgreSQL: inputs come in as frames of vw-protocol, unit vectors go out. The way of a
//! request: `serve` reads it, `engine` finds its tower, `tokens` cuts and tokenises, `runner` queues and batches it
//! (`queue` decides who is next, `batch` who shares), and `text` runs the graph.

mod admission;
pub mod audio;
mod batch;
pub mod check;
pub mod engine;
mod failure;
pub mod image;
pub mod media;
mod pack;
mod pooling;
mod queue;
mod runner;
pub mod sandbox;
pub mod serve;
mod socket;
pub mod text;
mod tokens;

pub use failure::Failure;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lock, also after a holder panicked: what our locks guard is whole between any two statements.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
