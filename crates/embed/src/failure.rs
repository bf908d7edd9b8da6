//! Why a request fails: the protocol's code, and a message that says what was wrong and what would be right.

use std::fmt;

use vw_protocol::{ErrorCode, Refusal, Reply};

/// A failed request.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: ErrorCode,
    pub message: String,
    pub hint: String,
}

impl Failure {
    /// A failure with no hint.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: String::new() }
    }

    /// Add what would be right.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// The message and, where there is one, the hint: for people who see no more than one line.
    pub fn told(&self) -> String {
        if self.hint.is_empty() { self.message.clone() } else { format!("{}. {}", self.message, self.hint) }
    }

    /// The pack's files are not as they should be.
    pub fn pack(message: impl fmt::Display) -> Self {
        Self::new(ErrorCode::BrokenPack, message.to_string())
    }

    /// The runtime failed on an input that was in order.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(ErrorCode::Internal, message.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal { code: failure.code, message: failure.message, hint: failure.hint }
    }
}

impl From<Failure> for Reply {
    fn from(failure: Failure) -> Reply {
        Reply::Error(failure.into())
    }
}
