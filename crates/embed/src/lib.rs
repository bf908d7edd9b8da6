//! Model packs, tokenising, features of pictures and sounds, and ONNX Runtime, behind the program `vw-engine`.
//!
//! Nothing here knows of PostgreSQL: inputs come in as frames of vw-protocol, unit vectors go out. The way of a
//! request: `serve` reads it, `engine` finds its towers and loads them, and a `tower` makes the inputs ready, batches
//! them and runs its graph. `pack` knows what a model's folder holds; `image` and `audio` preprocess files for it.

pub mod audio;
pub mod check;
mod due;
pub mod engine;
mod failure;
pub mod hub;
pub mod image;
pub mod media;
mod pack;
pub mod sandbox;
pub mod serve;
mod socket;
mod tower;

pub use failure::Failure;
pub use tower::{Alive, Tokens};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lock, also after a holder panicked: what our locks guard is whole between any two statements.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
