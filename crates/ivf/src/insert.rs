//! Insert: onto the last open page of the nearest list, or onto a new page behind it.
//!
//! The usual insert changes one page. The meta page is locked only where that one is full, and then it is asked whether
//! the list wants to be packed or split.

use crate::allocate::take_page;
use crate::index::{known, lock, lock_meta};
use crate::layout::{KIND_OPEN, Link, META_PAGE, Next};
use crate::members::Members;
use crate::page::{self, Header};
use crate::route::Spot;
use crate::{Error, Index, PageStore, Tid, Transaction, open};

/// What came of an insert into a certain list.
enum Outcome {
    Done,
    /// Its last page has no room.
    Full,
    /// It has a page more now, on which the member is.
    Grown,
    /// The list has changed since it was read.
    Stale,
    /// The list is being replaced.
    Closed,
}

impl<S: PageStore> Index<'_, S> {
    /// Add a member. It is in the index for good when this returns; a crash before leaves it in or out, whole.
    /// Whether it is there already is not asked. `vector` has the index's dimensions, or any where it keeps no codes;
    /// `pause` is called now and then with no page locked.
    pub fn insert(&self, tid: Tid, vector: &[f32], pause: &mut dyn FnMut()) -> Result<(), Error> {
        let tid = tid.checked()?;
        let (mut projected, mut row) = (Vec::new(), Vec::new());
        self.codec.project(vector, &mut projected);
        self.codec.encode(&projected, &mut row);
        let point = self.codec.near(&projected);
        let mut suspect = None;
        loop {
            pause();
            let spot = self.nearest(&point)?;
            match self.append(&spot, tid, &row)? {
                Outcome::Done => return Ok(()),
                Outcome::Grown => return self.reshape(&spot, pause),
                Outcome::Full => {}
                // Whoever replaces the list holds the lock until that is done.
                Outcome::Closed => self.reopen(&spot)?,
                // Epochs are never given twice, so the directory says something else by now, unless it is wrong.
                Outcome::Stale if suspect == Some(spot) => {
                    let what = "it names an open page that is not of its list";
                    return Err(Error::Corrupt { page: spot.directory.page, what });
                }
                Outcome::Stale => suspect = Some(spot),
            }
        }
    }

    /// Add a member to a list.
    fn append(&self, spot: &Spot, tid: Tid, row: &[u8]) -> Result<Outcome, Error> {
        let Some(tail) = spot.entry.tail else { return self.grow(spot, tid, row) };
        let mut outcome = Outcome::Full;
        self.store.patch(known(self.store, tail.page)?, |bytes| {
            let header = page::found(self.store, tail, bytes, KIND_OPEN, spot.entry.list)?;
            let room = open::capacity(row.len());
            outcome = match header {
                None => Outcome::Stale,
                Some(Header { next: Next::Closed, .. }) => Outcome::Closed,
                // Also where a deletion has made room on it: who replaces the list closes its last page and no other.
                Some(Header { next: Next::Page(_), .. }) => Outcome::Stale,
                Some(header) if header.count < room => {
                    let patched = open::append(tail.page, bytes, &header, tid, row)?;
                    // The next insert looks at what this one has written.
                    page::note(self.store, tail.page, bytes);
                    outcome = Outcome::Done;
                    return Ok::<_, Error>(Some(patched));
                }
                Some(_) => Outcome::Full,
            };
            Ok(None)
        })?;
        match outcome {
            Outcome::Full => self.grow(spot, tid, row),
            outcome => Ok(outcome),
        }
    }

    /// Put a new open page with one member behind the last one of a list.
    fn grow(&self, spot: &Spot, tid: Tid, row: &[u8]) -> Result<Outcome, Error> {
        let Spot { directory, entry } = *spot;
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        // Asked before the last page is locked: it may be free by now, and the first to be taken.
        let mut table = self.directory(directory)?;
        let Some(record) = table.records.iter_mut().find(|record| **record == entry) else {
            return Ok(Outcome::Stale);
        };
        let new = match entry.tail {
            Some(tail) => take_page(self.store, &mut transaction, &mut meta, &[directory.page, tail.page])?,
            None => take_page(self.store, &mut transaction, &mut meta, &[directory.page])?,
        };
        let link = Link { page: new, epoch: meta.take_epoch()? };
        if let Some(tail) = entry.tail {
            let bytes = transaction.page(tail.page)?;
            let Some(header) = page::meant(tail, bytes, KIND_OPEN, entry.list)? else { return Ok(Outcome::Stale) };
            match header.next {
                Next::Closed => return Ok(Outcome::Closed),
                Next::Page(_) => return Ok(Outcome::Stale),
                Next::None => page::seal(tail.page, bytes, &Header { next: Next::Page(link), ..header })?,
            }
        }
        record.tail = Some(link);
        record.open = record.open.or(Some(link));
        record.open_pages = record.open_pages.saturating_add(1);
        meta.open_pages = meta.open_pages.saturating_add(1);
        meta.live_pages = meta.live_pages.saturating_add(1);
        let mut members = Members::new(row.len());
        members.push(tid, row)?;
        open::write(link, transaction.page(new)?, entry.list, Next::None, &members)?;
        table.write(transaction.page(directory.page)?)?;
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(Outcome::Grown)
    }

    /// Wait until nobody replaces a list, and open it again if it still is there, closed: whoever closed it is gone.
    fn reopen(&self, spot: &Spot) -> Result<(), Error> {
        let _alone = self.store.exclusive()?;
        let directory = self.directory(spot.directory)?;
        let entry = directory.records.iter().find(|entry| entry.list == spot.entry.list);
        let Some(tail) = entry.and_then(|entry| entry.tail) else { return Ok(()) };
        let mut transaction = self.store.begin();
        let bytes = lock(self.store, &mut transaction, tail)?;
        let header = page::meant(tail, bytes, KIND_OPEN, spot.entry.list)?;
        if let Some(header) = header.filter(|header| header.next == Next::Closed) {
            page::seal(tail.page, bytes, &Header { next: Next::None, ..header })?;
            transaction.commit()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! The risk: a member that is put where whoever replaces the list has looked already, and so is lost with it.

    use super::*;
    use crate::codec::{Coding, Metric};
    use crate::memory::MemoryStore;
    use crate::{Options, create};

    #[test]
    fn nothing_is_put_on_a_page_that_is_not_the_last() {
        let store = MemoryStore::default();
        let options = Options { dimensions: 60, lists: 0, metric: Metric::L2, coding: Coding::Raw };
        create(&store, &options).expect("an empty store");
        let index = Index::open(&store).expect("an index");
        let tid = |number: u32| Tid { block: number, offset: 1 };
        let insert = |number: u32| index.insert(tid(number), &[number as f32; 60], &mut || {}).expect("room");
        let room = open::capacity(index.codec.row_bytes()) as u32;
        (0..room).for_each(insert);
        let (mut projected, mut row) = (Vec::new(), Vec::new());
        index.codec.project(&[0.5; 60], &mut projected);
        index.codec.encode(&projected, &mut row);
        let spot = index.nearest(&index.codec.near(&projected)).expect("a list");
        // Another gets there first, and then a deletion makes room on the page that this one was sent to.
        let alone = store.exclusive().expect("free");
        insert(room);
        drop(alone);
        index.delete(&mut |dead| dead == tid(0), &mut || {}).expect("a deletion");
        let outcome = index.append(&spot, tid(room + 1), &row).expect("a sound index");
        assert!(matches!(outcome, Outcome::Stale));
    }
}
