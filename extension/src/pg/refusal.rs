//! `vw_refuse`: an error that the extension's SQL raises about what its caller passed.
//!
//! RAISE would do, but for its CONTEXT: a page of our functions' internals under every message that a user reads. The
//! guard that all other functions have would lose the COLUMN field, so this one raises by the server's own jump. No
//! frame here may own anything that has to be dropped.

use super::function::CONVENTION;
use pgrx::pg_sys;
use std::ffi::{CStr, c_char};
use std::ptr::null_mut;

#[unsafe(no_mangle)]
extern "C" fn pg_finfo_vw_refuse() -> &'static pg_sys::Pg_finfo_record {
    &CONVENTION
}

unsafe extern "C-unwind" {
    /// The server's function, without the guard of pgrx's binding.
    fn ThrowErrorData(error: *mut pg_sys::ErrorData);
}

/// vw_refuse(param text, message text, hint text, code text): raise. The parameter at fault goes into the COLUMN field.
///
/// # Safety
/// - The function manager calls it, with a live frame whose arguments are of type text.
#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn vw_refuse(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the frame is live and its arguments are text, by our contract. Zero is a valid value of every field of
    // the error. Its texts are in the server's memory, and whoever catches it puts his own stack of contexts back.
    unsafe {
        let mut error: pg_sys::ErrorData = std::mem::zeroed();
        error.elevel = pgrx::PgLogLevel::ERROR as i32;
        error.column_name = field(fcinfo, 0);
        error.message = field(fcinfo, 1);
        error.hint = field(fcinfo, 2);
        error.sqlerrcode = sqlstate(field(fcinfo, 3));
        error.assoc_context = pg_sys::CurrentMemoryContext;
        pg_sys::error_context_stack = null_mut();
        ThrowErrorData(&mut error);
    }
    pg_sys::Datum::from(0)
}

/// Copy a text argument into a C string of the server's memory; null for NULL and for the empty text.
///
/// # Safety
/// - As for [`vw_refuse`].
unsafe fn field(fcinfo: pg_sys::FunctionCallInfo, index: usize) -> *mut c_char {
    // SAFETY: the frame holds `nargs` arguments, and the one asked for is text, by our contract.
    unsafe {
        let arguments = (*fcinfo).args.as_slice((*fcinfo).nargs.max(0) as usize);
        match arguments.get(index).filter(|argument| !argument.isnull) {
            Some(argument) => {
                let text = pg_sys::text_to_cstring(argument.value.cast_mut_ptr());
                if *text == 0 { null_mut() } else { text }
            }
            None => null_mut(),
        }
    }
}

/// Pack the five characters of an SQLSTATE, six bits each (`MAKE_SQLSTATE` of elog.h); null is XX000.
///
/// # Safety
/// - `code` is null or a terminated string.
unsafe fn sqlstate(code: *const c_char) -> i32 {
    // SAFETY: by our contract.
    let code = if code.is_null() { c"XX000" } else { unsafe { CStr::from_ptr(code) } };
    let bits = |(at, c): (usize, &u8)| (i32::from(c.wrapping_sub(b'0')) & 0x3f) << (6 * at);
    code.to_bytes().iter().take(5).enumerate().map(bits).sum()
}
