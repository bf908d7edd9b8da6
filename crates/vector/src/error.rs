//! What can be wrong with a value, in pgvector's words and with its SQLSTATEs.

use std::fmt;

use crate::{Kind, WriteFloat, write_float};

/// A PostgreSQL error class, by the name that PostgreSQL gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlState {
    /// 08P01
    ProtocolViolation,
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
    /// XX000
    InternalError,
}

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// The text is not of the type's form; the second string is a detail or empty.
    Syntax(Kind, String, &'static str),
    /// A number, as it was written, does not fit the type's elements.
    OutOfRange(Kind, String),
    /// The same of a number that was computed; the server writes it in its own way ([`Error::written`]).
    NumberOutOfRange(Kind, f32),
    NoDimensions(Kind),
    TooManyDimensions(Kind),
    ExpectedDimensions {
        expected: i32,
        actual: usize,
    },
    DifferentDimensions(Kind, usize, usize),
    /// Bit strings of different lengths.
    DifferentLengths(usize, usize),
    Nan(Kind),
    Infinite(Kind),
    /// Arithmetic overflowed or underflowed.
    Overflow,
    Underflow,
    /// The unused word of the binary form is not zero.
    Unused(i32),
    /// The binary form ends too early.
    ShortMessage,
    /// A stored value does not have the length that its header asks for.
    Length,
    /// A declaration has no type modifier or several.
    TypmodCount,
    TypmodTooSmall(Kind),
    TypmodTooLarge(Kind),
    /// Counts and indices of a sparse vector.
    NegativeCount,
    TooManyElements,
    MoreElementsThanDimensions,
    IndexOutOfBounds,
    IndicesNotAscending,
    DuplicateIndex,
    /// The binary form of a sparse vector lists a zero.
    ZeroElement,
    /// The named function was not given an aggregate's state.
    State(&'static str),
}

impl Error {
    /// The SQLSTATE that goes with the message.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            Self::Syntax(..) => SqlState::InvalidTextRepresentation,
            Self::OutOfRange(..) | Self::NumberOutOfRange(..) | Self::Overflow | Self::Underflow => {
                SqlState::NumericValueOutOfRange
            }
            Self::TooManyDimensions(_) | Self::TooManyElements | Self::MoreElementsThanDimensions => {
                SqlState::ProgramLimitExceeded
            }
            Self::TypmodCount | Self::TypmodTooSmall(_) | Self::TypmodTooLarge(_) => SqlState::InvalidParameterValue,
            Self::ShortMessage => SqlState::ProtocolViolation,
            Self::State(_) => SqlState::InternalError,
            _ => SqlState::DataException,
        }
    }

    /// The same error with its number, if it has one, written by `write`.
    pub fn written(self, write: WriteFloat) -> Error {
        let Self::NumberOutOfRange(kind, number) = self else { return self };
        let mut text = Vec::new();
        write(&mut text, number);
        Self::OutOfRange(kind, String::from_utf8_lossy(&text).into_owned())
    }

    /// The DETAIL line, where there is one.
    pub fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Syntax(_, _, detail) if !detail.is_empty() => Some(detail),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(kind, text, _) => write!(f, "invalid input syntax for type {}: \"{text}\"", kind.name()),
            Self::OutOfRange(kind, text) => write!(f, "\"{text}\" is out of range for type {}", kind.name()),
            Self::NumberOutOfRange(..) => self.clone().written(write_float).fmt(f),
            Self::NoDimensions(kind) => write!(f, "{} must have at least 1 dimension", kind.name()),
            Self::TooManyDimensions(kind) => {
                write!(f, "{} cannot have more than {} dimensions", kind.name(), kind.max_dim())
            }
            Self::ExpectedDimensions { expected, actual } => write!(f, "expected {expected} dimensions, not {actual}"),
            Self::DifferentDimensions(kind, left, right) => {
                write!(f, "different {} dimensions {left} and {right}", kind.name())
            }
            Self::DifferentLengths(left, right) => write!(f, "different bit lengths {left} and {right}"),
            Self::Nan(kind) => write!(f, "NaN not allowed in {}", kind.name()),
            Self::Infinite(kind) => write!(f, "infinite value not allowed in {}", kind.name()),
            Self::Unused(value) => write!(f, "expected unused to be 0, not {value}"),
            Self::TypmodTooSmall(kind) => write!(f, "dimensions for type {} must be at least 1", kind.name()),
            Self::TypmodTooLarge(kind) => {
                write!(f, "dimensions for type {} cannot exceed {}", kind.name(), kind.max_dim())
            }
            Self::TooManyElements => {
                write!(f, "sparsevec cannot have more than {} non-zero elements", crate::MAX_NONZERO)
            }
            Self::State(function) => write!(f, "{function}: expected state array"),
            fixed => f.write_str(fixed.words()),
        }
    }
}

impl Error {
    /// The message of an error that names no value.
    fn words(&self) -> &'static str {
        match self {
            Self::Overflow => "value out of range: overflow",
            Self::Underflow => "value out of range: underflow",
            Self::ShortMessage => "insufficient data left in message",
            Self::TypmodCount => "invalid type modifier",
            Self::NegativeCount => "sparsevec cannot have negative number of elements",
            Self::MoreElementsThanDimensions => "sparsevec cannot have more elements than dimensions",
            Self::IndexOutOfBounds => "sparsevec index out of bounds",
            Self::IndicesNotAscending => "sparsevec indices must be in ascending order",
            Self::DuplicateIndex => "sparsevec indices must not contain duplicates",
            Self::ZeroElement => "binary representation of sparsevec cannot contain zero values",
            _ => "stored value has a length that does not match its header",
        }
    }
}

impl std::error::Error for Error {}
