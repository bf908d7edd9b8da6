//! Members on their way between pages: tuple identifiers, and rows of one length.

use crate::{Error, Tid};

/// Members in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members {
    pub tids: Vec<Tid>,
    rows: Vec<u8>,
    row_bytes: usize,
}

impl Members {
    /// No members yet, whose rows will have so many bytes.
    pub fn new(row_bytes: usize) -> Members {
        Members { row_bytes, ..Members::default() }
    }

    /// Add a member. Fails where there is no memory, since how many there are is the user's doing.
    pub fn push(&mut self, tid: Tid, row: &[u8]) -> Result<(), Error> {
        let bytes = row.len();
        let fits = self.tids.try_reserve(1).is_ok() && self.rows.try_reserve(bytes).is_ok();
        if !fits || bytes != self.row_bytes {
            return Err(Error::OutOfMemory { bytes });
        }
        self.tids.push(tid);
        self.rows.extend_from_slice(row);
        Ok(())
    }

    /// Give a member's row; nothing where there is none.
    pub fn row(&self, at: usize) -> &[u8] {
        self.rows.get(at * self.row_bytes..(at + 1) * self.row_bytes).unwrap_or_default()
    }

    /// Give the members in order.
    pub fn iter(&self) -> impl Iterator<Item = (Tid, &[u8])> {
        self.tids.iter().enumerate().map(|(at, tid)| (*tid, self.row(at)))
    }

    /// Count the members.
    pub fn len(&self) -> usize {
        self.tids.len()
    }

    /// Keep the members whose identifiers `keep` names, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(Tid) -> bool) -> Result<(), Error> {
        let mut kept = Members::new(self.row_bytes);
        self.iter().filter(|(tid, _)| keep(*tid)).try_for_each(|(tid, row)| kept.push(tid, row))?;
        *self = kept;
        Ok(())
    }
}
