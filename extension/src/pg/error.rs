//! An error on its way to the client: SQLSTATE, message, detail, hint. Not a logger.

use pgrx::PgSqlErrorCode;
use pgrx::pg_sys::panic::ErrorReport;
use std::borrow::Cow;

/// The named conditions, under pgrx's names (`ERRCODE_...`).
pub use pgrx::PgSqlErrorCode as Code;

/// What a failed call reports.
#[derive(Debug)]
pub struct Fault {
    code: PgSqlErrorCode,
    message: Cow<'static, str>,
    detail: Option<String>,
    hint: Option<String>,
}

/// The result of everything that can fail in SQL.
pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    /// Make a fault with a primary message only.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Fault { code, message: message.into(), detail: None, hint: None }
    }

    /// Add a detail line; an empty one is left out.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into()).filter(|text| !text.is_empty());
        self
    }

    /// Add a hint line; an empty one is left out.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into()).filter(|text| !text.is_empty());
        self
    }

    /// Name a broken promise of the server or of the extension's own SQL.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Fault::new(Code::ERRCODE_INTERNAL_ERROR, message)
    }

    /// Report an ordinary lack of memory, as the server's own allocator would.
    pub fn out_of_memory() -> Self {
        Fault::new(Code::ERRCODE_OUT_OF_MEMORY, "out of memory")
    }

    /// Raise the ERROR; unwinds to the nearest guarded entry point.
    pub fn raise(self) -> ! {
        let mut report = ErrorReport::new(self.code, self.message, "vw");
        if let Some(detail) = self.detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = self.hint {
            report = report.set_hint(hint);
        }
        report.report(pgrx::PgLogLevel::ERROR);
        unreachable!("an ERROR report does not return")
    }
}

/// The five characters of a condition's SQLSTATE, which the server packs six bits each (`MAKE_SQLSTATE` of elog.h).
pub fn sqlstate(code: Code) -> String {
    let packed = code as i32;
    (0..5).map(|at| char::from(b'0' + ((packed >> (6 * at)) & 0x3f) as u8)).collect()
}
