//! Numbers about an index: counted, which reads the list, or estimated, which reads the meta page.

use crate::cursor::Cursor;
use crate::{Error, Index, PageStore};

/// What was counted. Where others write meanwhile, the numbers are of different moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Members, dead ones among them.
    pub members: u64,
    /// Pages of the whole index.
    pub pages: u32,
    /// Pages that the list is on.
    pub list_pages: u32,
    /// Pages that wait to be used again.
    pub free_pages: u32,
}

/// What the meta page alone says, for a planner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Members as the last build or vacuum counted them, and full pages since.
    pub members: u64,
    /// Pages that a search reads besides the meta page; exact.
    pub list_pages: u32,
    /// Pages that wait to be used again; exact.
    pub free_pages: u32,
}

impl<S: PageStore> Index<'_, S> {
    /// Count members and pages; reads every page of the list.
    pub fn stats(&self) -> Result<Stats, Error> {
        let mut stats = Stats { free_pages: self.meta()?.free_pages, ..Stats::default() };
        let mut cursor = Cursor::at_head(self.store)?;
        while let Some(page) = cursor.next()? {
            stats.list_pages = stats.list_pages.saturating_add(1);
            stats.members = stats.members.saturating_add(page.members.len() as u64);
        }
        stats.pages = self.store.pages();
        Ok(stats)
    }

    /// Read members and pages from the meta page.
    pub fn estimate(&self) -> Result<Estimate, Error> {
        let meta = self.meta()?;
        let (members, list_pages) = (meta.list.members(), meta.list.pages);
        Ok(Estimate { members, list_pages, free_pages: meta.free_pages })
    }
}
