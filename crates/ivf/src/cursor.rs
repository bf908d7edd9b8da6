//! The walk along a list's chain, holding no lock between pages. Search, deletion and counting all go this way.
//!
//! Epochs rise along a chain and members never change pages. So when a page that the walk was sent to has been freed,
//! which happens to empty pages only, the walk asks the page before it for the new way, or begins again at the head and
//! passes over pages not newer than the last that it gave. README.md says why that misses nothing.

use crate::layout::{KIND_LIST, Link};
use crate::page::{self, Header};
use crate::{Error, Index, PageStore, Tid, index};

/// A list page as it was at one moment.
pub struct Visited {
    pub list: u32,
    pub link: Link,
    pub members: Vec<Tid>,
    pub next: Option<Link>,
}

/// A place in a list's chain.
pub struct Cursor<'s, S: PageStore> {
    index: Index<'s, S>,
    list: u32,
    /// The page that sent us on, or `None` where the meta page did.
    from: Option<Link>,
    next: Option<Link>,
    /// The epoch of the newest page given; 0 at first, when no page has it.
    seen: u64,
}

impl<'s, S: PageStore> Cursor<'s, S> {
    /// Stand before the head of the list.
    pub fn at_head(store: &'s S) -> Result<Self, Error> {
        let index = Index { store };
        let entry = index.meta()?.list;
        Ok(Cursor { index, list: entry.list, from: None, next: Some(entry.head), seen: 0 })
    }

    /// Stand behind page `from` of list `list`, whose link to the next page is `next`.
    pub fn behind(store: &'s S, list: u32, from: Link, next: Link) -> Self {
        Cursor { index: Index { store }, list, from: Some(from), next: Some(next), seen: from.epoch }
    }

    /// Give the next page, or nothing behind the tail.
    pub fn next(&mut self) -> Result<Option<Visited>, Error> {
        while let Some(link) = self.next {
            let Some(page) = self.read(link)? else {
                self.find_way(link)?;
                continue;
            };
            self.from = Some(link);
            self.next = page.next;
            if link.epoch > self.seen {
                self.seen = link.epoch;
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    /// Read the page that `link` means, unless it is no longer that page.
    fn read(&self, link: Link) -> Result<Option<Visited>, Error> {
        let bytes = self.index.store.read(index::known(self.index.store, link.page)?)?;
        let is_ours = |header: &Header| header.is(KIND_LIST, self.list, link.epoch);
        let Some(header) = page::read(link.page, &bytes)?.filter(is_ours) else { return Ok(None) };
        Ok(Some(Visited {
            list: self.list,
            link,
            members: page::members(link.page, &bytes, &header)?,
            next: header.next,
        }))
    }

    /// Go on after `lost` was found to be another page. A page is freed in the same transaction that takes it out of
    /// its chain, so whoever still links to it is corrupt: this cannot go on for ever.
    fn find_way(&mut self, lost: Link) -> Result<(), Error> {
        let corrupt = Err(Error::Corrupt { page: lost.page, what: "its list links to it, and it is not of that list" });
        if let Some(from) = self.from {
            if let Some(page) = self.read(from)? {
                self.next = page.next;
                return if page.next == Some(lost) { corrupt } else { Ok(()) };
            }
            self.from = None;
        } else if self.index.meta()?.list.head == lost {
            return corrupt;
        }
        let entry = self.index.meta()?.list;
        self.next = Some(entry.head);
        if entry.list == self.list { Ok(()) } else { corrupt }
    }
}
