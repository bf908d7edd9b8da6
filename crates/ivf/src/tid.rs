//! Tuple identifiers: where a member's row is in the heap. Whether it is there is the heap's to say.

use crate::Error;
use crate::layout::TID_BYTES;

/// A heap tuple's block and line pointer, as in PostgreSQL's `ItemPointerData`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid {
    /// The heap block, from 0; `u32::MAX` is no block.
    pub block: u32,
    /// The line pointer in the block, from 1.
    pub offset: u16,
}

impl Tid {
    /// What stands in the place of a member that was deleted.
    pub(crate) const DELETED: Tid = Tid { block: u32::MAX, offset: 0 };

    /// Tell whether this can be a tuple's place.
    #[inline]
    pub(crate) fn is_valid(self) -> bool {
        self.block != u32::MAX && self.offset != 0
    }

    /// Refuse what cannot be a tuple's place.
    pub(crate) fn checked(self) -> Result<Tid, Error> {
        if self.is_valid() { Ok(self) } else { Err(Error::InvalidTid(self)) }
    }

    #[inline]
    pub(crate) fn from_bytes([a, b, c, d, e, f]: [u8; TID_BYTES]) -> Tid {
        Tid { block: u32::from_le_bytes([a, b, c, d]), offset: u16::from_le_bytes([e, f]) }
    }

    pub(crate) fn to_bytes(self) -> [u8; TID_BYTES] {
        let [a, b, c, d] = self.block.to_le_bytes();
        let [e, f] = self.offset.to_le_bytes();
        [a, b, c, d, e, f]
    }
}
