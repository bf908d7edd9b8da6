//! Memory for Rust values where the system has none left: a reserve, so that a small allocation that fails is an ERROR at
//! the next place where one may be raised, and not the end of the server. Large allocations are not helped: those are
//! asked for with `try_reserve`, or of the server.

use super::error::Fault;
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// What is kept back. It is asked for and never touched, so it is a range of addresses and no memory.
const RESERVE: usize = 8 << 20;
const LAYOUT: Layout = match Layout::from_size_align(RESERVE, 16) {
    Ok(layout) => layout,
    Err(_) => Layout::new::<u8>(),
};
/// The largest allocation that the reserve is given up for.
const SMALL: usize = 1 << 20;

/// The reserve, where there is one.
static KEPT: AtomicPtr<u8> = AtomicPtr::new(null_mut());
/// Whether it was given up and nobody was told.
static SHORT: AtomicBool = AtomicBool::new(false);

/// The allocator of everything in Rust.
pub struct Allocator;

// SAFETY: all memory is the system's allocator's, which is called again at most once, with the same arguments, after what
// was kept back has been given back to it.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        retry(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's contract.
        retry(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: by the caller's contract; where it fails, the memory is as it was.
        retry(size, || unsafe { System.realloc(pointer, layout, size) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: by the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Allocate, and once more without the reserve where that is refused.
fn retry(size: usize, allocate: impl Fn() -> *mut u8) -> *mut u8 {
    let pointer = allocate();
    if !pointer.is_null() || size > SMALL || !give_up() {
        return pointer;
    }
    allocate()
}

/// Give the reserve back to the system; false where there is none.
fn give_up() -> bool {
    let kept = KEPT.swap(null_mut(), Ordering::Relaxed);
    if kept.is_null() {
        return false;
    }
    SHORT.store(true, Ordering::Relaxed);
    // SAFETY: allocated by `keep` with this layout, and taken out of its place by nobody else.
    unsafe { System.dealloc(kept, LAYOUT) };
    true
}

/// Keep memory back, if none is; called before work that takes some. Where there is not even that much, the work is
/// not begun.
pub fn keep() {
    if !KEPT.load(Ordering::Relaxed).is_null() {
        return;
    }
    // SAFETY: the layout is not empty.
    let kept = unsafe { System.alloc(LAYOUT) };
    if kept.is_null() {
        let detail = format!("An index needs {RESERVE} bytes in reserve.");
        Fault::out_of_memory().detail(detail).raise();
    }
    SHORT.store(false, Ordering::Relaxed);
    KEPT.store(kept, Ordering::Relaxed);
}

/// Raise the ERROR that memory has run out, if it has; called where no harm comes of one.
pub fn check() {
    if SHORT.load(Ordering::Relaxed) {
        SHORT.store(false, Ordering::Relaxed);
        Fault::out_of_memory().raise();
    }
}
