//! Waiting in a backend: for a socket or for time to pass, always cancellable, never beyond the postmaster's life.

use pgrx::pg_sys;
use std::os::fd::RawFd;
use std::time::Duration;

/// What a wait for bytes of one socket is made of, kept from wait to wait: making it takes longer than the wait's own call.
///
/// It must be dropped before its socket is closed.
pub struct Readable {
    set: *mut pg_sys::WaitEventSet,
}

impl Readable {
    /// Prepare to wait for a socket of this backend that stays open as long as this lives. Raises where descriptors run out.
    pub fn new(socket: RawFd) -> Readable {
        #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
        // SAFETY: the context lives as long as the process.
        let owner = unsafe { pg_sys::TopMemoryContext };
        #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
        // No owner: it is for the session.
        let owner = std::ptr::null_mut();
        let null = std::ptr::null_mut();
        // SAFETY: there is room for three events; the latch is set up and stays this backend's; the socket is open.
        unsafe {
            let set = pg_sys::CreateWaitEventSet(owner, 3);
            let guard = Readable { set };
            let (latch, none) = (pg_sys::WL_LATCH_SET, pg_sys::PGINVALID_SOCKET);
            pg_sys::AddWaitEventToSet(set, latch, none, pg_sys::MyLatch, null);
            if pg_sys::IsUnderPostmaster {
                pg_sys::AddWaitEventToSet(set, pg_sys::WL_EXIT_ON_PM_DEATH, none, std::ptr::null_mut(), null);
            }
            pg_sys::AddWaitEventToSet(set, pg_sys::WL_SOCKET_READABLE, socket, std::ptr::null_mut(), null);
            guard
        }
    }

    /// Wait until there may be bytes, or the latch is set; then serve interrupts.
    pub fn wait(&self) {
        // SAFETY: all zeros are a valid event; runs in a backend's only thread; the set is whole and its socket open.
        unsafe {
            let mut event: pg_sys::WaitEvent = std::mem::zeroed();
            pg_sys::WaitEventSetWait(self.set, -1, &mut event, 1, pg_sys::PG_WAIT_EXTENSION);
            if event.events & pg_sys::WL_LATCH_SET != 0 {
                pg_sys::ResetLatch(pg_sys::MyLatch);
            }
        }
        check();
    }
}

impl Drop for Readable {
    fn drop(&mut self) {
        // SAFETY: the set was made by `new`, is freed once, and its socket is still open.
        unsafe { pg_sys::FreeWaitEventSet(self.set) };
    }
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

/// Wait until there may be room to write to the socket, or the latch is set.
pub fn wait_to_write(socket: RawFd) {
    wait(pg_sys::WL_SOCKET_WRITEABLE, socket, None);
}

/// Sleep for up to the time given.
pub fn sleep(time: Duration) {
    wait(0, pg_sys::PGINVALID_SOCKET, Some(time));
}
