//! Typed access to the arguments of a call. Values by reference are in `varlena` and `array`.

use super::array::Array;
use super::datum::Value;
use super::error::{Code, Fault, Result};
use super::varlena::{Scratch, Varlena};
use pgrx::pg_sys;
use std::ffi::CStr;

/// The arguments of one call.
pub struct Args {
    fcinfo: pg_sys::FunctionCallInfo,
    /// For short values among the first arguments.
    scratch: [Scratch; 2],
}

impl Args {
    /// Wrap a call frame.
    ///
    /// # Safety
    /// - `fcinfo` points to a call frame that outlives the value.
    #[inline(always)]
    pub unsafe fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        Args { fcinfo, scratch: [Scratch::new(), Scratch::new()] }
    }

    /// The raw frame, for the other files of this layer.
    pub(super) fn frame(&self) -> pg_sys::FunctionCallInfo {
        self.fcinfo
    }

    /// Answer SQL NULL.
    pub(super) fn set_null(&mut self) {
        // SAFETY: the frame is live for as long as we are, by the contract of `new`.
        unsafe { (*self.fcinfo).isnull = true };
    }

    /// The argument, or `None` when it is NULL or was not passed.
    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> Option<pg_sys::Datum> {
        // SAFETY: the frame is live and holds `nargs` arguments.
        let arguments = unsafe {
            let frame = &*self.fcinfo;
            frame.args.as_slice(frame.nargs.max(0) as usize)
        };
        arguments.get(index).filter(|argument| !argument.isnull).map(|argument| argument.value)
    }

    /// The argument; NULL is an error.
    #[inline(always)]
    fn require(&self, index: usize) -> Result<pg_sys::Datum> {
        self.get(index).ok_or_else(|| {
            Fault::new(Code::ERRCODE_NULL_VALUE_NOT_ALLOWED, format!("argument {} must not be null", index + 1))
        })
    }

    /// Tell whether the argument is NULL.
    pub fn is_null(&self, index: usize) -> bool {
        self.get(index).is_none()
    }

    /// Read an `integer`.
    pub fn i32(&self, index: usize) -> Result<i32> {
        Ok(self.require(index)?.value() as i32)
    }

    /// Read a `bigint`.
    pub fn i64(&self, index: usize) -> Result<i64> {
        Ok(self.require(index)?.value() as i64)
    }

    /// Read a type modifier; -1 when there is none.
    pub fn typmod(&self, index: usize) -> Result<i32> {
        if self.is_null(index) { Ok(-1) } else { self.i32(index) }
    }

    /// The argument as it was passed, to be handed back.
    pub fn value(&self, index: usize) -> Result<Value> {
        self.require(index).map(Value)
    }

    /// Read a `boolean`.
    pub fn bool(&self, index: usize) -> Result<bool> {
        Ok(self.require(index)?.value() as u8 != 0)
    }

    /// Read a C string, the input of a type.
    pub fn cstr(&self, index: usize) -> Result<&CStr> {
        let datum = self.require(index)?;
        // SAFETY: the argument is declared cstring, so it points to a terminated string that outlives the call.
        Ok(unsafe { CStr::from_ptr(datum.cast_mut_ptr()) })
    }

    /// Read any variable-length value, detoasted; a flat one is not copied.
    #[inline(always)]
    pub fn varlena(&self, index: usize) -> Result<Varlena<'_>> {
        let datum = self.require(index)?;
        // SAFETY: the argument is declared with a variable-length type.
        Ok(unsafe { Varlena::from_datum(datum, self.scratch.get(index)) })
    }

    /// Read a `text`, turned from the database's encoding into UTF-8.
    pub fn text(&self, index: usize) -> Result<String> {
        super::encoding::to_utf8(self.varlena(index)?.bytes())
    }

    /// Read an array of any type.
    pub fn array(&self, index: usize) -> Result<Array<'_>> {
        Ok(Array::new(self.varlena(index)?))
    }
}
