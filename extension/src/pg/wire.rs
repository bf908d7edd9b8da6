//! The binary protocol of types: reading the message of a receive function.

use super::args::Args;
use super::error::{Fault, Result};
use pgrx::pg_sys;

/// Take all that is left of a receive function's message (argument `index`).
pub fn take_message(args: &Args, index: usize) -> Result<Vec<u8>> {
    let datum = args.get(index).ok_or_else(|| Fault::internal("no message"))?;
    // SAFETY: a receive function's first argument is a StringInfo, whose cursor is between 0 and its length.
    unsafe {
        let message: pg_sys::StringInfo = datum.cast_mut_ptr();
        let left = ((*message).len - (*message).cursor).max(0);
        let start = (*message).data.add((*message).cursor.max(0) as usize).cast::<u8>();
        let bytes = std::slice::from_raw_parts(start, left as usize).to_vec();
        (*message).cursor += left;
        Ok(bytes)
    }
}
