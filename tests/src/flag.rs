//! A flag for threads that work until they are told to end, which they are told by a test that fails, too.

use std::sync::atomic::{AtomicBool, Ordering};

/// Raises the flag when it is dropped, as at the end of a test or of its patience.
pub struct Raise<'a>(pub &'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
