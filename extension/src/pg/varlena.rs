//! Variable-length values: detoasting, reading, and making new ones with the server's allocator.

use super::datum::Value;
use super::error::{Code, Fault, Result};
use pgrx::pg_sys;

/// Length of the ordinary header, in bytes.
const HEADER: usize = 4;
/// Largest value the server can allocate.
const MAX_SIZE: usize = 0x3fff_ffff;

/// A detoasted value with a four-byte header; frees its copy, if one was made.
pub struct Varlena {
    pointer: *mut pg_sys::varlena,
    copied: bool,
}

impl Varlena {
    /// Detoast; what is flat already is borrowed.
    ///
    /// # Safety
    /// - `datum` is a non-null value of a variable-length type that outlives the result.
    pub(super) unsafe fn from_datum(datum: pg_sys::Datum) -> Self {
        let original: *mut pg_sys::varlena = datum.cast_mut_ptr();
        // SAFETY: `original` is a valid varlena by our contract.
        let pointer = unsafe { pg_sys::pg_detoast_datum(original) };
        Varlena { pointer, copied: pointer != original }
    }

    /// The value's start, header included.
    pub(super) fn as_ptr(&self) -> *mut pg_sys::varlena {
        self.pointer
    }

    /// The bytes after the header; they start four bytes past an eight-byte boundary.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: a detoasted value has a four-byte header that says how long it is.
        unsafe {
            let size = pgrx::varlena::varsize_4b(self.pointer).max(HEADER);
            std::slice::from_raw_parts(self.pointer.cast::<u8>().add(HEADER), size - HEADER)
        }
    }
}

impl Drop for Varlena {
    fn drop(&mut self) {
        // While an ERROR unwinds, the memory context is about to be reset anyway.
        if self.copied && !std::thread::panicking() {
            // SAFETY: the copy was made for us by `pg_detoast_datum`.
            unsafe { pg_sys::pfree(self.pointer.cast()) };
        }
    }
}

/// Make a variable-length value whose payload is written by `fill` into zeroed bytes.
pub fn build(length: usize, fill: impl FnOnce(&mut [u8])) -> Result<Value> {
    let size = length.saturating_add(HEADER);
    if size > MAX_SIZE {
        return Err(Fault::new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED, "value is too large"));
    }
    // SAFETY: palloc0 returns `size` zeroed bytes or raises; the payload begins after the header.
    unsafe {
        let start = pg_sys::palloc0(size).cast::<u8>();
        pgrx::varlena::set_varsize_4b(start.cast(), size as i32);
        fill(std::slice::from_raw_parts_mut(start.add(HEADER), length));
        Ok(Value(pg_sys::Datum::from(start)))
    }
}

/// Make a variable-length value out of its payload.
pub fn from_bytes(payload: &[u8]) -> Result<Value> {
    build(payload.len(), |target| target.copy_from_slice(payload))
}

/// Make a C string, the output of a type; an inner NUL ends it.
pub fn cstring(text: &str) -> Value {
    // SAFETY: palloc0 returns one zeroed byte more than is copied, the terminator.
    unsafe {
        let start = pg_sys::palloc0(text.len() + 1).cast::<u8>();
        std::ptr::copy_nonoverlapping(text.as_ptr(), start, text.len());
        Value(pg_sys::Datum::from(start))
    }
}
