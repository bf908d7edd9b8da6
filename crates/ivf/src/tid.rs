//! Tuple identifiers: where a member's row is in the heap. Whether it is there is the heap's to say.

use crate::Error;

/// A heap tuple's block and line pointer, as in PostgreSQL's `ItemPointerData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid {
    /// The heap block, from 0; `u32::MAX` is no block.
    pub block: u32,
    /// The line pointer in the block, from 1.
    pub offset: u16,
}

impl Tid {
    /// Tell whether this can be a tuple's place.
    pub(crate) fn is_valid(self) -> bool {
        self.block != u32::MAX && self.offset != 0
    }

    /// Refuse what cannot be a tuple's place.
    pub(crate) fn checked(self) -> Result<Tid, Error> {
        if self.is_valid() { Ok(self) } else { Err(Error::InvalidTid(self)) }
    }
}
