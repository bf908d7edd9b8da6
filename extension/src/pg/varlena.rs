//! Variable-length values: detoasting, reading, and making new ones with the server's allocator.
//!
//! A flat value is read where it lies, and a short one out of a buffer on the stack: neither calls the server.

use super::datum::Value;
use super::error::{Code, Fault, Result};
use pgrx::pg_sys;
use pgrx::varlena::{set_varsize_4b, varatt_is_1b, varatt_is_1b_e, varatt_is_4b_u, varsize_1b, varsize_4b};
use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Length of the ordinary header, in bytes.
const HEADER: usize = 4;
/// Largest value the server can allocate.
const MAX_SIZE: usize = 0x3fff_ffff;
/// Words that hold the longest value with a short header (126 bytes) behind an ordinary one.
const SHORT: usize = 17;

/// Room for one short value, which the caller keeps for as long as the value is read.
pub struct Scratch {
    used: Cell<bool>,
    words: UnsafeCell<MaybeUninit<[u64; SHORT]>>,
}

impl Scratch {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Scratch { used: Cell::new(false), words: UnsafeCell::new(MaybeUninit::uninit()) }
    }
}

/// A value with a four-byte header; frees its copy, if the server made one.
pub struct Varlena<'a> {
    pointer: *mut pg_sys::varlena,
    form: Form,
    lifetime: PhantomData<&'a Scratch>,
}

/// Where a value is.
#[derive(PartialEq)]
enum Form {
    /// Where the caller passed it.
    Flat,
    /// In the scratch room: it had a one-byte header and no particular address.
    Short,
    /// In memory of the server's: decompressed, or fetched from a TOAST table.
    Copy,
}

impl<'a> Varlena<'a> {
    /// Detoast; what is flat already is borrowed, and a short value is moved into `scratch` where that is free.
    ///
    /// # Safety
    /// - `datum` is a non-null value of a variable-length type that outlives the result.
    #[inline(always)]
    pub unsafe fn from_datum(datum: pg_sys::Datum, scratch: Option<&'a Scratch>) -> Self {
        let original: *mut pg_sys::varlena = datum.cast_mut_ptr();
        // SAFETY: `original` is a valid varlena by our contract; each branch reads the header that it has tested for.
        let (pointer, form) = unsafe {
            if varatt_is_4b_u(original) {
                (original, Form::Flat)
            } else {
                let short = varatt_is_1b(original) && !varatt_is_1b_e(original);
                match scratch.filter(|scratch| short && !scratch.used.replace(true)) {
                    Some(scratch) => (lengthen(original, scratch), Form::Short),
                    None => (pg_sys::pg_detoast_datum(original), Form::Copy),
                }
            }
        };
        Varlena { pointer, form, lifetime: PhantomData }
    }

    /// The value's start, header included.
    #[inline]
    pub(super) fn as_ptr(&self) -> *mut pg_sys::varlena {
        self.pointer
    }

    /// Tell whether the value is the very one that the caller passed.
    pub(super) fn is_flat(&self) -> bool {
        self.form == Form::Flat
    }

    /// The bytes after the header; they are aligned for four-byte numbers.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: every form has a four-byte header that says how long it is.
        unsafe {
            let size = varsize_4b(self.pointer).max(HEADER);
            std::slice::from_raw_parts(self.pointer.cast::<u8>().add(HEADER), size - HEADER)
        }
    }
}

/// Copy a value with a one-byte header into `scratch`, behind an ordinary header.
///
/// # Safety
/// - `original` has such a header, and nothing in `scratch` is being read.
#[inline]
unsafe fn lengthen(original: *mut pg_sys::varlena, scratch: &Scratch) -> *mut pg_sys::varlena {
    // SAFETY: a short header leaves at most 126 bytes, which fit behind the four of the ordinary one; nobody reads the
    // room, by our contract.
    unsafe {
        let length = varsize_1b(original) - 1;
        let target = scratch.words.get().cast::<u8>();
        std::ptr::copy_nonoverlapping(original.cast::<u8>().add(1), target.add(HEADER), length);
        set_varsize_4b(target.cast(), (length + HEADER) as i32);
        target.cast()
    }
}

impl Drop for Varlena<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // While an ERROR unwinds, the memory context is about to be reset anyway.
        if self.form == Form::Copy && !std::thread::panicking() {
            // SAFETY: the copy was made for us by `pg_detoast_datum`.
            unsafe { pg_sys::pfree(self.pointer.cast()) };
        }
    }
}

/// Make a variable-length value whose payload is written by `fill` into zeroed bytes.
pub fn build(length: usize, fill: impl FnOnce(&mut [u8]) -> Result<()>) -> Result<Value> {
    let size = length.saturating_add(HEADER);
    if size > MAX_SIZE {
        return Err(Fault::new(Code::ERRCODE_PROGRAM_LIMIT_EXCEEDED, "value is too large"));
    }
    // SAFETY: palloc0 returns `size` zeroed bytes or raises; the payload begins after the header.
    unsafe {
        let start = pg_sys::palloc0(size).cast::<u8>();
        set_varsize_4b(start.cast(), size as i32);
        fill(std::slice::from_raw_parts_mut(start.add(HEADER), length))?;
        Ok(Value(pg_sys::Datum::from(start)))
    }
}

/// Make a variable-length value out of its payload.
pub fn from_bytes(payload: &[u8]) -> Result<Value> {
    build(payload.len(), |target| {
        target.copy_from_slice(payload);
        Ok(())
    })
}

/// Make a C string, the output of a type; an inner NUL ends it.
pub fn cstring(text: &[u8]) -> Value {
    // SAFETY: palloc returns one byte more than is copied, for the terminator.
    unsafe {
        let start = pg_sys::palloc(text.len() + 1).cast::<u8>();
        std::ptr::copy_nonoverlapping(text.as_ptr(), start, text.len());
        start.add(text.len()).write(0);
        Value(pg_sys::Datum::from(start))
    }
}
