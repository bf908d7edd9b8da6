//! `vw_refuse`: an error that the extension's SQL raises about what its caller passed.
//!
//! RAISE would do, but for its CONTEXT: a page of our functions' internals under every message that a user reads.

use super::args::Args;
use super::error::{Fault, Result};
use super::function::pg_functions;
use pgrx::pg_sys;
use std::ffi::CString;

pg_functions! {
    /// vw_refuse(param text, message text, hint text, code text): raise. The parameter at fault goes into the COLUMN field.
    fn vw_refuse(args) { refuse(args) }
}

fn refuse(args: &Args) -> Result<bool> {
    let text = |index| if args.is_null(index) { Ok(String::new()) } else { args.text(index) };
    let (param, message, hint, code) = (field(&text(0)?)?, field(&text(1)?)?, field(&text(2)?)?, text(3)?);
    let optional = |text: &CString| if text.is_empty() { std::ptr::null_mut() } else { text.as_ptr().cast_mut() };
    // SAFETY: zero is a valid value of every field. The server copies the texts, which outlive the call, before it
    // unwinds. The stack of contexts may be emptied, since whoever catches the error puts his own back.
    unsafe {
        let mut error: pg_sys::ErrorData = std::mem::zeroed();
        error.elevel = pgrx::PgLogLevel::ERROR as i32;
        error.sqlerrcode = sqlstate(&code);
        error.message = message.as_ptr().cast_mut();
        error.hint = optional(&hint);
        error.column_name = optional(&param);
        error.assoc_context = pg_sys::CurrentMemoryContext;
        pg_sys::error_context_stack = std::ptr::null_mut();
        pg_sys::ThrowErrorData(&mut error);
    }
    Err(Fault::internal("an error was not raised"))
}

fn field(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Fault::internal("a message holds a NUL"))
}

/// Pack the five characters of an SQLSTATE, six bits each (`MAKE_SQLSTATE` of elog.h).
fn sqlstate(code: &str) -> i32 {
    code.bytes()
        .take(5)
        .enumerate()
        .fold(0, |packed, (at, c)| packed | (i32::from(c.wrapping_sub(b'0')) & 0x3f) << (6 * at))
}
