//! What an aggregate's transition function needs to know about its caller.

use super::args::Args;
use super::error::{Fault, Result};
use pgrx::pg_sys;

/// Fail unless called by an aggregate node.
pub fn require_aggregate(args: &Args, name: &'static str) -> Result<()> {
    // SAFETY: the frame is live; a null context pointer is allowed.
    let kind = unsafe { pg_sys::AggCheckCallContext(args.frame(), std::ptr::null_mut()) };
    if kind == 0 { Err(Fault::internal(format!("{name} called in non-aggregate context"))) } else { Ok(()) }
}
