//! The check: every page is the meta page, or where one chain leads to once, or free, or left behind by a crash.

use std::collections::HashSet;
use std::fmt;

use crate::layout::{
    KIND_CENTRE, KIND_DIRECTORY, KIND_FREE, KIND_HEAD, KIND_OPEN, KIND_ROOT, KIND_STREAM, Link, META_PAGE,
};
use crate::members::Members;
use crate::meta::Meta;
use crate::packed::{Head, Shape};
use crate::page::{self, Header};
use crate::table::{Directory, Entry, Root, Table};
use crate::{Error, Index, PageId, PageStore, centre, open};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A page that an undone transaction, or a list that never came to be, left behind. Harmless; the next vacuum
    /// frees it.
    Leaked(PageId),
    /// A page that is wrong, or in a wrong place.
    Wrong { page: PageId, what: &'static str },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leaked(page) => write!(f, "page {} was left behind unused; vacuum will free it", page.0),
            Self::Wrong { page, what } => write!(f, "page {}: {what}", page.0),
        }
    }
}

/// What a check counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    pub members: u64,
    pub lists: u64,
    /// Pages of the whole index; pages that chains lead to, the meta page among them; free ones; left-behind ones.
    pub pages: u32,
    pub live_pages: u32,
    pub free_pages: u32,
    pub leaked_pages: u32,
    /// Problems reported, leaked pages among them.
    pub problems: u64,
}

impl<S: PageStore> Index<'_, S> {
    /// Read every page and report what is wrong, each problem once. Nothing may write meanwhile, or pages on their way
    /// are reported too. Fails where the store does, not where a page is corrupt.
    pub fn check(&self, report: &mut dyn FnMut(Problem), pause: &mut dyn FnMut()) -> Result<Checked, Error> {
        let mut check = Check::new(self, report, pause)?;
        match self.meta() {
            Ok(meta) => {
                check.counts.live_pages = 1;
                check.centre(&meta)?;
                check.root(&meta)?;
                check.directory(&meta)?;
                check.free(&meta)?;
                check.totals(&meta);
                check.rest()?;
            }
            Err(error) => check.wrong_page(error)?,
        }
        Ok(check.counts)
    }
}

/// A check under way.
struct Check<'a, 's, S: PageStore> {
    index: &'a Index<'s, S>,
    report: &'a mut dyn FnMut(Problem),
    pause: &'a mut dyn FnMut(),
    /// For each page, whether a chain led to it.
    reached: Vec<bool>,
    /// Directory pages that the root names.
    named: Vec<Link>,
    lists: HashSet<u32>,
    packed_members: u64,
    open_pages: u32,
    counts: Checked,
}

impl<'a, 's, S: PageStore> Check<'a, 's, S> {
    fn new(
        index: &'a Index<'s, S>,
        report: &'a mut dyn FnMut(Problem),
        pause: &'a mut dyn FnMut(),
    ) -> Result<Self, Error> {
        let pages = index.store.pages();
        let mut reached = Vec::new();
        let bytes = pages as usize;
        reached.try_reserve_exact(bytes).map_err(|_| Error::OutOfMemory { bytes })?;
        reached.resize(bytes, false);
        let counts = Checked { pages, ..Checked::default() };
        let (named, lists) = (Vec::new(), HashSet::new());
        Ok(Check { index, report, pause, reached, named, lists, packed_members: 0, open_pages: 0, counts })
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

    /// Follow a link to a page and read it with `read`; nothing where the way cannot be followed further.
    fn step<T>(
        &mut self,
        link: Link,
        now: u64,
        read: impl FnOnce(&[u8]) -> Result<Option<T>, Error>,
    ) -> Result<Option<T>, Error> {
        (self.pause)();
        let Some(reached) = self.reached.get_mut(link.page.0 as usize) else {
            self.wrong(link.page, "a link leads here, beyond the end of the index");
            return Ok(None);
        };
        if std::mem::replace(reached, true) {
            self.wrong(link.page, "more than one link leads to it");
            return Ok(None);
        }
        let read = read(&self.index.store.read(link.page)?);
        match read {
            Ok(Some(found)) if link.epoch < now => {
                self.counts.live_pages += 1;
                return Ok(Some(found));
            }
            Ok(_) => self.wrong(link.page, "its kind, list or epoch is not what the link to it says"),
            Err(error) => self.wrong_page(error)?,
        }
        Ok(None)
    }

    fn centre(&mut self, meta: &Meta) -> Result<(), Error> {
        let mut next = meta.centre;
        while let Some(link) = next {
            let header = self.step(link, meta.next_epoch, |bytes| page::meant(link, bytes, KIND_CENTRE, 0))?;
            next = header.and_then(|header: Header| header.next.link());
        }
        if let Some(Err(error)) = meta.centre.map(|link| centre::read(self.index.store, link, &meta.options)) {
            self.wrong_page(error)?;
        }
        Ok(())
    }

    fn root(&mut self, meta: &Meta) -> Result<(), Error> {
        let width = self.index.centroids.bytes();
        let (mut next, mut last) = (Some(meta.root), None);
        while let Some(link) = next {
            let root: Option<Root> = self.step(link, meta.next_epoch, |bytes| Table::read(link, bytes, width))?;
            let Some(root) = root else { break };
            self.named.extend(&root.records);
            last = Some(link);
            next = root.next;
        }
        if last != Some(meta.root_tail) {
            self.wrong(
                meta.root_tail.page,
                "the meta page calls it the end of the root, and the root does not end there",
            );
        }
        Ok(())
    }

    /// Walk the directory and every list.
    fn directory(&mut self, meta: &Meta) -> Result<(), Error> {
        let width = self.index.centroids.bytes();
        let mut links = HashSet::new();
        let mut next = Some(meta.directory);
        while let Some(link) = next {
            let read: Option<Directory> = self.step(link, meta.next_epoch, |bytes| Table::read(link, bytes, width))?;
            let Some(directory) = read else { break };
            for entry in &directory.records {
                self.list(meta, link, entry)?;
            }
            links.insert(link);
            next = directory.next;
        }
        let named = std::mem::take(&mut self.named);
        if let Some(link) = named.iter().find(|link| !links.contains(link)) {
            self.wrong(link.page, "the root names it, and it is not in the directory");
        }
        Ok(())
    }

    /// Walk a list.
    fn list(&mut self, meta: &Meta, directory: Link, entry: &Entry) -> Result<(), Error> {
        if entry.list == 0 || entry.list >= meta.next_list || !self.lists.insert(entry.list) {
            self.wrong(directory.page, "it has a list whose number is another's, or was never given");
        }
        self.counts.lists += 1;
        let before = self.counts.live_pages;
        let mut next = entry.packed;
        let mut members = 0;
        while let Some(link) = next {
            let shape = Shape::of(&self.index.codec);
            let head = self.step(link, meta.next_epoch, |bytes| Head::read(link, bytes, entry.list, shape))?;
            let Some(head) = head else { break };
            for page in &head.stream {
                let link = Link { page: *page, epoch: head.link.epoch };
                self.step(link, meta.next_epoch, |bytes| page::meant(link, bytes, KIND_STREAM, entry.list))?;
            }
            members += head.tids.len() as u64;
            self.counts.members += head.tids.live() as u64;
            next = head.next;
        }
        self.packed_members += u64::from(entry.packed_members);
        if members != u64::from(entry.packed_members) || self.counts.live_pages - before != entry.packed_pages {
            self.wrong(directory.page, "it counts other members or pages of a packed part than there are");
        }
        self.open(meta, directory, entry)
    }

    /// Walk the open part of a list.
    fn open(&mut self, meta: &Meta, directory: Link, entry: &Entry) -> Result<(), Error> {
        let (mut next, mut last, mut pages) = (entry.open, None, 0);
        let row_bytes = self.index.codec.row_bytes();
        while let Some(link) = next {
            let mut members = Members::new(row_bytes);
            let read = |bytes: &[u8]| open::read(link, bytes, entry.list, row_bytes, usize::MAX, &mut members);
            let Some(header) = self.step(link, meta.next_epoch, read)? else { break };
            self.counts.members += header.count as u64;
            pages += 1;
            last = Some(link);
            next = header.next.link();
        }
        self.open_pages += pages;
        if last != entry.tail || pages != entry.open_pages {
            self.wrong(directory.page, "it counts other pages of an open part than there are, or it ends elsewhere");
        }
        Ok(())
    }

    /// Walk the free pages.
    fn free(&mut self, meta: &Meta) -> Result<(), Error> {
        let live = self.counts.live_pages;
        let mut next = meta.free;
        while let Some(link) = next {
            let header = self.step(link, meta.next_epoch, |bytes| page::meant(link, bytes, KIND_FREE, 0))?;
            let Some(header) = header else { break };
            self.counts.free_pages += 1;
            next = header.next.link();
        }
        self.counts.live_pages = live;
        if self.counts.free_pages != meta.free_pages {
            self.wrong(META_PAGE, "it counts other free pages than there are");
        }
        Ok(())
    }

    /// Compare what was met with what the meta page counts.
    fn totals(&mut self, meta: &Meta) {
        let met = (self.counts.live_pages, self.counts.lists, self.packed_members, self.open_pages);
        if met != (meta.live_pages, u64::from(meta.lists), meta.packed_members, meta.open_pages) {
            self.wrong(META_PAGE, "it counts other pages, lists or members than there are");
        }
    }

    /// Look at the pages that no chain led to.
    fn rest(&mut self) -> Result<(), Error> {
        for page in (1..self.counts.pages).map(PageId) {
            if self.reached.get(page.0 as usize) != Some(&false) {
                continue;
            }
            (self.pause)();
            let read = page::read(page, &self.index.store.read(page)?);
            match read {
                Ok(Some(header)) if !self.is_left_behind(&header) => {
                    self.wrong(page, "no chain leads to it, and it is of one that there is");
                }
                Ok(_) => {
                    self.counts.problems += 1;
                    self.counts.leaked_pages += 1;
                    (self.report)(Problem::Leaked(page));
                }
                Err(error) => self.wrong_page(error)?,
            }
        }
        Ok(())
    }

    /// Tell whether a page that no chain leads to is what an undone change would leave.
    fn is_left_behind(&self, header: &Header) -> bool {
        match header.kind {
            KIND_HEAD | KIND_STREAM | KIND_OPEN => !self.lists.contains(&header.list),
            KIND_ROOT | KIND_DIRECTORY => true,
            _ => false,
        }
    }
}
