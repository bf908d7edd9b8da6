//! From the errors of vw-ivf to those of the server.

use crate::pg::error::{Code, Fault};
use vw_ivf::Error;

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match &error {
            Error::Store(_) | Error::InvalidTid(_) | Error::NotEmpty { .. } => Code::ERRCODE_INTERNAL_ERROR,
            Error::Corrupt { .. } | Error::Format { .. } => Code::ERRCODE_INDEX_CORRUPTED,
            Error::OutOfMemory { .. } => Code::ERRCODE_OUT_OF_MEMORY,
        };
        let fault = Fault::new(code, error.to_string());
        if matches!(error, Error::Corrupt { .. }) { fault.hint("REINDEX the index.") } else { fault }
    }
}

/// Give a result to the server: the value, or the ERROR.
pub fn done<T>(result: Result<T, impl Into<Fault>>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => error.into().raise(),
    }
}
