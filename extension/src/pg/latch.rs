//! Waiting in a backend: for a socket or for time to pass, always cancellable, never beyond the postmaster's life.

use pgrx::pg_sys;
use std::os::fd::RawFd;
use std::time::Duration;

/// What a wait on a socket is for.
#[derive(Clone, Copy)]
pub enum Interest {
    /// Bytes (or the end) to read.
    Read,
    /// Room to write.
    Write,
}

/// Wait, then serve interrupts: cancel, statement_timeout and termination raise from here.
fn wait(events: u32, socket: RawFd, timeout: Option<Duration>) {
    let (events, millis) = match timeout {
        Some(timeout) => {
            (events | pg_sys::WL_TIMEOUT, timeout.as_millis().clamp(1, i32::MAX as u128) as std::ffi::c_long)
        }
        None => (events, -1),
    };
    let events = events | pg_sys::WL_LATCH_SET | pg_sys::WL_EXIT_ON_PM_DEATH;
    // SAFETY: runs in a backend's only thread, whose latch is set up; the socket is open for the call.
    unsafe {
        pg_sys::WaitLatchOrSocket(pg_sys::MyLatch, events as i32, socket, millis, pg_sys::PG_WAIT_EXTENSION);
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
    check();
}

/// Serve pending interrupts; raises when the statement was cancelled.
pub fn check() {
    pgrx::check_for_interrupts!();
}

/// Wait until the socket may be ready, the latch is set, or the time is over.
pub fn wait_for_socket(socket: RawFd, interest: Interest, timeout: Option<Duration>) {
    let event = match interest {
        Interest::Read => pg_sys::WL_SOCKET_READABLE,
        Interest::Write => pg_sys::WL_SOCKET_WRITEABLE,
    };
    wait(event, socket, timeout);
}

/// Sleep for up to the time given.
pub fn sleep(time: Duration) {
    wait(0, pg_sys::PGINVALID_SOCKET, Some(time));
}
