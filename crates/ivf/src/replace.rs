//! Lists that take the place of others. The new ones are written first, where nothing leads to them; then one transaction
//! on one directory page takes the old ones out and puts the new ones in; then the old pages are freed.
//!
//! Whoever replaces lists holds the store's exclusive lock. Inserts go on meanwhile: what comes to an old list after it
//! was read is found when its last page is closed, and goes along. Searches go on too: one that reads an old list finds
//! it whole, or finds a page of it used for something else, and asks the directory again.

use crate::allocate::take_page;
use crate::draft::Draft;
use crate::index::{lock, lock_meta};
use crate::layout::{KIND_OPEN, Link, META_PAGE, Next};
use crate::list::List;
use crate::members::Members;
use crate::meta::Meta;
use crate::packed::Packed;
use crate::page::{self, Header};
use crate::table::{Directory, Entry, Table};
use crate::{Error, Index, PageId, PageStore, Transaction, open};

/// A list that is to go, and what was read of it.
pub struct Old {
    pub entry: Entry,
    pub list: List,
}

/// A list that is to come.
struct New {
    entry: Entry,
    centroid: Vec<u8>,
    /// The pages of its open part.
    open: Vec<PageId>,
}

/// What came of a swap.
enum Swapped {
    /// Done: the directory page as it is now, and one that was added to it.
    Done(Directory, Option<Directory>),
    /// The first old list that has changed since it was read, as it is now.
    Changed(Entry),
}

impl<S: PageStore> Index<'_, S> {
    /// Replace lists of one directory page by others that together have the same members. The caller has the store for
    /// itself.
    pub(crate) fn replace(
        &self,
        directory: Link,
        mut olds: Vec<Old>,
        drafts: Vec<Draft>,
        pause: &mut dyn FnMut(),
    ) -> Result<(), Error> {
        let met: Vec<usize> = olds.iter().map(|old| old.list.members.len()).collect();
        let mut news = Vec::new();
        for draft in &drafts {
            news.push(self.write_draft(draft, pause)?);
        }
        loop {
            for old in &mut olds {
                self.close(old, pause)?;
            }
            self.write_leftovers(&olds, &met, &drafts, &mut news)?;
            match self.swap(directory, &olds, &news)? {
                Swapped::Done(directory, more) => {
                    for old in &olds {
                        self.free(&old.list.pages, |page| page.is_some_and(|page| page.list == old.entry.list))?;
                    }
                    return more.map_or(Ok(()), |more| self.spread(&directory, &more));
                }
                Swapped::Changed(entry) => {
                    // More has come to the old list, which is to be with what is left over.
                    for new in &mut news {
                        let pages = std::mem::take(&mut new.open);
                        self.free(&pages, |page| page.is_some_and(|page| page.list == new.entry.list))?;
                    }
                    let old = olds.iter_mut().find(|old| old.entry.list == entry.list && old.entry != entry);
                    old.ok_or_else(|| gone(directory))?.entry = entry;
                }
            }
        }
    }

    /// Write the packed part of a new list.
    fn write_draft(&self, draft: &Draft, pause: &mut dyn FnMut()) -> Result<New, Error> {
        let list = self.take_list()?;
        let Packed { first: packed, pages: packed_pages } = self.pack(list, &draft.members, pause)?;
        let packed_members = u32::try_from(draft.members.len()).unwrap_or(u32::MAX);
        let entry = Entry { list, packed, packed_members, packed_pages, ..Entry::default() };
        let mut centroid = Vec::new();
        self.centroids.encode(&draft.centroid, &mut centroid);
        Ok(New { entry, centroid, open: Vec::new() })
    }

    /// Take the number of a new list.
    fn take_list(&self) -> Result<u32, Error> {
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        let list = meta.take_list()?;
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(list)
    }

    /// Close the last page of an old list, when all that is on it has been read.
    fn close(&self, old: &mut Old, pause: &mut dyn FnMut()) -> Result<(), Error> {
        loop {
            if !self.opened(&old.entry, &mut old.list, pause)? {
                return Err(gone(old.entry.open.unwrap_or(Link { page: META_PAGE, epoch: 0 })));
            }
            let Some((tail, count)) = old.list.end else { return Ok(()) };
            let mut transaction = self.store.begin();
            let bytes = lock(self.store, &mut transaction, tail)?;
            let header = page::meant(tail, bytes, KIND_OPEN, old.entry.list)?.ok_or_else(|| gone(tail))?;
            if header.next.link().is_some() || header.count != count {
                continue;
            }
            if header.next == Next::None {
                page::seal(tail.page, bytes, &Header { next: Next::Closed, ..header })?;
                transaction.commit()?;
            }
            return Ok(());
        }
    }

    /// Write what came to the old lists since they were read as the open parts of the new ones.
    fn write_leftovers(&self, olds: &[Old], met: &[usize], drafts: &[Draft], news: &mut [New]) -> Result<(), Error> {
        let mut shares: Vec<Members> = drafts.iter().map(|_| Members::new(self.codec.row_bytes())).collect();
        let mut point = Vec::new();
        for (old, met) in olds.iter().zip(met) {
            for (tid, row) in old.list.members.iter().skip(*met) {
                let at = if self.codec.decode(row, &mut point) { Draft::nearest(drafts, &point) } else { 0 };
                shares.get_mut(at).map_or(Ok(()), |share| share.push(tid, row))?;
            }
        }
        for (share, new) in shares.iter().zip(news) {
            let links = self.write_open(new.entry.list, share)?;
            new.open = links.iter().map(|link| link.page).collect();
            new.entry.open_pages = links.len() as u32;
            (new.entry.open, new.entry.tail) = (links.first().copied(), links.last().copied());
        }
        Ok(())
    }

    /// Write members as an open part; give its pages.
    fn write_open(&self, list: u32, members: &Members) -> Result<Vec<Link>, Error> {
        let capacity = open::capacity(self.codec.row_bytes()).max(1);
        let epochs: Vec<u64> =
            (0..members.len().div_ceil(capacity)).map(|_| self.take_epoch()).collect::<Result<_, _>>()?;
        let mut links: Vec<Link> = Vec::new();
        for (at, epoch) in epochs.iter().enumerate().rev() {
            let mut part = Members::new(self.codec.row_bytes());
            members.iter().skip(at * capacity).take(capacity).try_for_each(|(tid, row)| part.push(tid, row))?;
            let next = Next::from(links.last().copied());
            links.push(self.place(Some(*epoch), |link, bytes| open::write(link, bytes, list, next, &part))?);
        }
        links.reverse();
        Ok(links)
    }

    /// Put the new lists in the place of the old ones.
    fn swap(&self, link: Link, olds: &[Old], news: &[New]) -> Result<Swapped, Error> {
        let width = self.centroids.bytes();
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        let count = (self.directory(link)?.records.len() + news.len()).saturating_sub(olds.len());
        let added = match count > Directory::capacity(width) {
            true => Some(take_page(self.store, &mut transaction, &mut meta, [link.page])?),
            false => None,
        };
        let table = Table::read(link, lock(self.store, &mut transaction, link)?, width)?;
        let mut directory: Directory = table.ok_or_else(|| gone(link))?;
        for old in olds {
            let found = directory.records.iter().find(|entry| entry.list == old.entry.list);
            match found.ok_or_else(|| gone(link))? {
                entry if *entry == old.entry => {}
                entry => return Ok(Swapped::Changed(*entry)),
            }
        }
        directory.retain(|entry| !olds.iter().any(|old| old.entry.list == entry.list));
        news.iter().for_each(|new| directory.push(new.entry, &new.centroid));
        meta.exchange(olds, news);
        let mut more = None;
        if let Some(page) = added {
            let mut half = Table::empty(Link { page, epoch: meta.take_epoch()? }, width);
            self.halve(&mut directory, &mut half);
            half.next = directory.next;
            directory.next = Some(half.link);
            meta.live_pages = meta.live_pages.saturating_add(1);
            half.write(transaction.page(page)?)?;
            more = Some(half);
        }
        directory.write(transaction.page(link.page)?)?;
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(Swapped::Done(directory, more))
    }
}

impl Meta {
    /// Count new lists in the place of old ones.
    fn exchange(&mut self, olds: &[Old], news: &[New]) {
        for Old { entry, .. } in olds {
            self.lists = self.lists.saturating_sub(1);
            self.live_pages = self.live_pages.saturating_sub(entry.pages());
            self.packed_members = self.packed_members.saturating_sub(u64::from(entry.packed_members));
            self.open_pages = self.open_pages.saturating_sub(entry.open_pages);
        }
        for New { entry, .. } in news {
            self.lists = self.lists.saturating_add(1);
            self.live_pages = self.live_pages.saturating_add(entry.pages());
            self.packed_members = self.packed_members.saturating_add(u64::from(entry.packed_members));
            self.open_pages = self.open_pages.saturating_add(entry.open_pages);
        }
    }
}

/// The error of a page that only the holder of the exclusive lock can take away, and did not.
fn gone(link: Link) -> Error {
    Error::Corrupt { page: link.page, what: "it went away while its list was being replaced" }
}
