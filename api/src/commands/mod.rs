//! What the commands of the command line do.

pub mod check;
pub mod keys;
pub mod media;
pub mod serve;

use crate::error::Error;

/// Tell a person at the terminal what went wrong, the cause first.
fn said(error: Error) -> anyhow::Error {
    anyhow::anyhow!("{}", error.cause.unwrap_or(error.message))
}
