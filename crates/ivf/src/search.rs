//! Search: every member of the index, a page at a time. Distances and their order are the caller's: they come from the
//! heap.

use crate::cursor::Cursor;
use crate::{Error, Index, PageStore, Tid};

/// A search under way. It holds no lock between calls, and a page's worth of members in memory.
pub struct Search<'s, S: PageStore> {
    cursor: Cursor<'s, S>,
    members: std::vec::IntoIter<Tid>,
    pages: u32,
    done: bool,
}

impl<'s, S: PageStore> Index<'s, S> {
    /// Begin a search.
    pub fn search(&self) -> Result<Search<'s, S>, Error> {
        let cursor = Cursor::at_head(self.store)?;
        Ok(Search { cursor, members: Vec::new().into_iter(), pages: 0, done: false })
    }
}

impl<S: PageStore> Search<'_, S> {
    /// Give the members, each once: all that were there from the search's begin to its end, and of those that came or
    /// went meanwhile some. The first error ends it.
    pub fn members(&mut self) -> impl Iterator<Item = Result<Tid, Error>> {
        std::iter::from_fn(|| self.next().transpose())
    }

    /// Count the list pages read so far.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    fn next(&mut self) -> Result<Option<Tid>, Error> {
        loop {
            if let Some(tid) = self.members.next() {
                return Ok(Some(tid));
            }
            if std::mem::replace(&mut self.done, true) {
                return Ok(None);
            }
            if let Some(page) = self.cursor.next()? {
                self.members = page.members.into_iter();
                self.pages = self.pages.saturating_add(1);
                self.done = false;
            }
        }
    }
}
