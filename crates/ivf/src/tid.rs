//! Tuple identifiers: where a member's row is in the heap. Whether it is there is the heap's to say.

use crate::layout::TID_BYTES;
use crate::{Error, reserve};

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

/// Tuple identifiers as they are on a page: most of those that a search copies are never looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tids(Vec<u8>);

impl Tids {
    /// Copy what is on a page, whatever it is, in place of what there was: see [`Tids::are_sound`].
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0.clear();
        reserve(&mut self.0, bytes.len())?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// Put others in place of what there was.
    pub(crate) fn set(&mut self, tids: &[Tid]) -> Result<(), Error> {
        self.0.clear();
        reserve(&mut self.0, tids.len() * TID_BYTES)?;
        tids.iter().for_each(|tid| self.0.extend_from_slice(&tid.to_bytes()));
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len() / TID_BYTES
    }

    pub(crate) fn get(&self, slot: usize) -> Option<Tid> {
        self.0.as_chunks().0.get(slot).map(|bytes| Tid::from_bytes(*bytes))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Tid> {
        self.0.as_chunks().0.iter().map(|bytes| Tid::from_bytes(*bytes))
    }

    /// Tell whether each is a tuple's place or that of a deleted member.
    pub(crate) fn are_sound(&self) -> bool {
        // All of them are looked at, whatever the first ones are: that goes faster.
        self.iter().fold(true, |sound, tid| sound & (tid.is_valid() | (tid == Tid::DELETED)))
    }

    /// Count those that are not deleted.
    pub(crate) fn live(&self) -> usize {
        self.iter().filter(|tid| tid.is_valid()).count()
    }

    /// Cross out those that are dead; give how many those are.
    pub(crate) fn cross_out(&mut self, dead: &mut dyn FnMut(Tid) -> bool) -> u64 {
        let mut crossed = 0;
        for bytes in self.0.as_chunks_mut().0 {
            let tid = Tid::from_bytes(*bytes);
            if tid.is_valid() && dead(tid) {
                *bytes = Tid::DELETED.to_bytes();
                crossed += 1;
            }
        }
        crossed
    }
}
