//! Memory contexts of the server that live as long as a Rust value.

use pgrx::pg_sys;
use std::ffi::c_void;

/// A memory context of our own; everything in it goes when this is dropped.
pub struct Scratch(pg_sys::MemoryContext);

impl Scratch {
    /// Make one below the current context.
    pub fn new() -> Scratch {
        // SAFETY: the name is a literal, and the sizes are the server's defaults.
        Scratch(unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::CurrentMemoryContext,
                c"inverted-file index".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            )
        })
    }

    /// Run `work` with this as the current context. An ERROR needs no switching back: whoever catches it does that.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the context lives as long as we do.
        let previous = unsafe { pg_sys::MemoryContextSwitchTo(self.0) };
        let result = work();
        // SAFETY: the previous context was current when we came, and outlives us.
        unsafe { pg_sys::MemoryContextSwitchTo(previous) };
        result
    }

    /// Free everything in it.
    pub fn reset(&self) {
        // SAFETY: made by `new`; who calls this has nothing left that is in it.
        unsafe { pg_sys::MemoryContextReset(self.0) };
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // While an ERROR unwinds, the parent is about to go, and takes us along.
        if !std::thread::panicking() {
            // SAFETY: made by `new`, and nothing refers to it any more.
            unsafe { pg_sys::MemoryContextDelete(self.0) };
        }
    }
}

/// Move a value to where it lives as long as the current memory context, whether that ends well or by an ERROR.
pub fn keep<T>(value: T) -> *mut T {
    /// Drop the value behind a pointer that `keep` made.
    unsafe extern "C-unwind" fn forget<T>(value: *mut c_void) {
        // SAFETY: made by `keep` from a box, and the server calls this once.
        drop(unsafe { Box::from_raw(value.cast::<T>()) });
    }
    // SAFETY: the callback lives in the context that it is registered with; it owns the value from here on.
    unsafe {
        let callback = pg_sys::palloc0(size_of::<pg_sys::MemoryContextCallback>());
        let callback = callback.cast::<pg_sys::MemoryContextCallback>();
        let value = Box::into_raw(Box::new(value));
        (*callback).func = Some(forget::<T>);
        (*callback).arg = value.cast();
        pg_sys::MemoryContextRegisterResetCallback(pg_sys::CurrentMemoryContext, callback);
        value
    }
}
