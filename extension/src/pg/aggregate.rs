//! What an aggregate's transition function needs to know about its caller, and its state, to be changed in place.

use super::args::Args;
use super::datum::Value;
use super::varlena::Varlena;
use pgrx::pg_sys;
use std::ptr::null_mut;

/// The state of a running aggregate, ours to change.
pub struct State<'a>(Varlena<'a>);

impl<'a> State<'a> {
    /// The state in argument 0, where the caller is an aggregate node and the value is flat.
    ///
    /// The node keeps such a value for this aggregate alone, and takes a state that is returned at the address it had
    /// as changed in place, without a copy.
    pub fn of(args: &'a Args) -> Option<Self> {
        // SAFETY: the frame is live; a null context pointer is allowed.
        let called_by_node = unsafe {
            let frame = args.frame();
            !(*frame).context.is_null() && pg_sys::AggCheckCallContext(frame, null_mut()) != 0
        };
        let value = if called_by_node { args.varlena(0).ok() } else { None };
        value.filter(Varlena::is_flat).map(State)
    }

    /// The bytes after the header.
    pub fn bytes(&mut self) -> &mut [u8] {
        let payload = self.0.bytes();
        // SAFETY: nobody else reads or writes the state while its transition function runs, by the contract of `of`.
        unsafe { std::slice::from_raw_parts_mut(payload.as_ptr().cast_mut(), payload.len()) }
    }

    /// The state as the function's result.
    pub fn into_value(self) -> Value {
        Value(pg_sys::Datum::from(self.0.as_ptr()))
    }
}
