//! Typed access to the arguments of a call. Values by reference are in `varlena` and `array`.

use super::array::Array;
use super::error::{Code, Fault, Result};
use super::varlena::Varlena;
use pgrx::pg_sys;
use std::ffi::CStr;

/// The arguments of one call.
pub struct Args {
    fcinfo: pg_sys::FunctionCallInfo,
}

impl Args {
    /// Wrap a call frame.
    ///
    /// # Safety
    /// - `fcinfo` points to a call frame that outlives the value.
    pub unsafe fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        Args { fcinfo }
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
    pub(super) fn get(&self, index: usize) -> Option<pg_sys::Datum> {
        // SAFETY: the frame is live and holds `nargs` arguments.
        let arguments = unsafe {
            let frame = &*self.fcinfo;
            frame.args.as_slice(frame.nargs.max(0) as usize)
        };
        arguments.get(index).filter(|argument| !argument.isnull).map(|argument| argument.value)
    }

    /// The argument; NULL is an error.
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
    pub fn varlena(&self, index: usize) -> Result<Varlena> {
        let datum = self.require(index)?;
        // SAFETY: the argument is declared with a variable-length type.
        Ok(unsafe { Varlena::from_datum(datum) })
    }

    /// Read a `text`, turned from the database's encoding into UTF-8.
    pub fn text(&self, index: usize) -> Result<String> {
        super::encoding::to_utf8(self.varlena(index)?.bytes())
    }

    /// Read an array of any type.
    pub fn array(&self, index: usize) -> Result<Array> {
        Ok(Array::new(self.varlena(index)?))
    }
}
