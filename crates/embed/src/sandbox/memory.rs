//! The allocator of the program: the system's, but a decoder that it gives nothing to ends at once and says so.
//!
//! Without it a decoder that runs into its fence would abort as it does after a bug, and the caller would not learn
//! that the file asks for too much memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit status of a decoder that was refused memory.
pub const OUT_OF_MEMORY: i32 = 86;

static FENCED: AtomicBool = AtomicBool::new(false);

/// From here on this process ends with [`OUT_OF_MEMORY`] when it is refused memory.
pub fn end_when_refused() {
    FENCED.store(true, Ordering::Relaxed);
}

/// The program's allocator.
pub struct Allocator;

/// Hand on what the system gave.
fn checked(place: *mut u8) -> *mut u8 {
    if place.is_null() && FENCED.load(Ordering::Relaxed) {
        // SAFETY: _exit has no conditions; it runs nothing of this process, which may hold any lock at this point.
        unsafe { libc::_exit(OUT_OF_MEMORY) }
    }
    place
}

// SAFETY: every call goes to the system's allocator with its arguments unchanged, and gives back what that gave.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        checked(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `alloc_zeroed`, which is the same.
        checked(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: `place` came from this allocator, which is the system's; the rest is the caller's contract.
        checked(unsafe { System.realloc(place, layout, size) })
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: `place` came from this allocator, which is the system's.
        unsafe { System.dealloc(place, layout) }
    }
}
