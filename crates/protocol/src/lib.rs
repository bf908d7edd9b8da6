//! The frames that the server library and `vw-engine` exchange over a unix socket.
//!
//! Pure `std`, so that the server library cannot link a model runtime through it. It frames and
//! checks bytes; it opens no socket and knows nothing of models.
//!
//! A frame is `u32` length of the rest, `u8` kind, body. Integers are little endian, a string or a
//! byte run is `u32` length and its bytes. One request is in flight per connection; hanging up
//! cancels it.

mod reader;
mod reply;
mod request;
mod writer;

pub use reply::{Embedding, ErrorCode, Model, Outcome, Refusal, Reply, TowerStats};
pub use request::{Modality, Request};

use std::fmt;

/// The largest frame that either side accepts, in bytes after the length word.
pub const MAX_FRAME: usize = 64 << 20;

/// Why bytes from the peer are not a frame of this protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// The length word names more than [`MAX_FRAME`] bytes, or none.
    FrameLength(usize),
    /// The body ends before the field that is named.
    Truncated(&'static str),
    /// Bytes follow the last field.
    Trailing(usize),
    /// The kind byte is not one of ours.
    UnknownKind(u8),
    /// A field holds a value outside its range.
    BadField(&'static str),
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameLength(n) => write!(f, "frame of {n} bytes; 1 to {MAX_FRAME} are allowed"),
            Self::Truncated(field) => write!(f, "frame ends before its {field}"),
            Self::Trailing(n) => write!(f, "{n} bytes follow the end of the frame"),
            Self::UnknownKind(kind) => write!(f, "unknown frame kind {kind:#04x}"),
            Self::BadField(field) => write!(f, "field {field} is out of range"),
        }
    }
}

impl std::error::Error for ProtocolError {}

/// Check a frame's length word and give the number of bytes that follow it.
pub fn frame_length(word: [u8; 4]) -> Result<usize, ProtocolError> {
    let length = u32::from_le_bytes(word) as usize;
    if length == 0 || length > MAX_FRAME {
        return Err(ProtocolError::FrameLength(length));
    }
    Ok(length)
}

#[cfg(test)]
mod tests;
