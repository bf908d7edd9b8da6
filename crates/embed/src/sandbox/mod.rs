//! Decoders behind a fence: pictures and sounds of strangers are decoded in processes that can be killed.
//!
//! A decoder that loops, eats memory or crashes takes its process along, and neither the engine nor another caller's
//! file. The engine starts its own program again as `vw-engine decoder`, one process for each core at the most, and
//! hands it one file at a time over a pipe (`frame`). The process fences itself in before it reads the first byte
//! (`fence`); the engine watches its time (`process`), and tells what happened to it in the caller's terms (`verdict`).
//! Which caller is served next, and when processes come and go, is `pool`'s. Decoding itself is in `image` and `audio`.

mod fence;
mod frame;
mod limits;
mod memory;
mod pool;
mod process;
mod verdict;
mod worker;

pub use limits::Limits;
pub use memory::Allocator;
pub use pool::Pool;
pub use worker::decode;
