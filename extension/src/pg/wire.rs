//! The binary protocol of types: reading the message of a receive function.

use super::args::Args;
use super::error::{Fault, Result};
use pgrx::pg_sys;

/// Read from a receive function's message (argument `index`): `read` gets all that is left of it, and gives what it
/// made of that and how many bytes it did not read. The server refuses those.
pub fn read<T>(args: &Args, index: usize, read: impl FnOnce(&[u8]) -> Result<(T, usize)>) -> Result<T> {
    let datum = args.get(index).ok_or_else(|| Fault::internal("no message"))?;
    // SAFETY: a receive function's first argument is a StringInfo, whose cursor is between 0 and its length.
    unsafe {
        let message: pg_sys::StringInfo = datum.cast_mut_ptr();
        let left = ((*message).len - (*message).cursor).max(0) as usize;
        let start = (*message).data.add((*message).cursor.max(0) as usize).cast::<u8>();
        let (value, unread) = read(std::slice::from_raw_parts(start, left))?;
        (*message).cursor += left.saturating_sub(unread) as i32;
        Ok(value)
    }
}
