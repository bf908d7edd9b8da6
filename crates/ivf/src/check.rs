//! The check: every page but the meta page is in the list once, free once, or left behind by a crash.

use std::fmt;

use crate::layout::{KIND_FREE, KIND_LIST, Link, META_PAGE};
use crate::meta::Meta;
use crate::page::{self, Header};
use crate::{Error, Index, PageId, PageStore};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A page of zeros that an undone transaction left behind. Harmless; the next vacuum frees it.
    Leaked(PageId),
    /// A page that is wrong, or in a wrong place.
    Wrong { page: PageId, what: &'static str },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaked(page) => write!(f, "page {} is new and unused; vacuum will free it", page.0),
            Self::Wrong { page, what } => write!(f, "page {}: {what}", page.0),
        }
    }
}

/// What a check counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub members: u64,
    /// Pages of the whole index, and where they were found.
    pub pages: u32,
    pub list_pages: u32,
    pub free_pages: u32,
    pub leaked_pages: u32,
    /// Problems reported, leaked pages among them.
    pub problems: u64,
}

impl<S: PageStore> Index<'_, S> {
    /// Read every page and report what is wrong, each problem once. Nothing may write meanwhile, or pages on their way
    /// are reported too. Fails where the store does, not where a page is corrupt.
    pub fn check(&self, report: &mut dyn FnMut(Problem)) -> Result<Checked, Error> {
        let mut check = Check::new(self.store, report)?;
        match self.meta() {
            Ok(meta) => {
                check.list(&meta)?;
                check.free(&meta)?;
                check.rest()?;
            }
            Err(error) => check.wrong_page(error)?,
        }
        Ok(check.counts)
    }
}

/// A check under way.
struct Check<'a, S: PageStore> {
    store: &'a S,
    report: &'a mut dyn FnMut(Problem),
    /// For each page, whether a chain led to it.
    reached: Vec<bool>,
    counts: Checked,
}

impl<'a, S: PageStore> Check<'a, S> {
    fn new(store: &'a S, report: &'a mut dyn FnMut(Problem)) -> Result<Self, Error> {
        let pages = store.pages();
        let mut reached = Vec::new();
        let bytes = pages as usize;
        reached.try_reserve_exact(bytes).map_err(|_| Error::OutOfMemory { bytes })?;
        reached.resize(bytes, false);
        Ok(Check { store, report, reached, counts: Checked { pages, ..Checked::default() } })
    }

    fn wrong(&mut self, page: PageId, what: &'static str) {
        self.counts.problems += 1;
        (self.report)(Problem::Wrong { page, what });
    }

    /// Report a corrupt page; give other errors back.
    fn wrong_page(&mut self, error: Error) -> Result<(), Error> {
        match error {
            Error::Corrupt { page, what } => self.wrong(page, what),
            Error::Format { .. } => self.wrong(META_PAGE, "its format is another version's"),
            other => return Err(other),
        }
        Ok(())
    }

    /// Walk the list's chain.
    fn list(&mut self, meta: &Meta) -> Result<(), Error> {
        let entry = meta.list;
        let (mut last, mut has_room_page) = (None, false);
        let mut next = Some(entry.head);
        while let Some(link) = next {
            let Some(header) = self.step(link, KIND_LIST, entry.list, meta.next_epoch)? else { break };
            self.counts.list_pages += 1;
            self.counts.members += header.count as u64;
            has_room_page |= link == entry.room;
            last = Some(link);
            next = header.next;
        }
        if last != Some(entry.tail) {
            self.wrong(entry.tail.page, "the meta page calls it the tail, and the list does not end there");
        }
        if !has_room_page {
            self.wrong(entry.room.page, "the meta page says it has room, and it is not in the list");
        }
        if self.counts.list_pages != entry.pages {
            self.wrong(META_PAGE, "it counts other pages in the list than there are");
        }
        Ok(())
    }

    /// Walk the free pages.
    fn free(&mut self, meta: &Meta) -> Result<(), Error> {
        let mut next = meta.free;
        while let Some(link) = next {
            let Some(header) = self.step(link, KIND_FREE, 0, meta.next_epoch)? else { break };
            self.counts.free_pages += 1;
            next = header.next;
        }
        if self.counts.free_pages != meta.free_pages {
            self.wrong(META_PAGE, "it counts other free pages than there are");
        }
        Ok(())
    }

    /// Follow a link; nothing where the chain cannot be followed further.
    fn step(&mut self, link: Link, kind: u16, list: u32, now: u64) -> Result<Option<Header>, Error> {
        let Some(reached) = self.reached.get_mut(link.page.0 as usize) else {
            self.wrong(link.page, "a link leads here, beyond the end of the index");
            return Ok(None);
        };
        if std::mem::replace(reached, true) {
            self.wrong(link.page, "more than one link leads to it");
            return Ok(None);
        }
        let bytes = self.store.read(link.page)?;
        let read = page::read(link.page, &bytes).and_then(|header| match header {
            Some(header) if kind == KIND_LIST => page::members(link.page, &bytes, &header).map(|_| Some(header)),
            header => Ok(header),
        });
        drop(bytes);
        match read {
            Ok(Some(header)) if header.is(kind, list, link.epoch) && link.epoch < now => return Ok(Some(header)),
            Ok(_) => self.wrong(link.page, "its kind, list or epoch is not what the link to it says"),
            Err(error) => self.wrong_page(error)?,
        }
        Ok(None)
    }

    /// Look at the pages that no chain led to.
    fn rest(&mut self) -> Result<(), Error> {
        for page in (1..self.counts.pages).map(PageId) {
            if self.reached.get(page.0 as usize) != Some(&false) {
                continue;
            }
            let read = page::read(page, &self.store.read(page)?);
            match read {
                Ok(None) => {
                    self.counts.problems += 1;
                    self.counts.leaked_pages += 1;
                    (self.report)(Problem::Leaked(page));
                }
                Ok(Some(_)) => self.wrong(page, "it is neither in the list nor free"),
                Err(error) => self.wrong_page(error)?,
            }
        }
        Ok(())
    }
}
