//! The server's own times. Not for measuring how long something takes.

use pgrx::pg_sys;

/// When the client's current statement began, in microseconds; tells one statement from the next.
pub fn statement_start() -> i64 {
    // SAFETY: reads a variable of this single-threaded process; parallel workers got it from their leader.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}
