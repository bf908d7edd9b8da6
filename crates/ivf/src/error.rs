//! What can go wrong with an index, each said once: what was wrong, where, and what would be right.

use std::fmt;

use crate::{PageId, StoreError, Tid};

/// Why an operation on the index failed. None of them leaves a change half done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The store could not give or change a page.
    Store(StoreError),
    /// A page does not hold what its place in the index says; `what` says what is wrong with it.
    Corrupt { page: PageId, what: &'static str },
    /// The index was written in a format that this version does not read.
    Format { found: u16, known: u16 },
    /// An index is made in an empty store only.
    NotEmpty { pages: u32 },
    /// No heap tuple can have this place.
    InvalidTid(Tid),
    /// There is no memory for what the index holds.
    OutOfMemory { bytes: usize },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Corrupt { page, what } => write!(f, "page {} of the index is corrupt: {what}", page.0),
            Self::Format { found, known } => {
                write!(f, "the index has format {found}, this version reads format {known}; REINDEX it")
            }
            Self::NotEmpty { pages } => write!(f, "an index is made in an empty store; this one has {pages} pages"),
            Self::InvalidTid(tid) => {
                write!(f, "({},{}) is no tuple identifier: offsets count from 1", tid.block, tid.offset)
            }
            Self::OutOfMemory { bytes } => write!(f, "no memory for {bytes} bytes more"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Error {
        Error::Store(error)
    }
}

/// Make room for so many values more, or fail with [`Error::OutOfMemory`].
pub(crate) fn reserve<T>(values: &mut Vec<T>, count: usize) -> Result<(), Error> {
    values.try_reserve(count).map_err(|_| Error::OutOfMemory { bytes: count.saturating_mul(size_of::<T>()) })
}
