//! What can be wrong with a value, in pgvector's words and with its SQLSTATEs.

use std::fmt;

/// A PostgreSQL error class, by the name that PostgreSQL gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlState {
    /// 22000
    DataException,
    /// 22003
    NumericValueOutOfRange,
    /// 22023
    InvalidParameterValue,
    /// 22P02
    InvalidTextRepresentation,
    /// 54000
    ProgramLimitExceeded,
}

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The text is not of the form `[1,2,3]`; the second string is a detail or empty.
    Syntax(String, &'static str),
    /// One number of the text does not fit a 4-byte float.
    OutOfRange(String),
    NoDimensions,
    TooManyDimensions,
    ExpectedDimensions {
        expected: i32,
        actual: usize,
    },
    DifferentDimensions(usize, usize),
    Nan,
    Infinite,
    /// Arithmetic overflowed or underflowed.
    Overflow,
    Underflow,
    /// The second word of the binary form is not zero.
    Unused(i16),
    /// The binary form or a stored value does not have the length that its dimensions ask for.
    Length,
}

impl Error {
    /// The SQLSTATE that goes with the message.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            Self::Syntax(..) => SqlState::InvalidTextRepresentation,
            Self::OutOfRange(_) | Self::Overflow | Self::Underflow => SqlState::NumericValueOutOfRange,
            Self::TooManyDimensions => SqlState::ProgramLimitExceeded,
            _ => SqlState::DataException,
        }
    }

    /// The DETAIL line, where there is one.
    pub fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Syntax(_, detail) if !detail.is_empty() => Some(detail),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(text, _) => write!(f, "invalid input syntax for type vector: \"{text}\""),
            Self::OutOfRange(text) => write!(f, "\"{text}\" is out of range for type vector"),
            Self::NoDimensions => write!(f, "vector must have at least 1 dimension"),
            Self::TooManyDimensions => write!(f, "vector cannot have more than {} dimensions", crate::MAX_DIM),
            Self::ExpectedDimensions { expected, actual } => {
                write!(f, "expected {expected} dimensions, not {actual}")
            }
            Self::DifferentDimensions(left, right) => write!(f, "different vector dimensions {left} and {right}"),
            Self::Nan => write!(f, "NaN not allowed in vector"),
            Self::Infinite => write!(f, "infinite value not allowed in vector"),
            Self::Overflow => write!(f, "value out of range: overflow"),
            Self::Underflow => write!(f, "value out of range: underflow"),
            Self::Unused(value) => write!(f, "expected unused to be 0, not {value}"),
            Self::Length => write!(f, "vector has a length that does not match its dimensions"),
        }
    }
}

impl std::error::Error for Error {}
