//! Lists that take the place of others. The new ones are written first, where nothing leads to them; then one transaction
//! takes the old ones out of the directory and puts the new ones in; then the old pages are freed.
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

/// A list that is to go: its directory page, its entry there, and what was read of it.
pub struct Old {
    pub home: Link,
    pub entry: Entry,
    pub list: List,
}

/// A list that is to come.
struct New {
    home: Link,
    entry: Entry,
    centroid: Vec<u8>,
    /// The pages of its open part.
    open: Vec<PageId>,
}

/// What came of a swap.
enum Swapped {
    /// Done; where a directory page had to become two, both of them.
    Done(Option<[Directory; 2]>),
    /// The first old list that has changed since it was read, as it is now.
    Changed(Entry),
}

impl<S: PageStore> Index<'_, S> {
    /// Replace lists by others, one at least, that together have the same members. They are of so few directory pages that
    /// these, the meta page, and one more if a page may become too full, are changed in one transaction. The caller has the
    /// store for itself.
    pub(crate) fn replace(&self, mut olds: Vec<Old>, drafts: Vec<Draft>, pause: &mut dyn FnMut()) -> Result<(), Error> {
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
            match self.swap(&olds, &news)? {
                Swapped::Done(spread) => {
                    for old in &olds {
                        self.free(&old.list.pages, |page| page.is_some_and(|page| page.list == old.entry.list))?;
                    }
                    return spread.map_or(Ok(()), |pages| self.spread(&pages));
                }
                Swapped::Changed(entry) => {
                    // More has come to the old list, which is to be with what is left over.
                    for new in &mut news {
                        let pages = std::mem::take(&mut new.open);
                        self.free(&pages, |page| page.is_some_and(|page| page.list == new.entry.list))?;
                    }
                    let old = olds.iter_mut().find(|old| old.entry.list == entry.list && old.entry != entry);
                    old.ok_or(Error::Corrupt { page: META_PAGE, what: "a list of it is another's" })?.entry = entry;
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
        Ok(New { home: draft.home, entry, centroid, open: Vec::new() })
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
    fn swap(&self, olds: &[Old], news: &[New]) -> Result<Swapped, Error> {
        let mut homes: Vec<Link> = olds.iter().map(|old| old.home).collect();
        homes.sort_by_key(|home| home.page);
        homes.dedup();
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        let full = self.overflow(&homes, olds, news)?;
        let pages: Vec<PageId> = homes.iter().map(|home| home.page).collect();
        let added = match full {
            Some(_) => Some(take_page(self.store, &mut transaction, &mut meta, &pages)?),
            None => None,
        };
        meta.exchange(olds, news);
        if homes.len() > 1 {
            meta.moves = meta.moves.wrapping_add(1);
        }
        let mut spread = None;
        for home in homes {
            let bytes = lock(self.store, &mut transaction, home)?;
            let table = Table::read(home, bytes, self.centroids.bytes())?;
            let mut directory: Directory = table.ok_or_else(|| gone(home))?;
            if let Some(changed) = exchange(&mut directory, olds, news)? {
                return Ok(Swapped::Changed(changed));
            }
            if let Some(page) = added.filter(|_| full == Some(home)) {
                let mut half = Table::empty(Link { page, epoch: meta.take_epoch()? }, self.centroids.bytes());
                self.halve(&mut directory, &mut half);
                half.next = directory.next;
                directory.next = Some(half.link);
                meta.live_pages = meta.live_pages.saturating_add(1);
                half.write(transaction.page(page)?)?;
                spread = Some([directory.clone(), half]);
            }
            directory.write(transaction.page(home.page)?)?;
        }
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(Swapped::Done(spread))
    }

    /// Find the directory page that has no room for what is to come.
    fn overflow(&self, homes: &[Link], olds: &[Old], news: &[New]) -> Result<Option<Link>, Error> {
        for home in homes {
            let here = self.directory(*home)?.records.len() + news.iter().filter(|new| new.home == *home).count();
            let gone = olds.iter().filter(|old| old.home == *home).count();
            if here > Directory::capacity(self.centroids.bytes()) + gone {
                return Ok(Some(*home));
            }
        }
        Ok(None)
    }
}

/// Take the old lists out of a directory page and put the new ones in; or give the first old one that has changed.
fn exchange(directory: &mut Directory, olds: &[Old], news: &[New]) -> Result<Option<Entry>, Error> {
    let home = directory.link;
    for old in olds.iter().filter(|old| old.home == home) {
        let found = directory.records.iter().find(|entry| entry.list == old.entry.list);
        match found.ok_or_else(|| gone(home))? {
            entry if *entry == old.entry => {}
            entry => return Ok(Some(*entry)),
        }
    }
    directory.retain(|entry| !olds.iter().any(|old| old.entry.list == entry.list));
    news.iter().filter(|new| new.home == home).for_each(|new| directory.push(new.entry, &new.centroid));
    Ok(None)
}

impl Meta {
    /// Count new lists in the place of old ones.
    fn exchange(&mut self, olds: &[Old], news: &[New]) {
        for Old { entry, .. } in olds {
            self.lists = self.lists.saturating_sub(1);
            self.live_pages = self.live_pages.saturating_sub(entry.pages());
            self.packed_members = self.packed_members.saturating_sub(u64::from(entry.packed_members));
            self.open_pages = self.open_pages.saturating_sub(entry.open_pages);
            self.turned = self.turned.saturating_add(entry.open_pages);
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
