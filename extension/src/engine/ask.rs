//! A request to the engine and what its reply means in SQL. What the SQL functions make of it is in their own files.

use super::client;
use crate::pg::error::{Code, Fault, Result};
use vw_protocol::{ErrorCode, MAX_FRAME, Outcome, Refusal, Reply, Request};

/// Send a request and read its reply; the engine's refusal of the request as a whole is an error.
pub fn ask(request: &Request) -> Result<Reply> {
    let body = {
        let frame = request.encode();
        if frame.len() > MAX_FRAME {
            return Err(bad_input("the input is too large for the embedding engine")
                .detail(format!("It has {} bytes; {MAX_FRAME} are allowed.", frame.len())));
        }
        client::exchange(&frame)?
    };
    match Reply::decode(&body) {
        Ok(Reply::Error(refusal)) => Err(refused(refusal)),
        Ok(reply) => Ok(reply),
        Err(error) => Err(malformed(error.to_string())),
    }
}

/// Send a request for embeddings; the reply tells what came of each of its `expected` inputs.
pub fn ask_outcomes(request: &Request, expected: usize) -> Result<Vec<Outcome>> {
    match ask(request)? {
        Reply::Embeddings { items, .. } if items.len() == expected => Ok(items),
        _ => Err(unexpected()),
    }
}

/// A reply of another kind than what was asked for.
pub fn unexpected() -> Fault {
    malformed("The reply does not answer the request.".into())
}

/// What to do when the pack is not the one that was asked for by its hash.
const CHANGED: &str = "Put the pack with that hash back, and the other one under an id of its own. A collection keeps the \
    pack that it was made with, so another pack needs another collection.";

/// Turn the engine's refusal into an error.
pub fn refused(refusal: Refusal) -> Fault {
    let hint = if refusal.code == ErrorCode::ChangedPack { CHANGED.to_owned() } else { refusal.hint };
    Fault::new(condition(refusal.code), refusal.message).hint(hint)
}

/// The SQLSTATE of an engine's error.
pub fn condition(code: ErrorCode) -> Code {
    match code {
        ErrorCode::UnknownModel => Code::ERRCODE_UNDEFINED_OBJECT,
        ErrorCode::UnsupportedModality => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
        ErrorCode::BadInput => Code::ERRCODE_INVALID_PARAMETER_VALUE,
        ErrorCode::ChangedPack => Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        ErrorCode::Overloaded => Code::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
        ErrorCode::Internal | ErrorCode::BrokenPack => Code::ERRCODE_SYSTEM_ERROR,
    }
}

/// An input that no engine would take.
pub fn bad_input(message: impl Into<std::borrow::Cow<'static, str>>) -> Fault {
    Fault::new(Code::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

fn malformed(detail: String) -> Fault {
    Fault::new(Code::ERRCODE_SYSTEM_ERROR, "malformed reply of the embedding engine").detail(detail)
}

/// Copy an input; large ones fail as an ERROR, not an abort.
pub fn copy(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    out.try_reserve_exact(bytes.len()).map_err(|_| Fault::out_of_memory())?;
    out.extend_from_slice(bytes);
    Ok(out)
}
