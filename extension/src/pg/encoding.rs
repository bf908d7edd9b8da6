//! Between the database's encoding and UTF-8, which is all that Rust and the engine know.

use super::datum::Value;
use super::error::{Code, Fault, Result};
use super::varlena;
use pgrx::pg_sys;
use std::ffi::CStr;

/// Copy text of the database into a string. Raises where a character has no place in UTF-8.
pub fn to_utf8(bytes: &[u8]) -> Result<String> {
    let utf8 = pg_sys::pg_enc::PG_UTF8 as i32;
    let length = i32::try_from(bytes.len()).map_err(|_| Fault::out_of_memory())?;
    let start = bytes.as_ptr().cast();
    // SAFETY: `start` points to `length` bytes; the result is `start` itself, or a new string that is terminated.
    let owned = unsafe {
        let converted = pg_sys::pg_server_to_any(start, length, utf8);
        if std::ptr::eq(converted, start) {
            bytes.to_vec()
        } else {
            let copy = CStr::from_ptr(converted).to_bytes().to_vec();
            pg_sys::pfree(converted.cast());
            copy
        }
    };
    let invalid = |_| Fault::new(Code::ERRCODE_CHARACTER_NOT_IN_REPERTOIRE, "text is not valid in UTF-8");
    String::from_utf8(owned).map_err(invalid)
}

/// Make a `text` of the database out of a string; an inner NUL ends it. Raises where a character has no place in the
/// database's encoding.
pub fn text(string: &str) -> Result<Value> {
    let bytes = string.split('\0').next().unwrap_or_default().as_bytes();
    let utf8 = pg_sys::pg_enc::PG_UTF8 as i32;
    let length = i32::try_from(bytes.len()).map_err(|_| Fault::out_of_memory())?;
    let start = bytes.as_ptr().cast();
    // SAFETY: `start` points to `length` bytes; the result is `start` itself, or a new string that is terminated.
    unsafe {
        let converted = pg_sys::pg_any_to_server(start, length, utf8);
        if std::ptr::eq(converted, start) {
            return varlena::from_bytes(bytes);
        }
        let value = varlena::from_bytes(CStr::from_ptr(converted).to_bytes());
        pg_sys::pfree(converted.cast());
        value
    }
}
