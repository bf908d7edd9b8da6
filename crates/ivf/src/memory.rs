//! A page store in memory for tests: it refuses locks out of order and can crash at any commit.
//!
//! For one thread. Where PostgreSQL would wait for a lock it answers [`StoreError::Locked`], so a test that
//! interleaves two transactions sees the conflict instead of a deadlock.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Deref;

use crate::{MAX_PAGES, PAGE_BYTES, PageId, PageStore, StoreError, Transaction};

/// One committed page and who holds it: readers, or -1 for a writer.
struct Slot {
    bytes: Vec<u8>,
    holders: i32,
}

/// The store. What a transaction changes is its own copy until it commits.
#[derive(Default)]
pub struct MemoryStore {
    slots: RefCell<Vec<Slot>>,
    commits: Cell<u64>,
    crash_at: Cell<Option<u64>>,
    exclusive: Cell<bool>,
}

impl MemoryStore {
    /// Crash instead of the `commit`-th commit from now, counted from 0.
    pub fn crash_at(&self, commit: u64) {
        self.crash_at.set(Some(self.commits.get() + commit));
    }

    /// Count the commits so far.
    pub fn commits(&self) -> u64 {
        self.commits.get()
    }

    /// Start again after a crash: committed pages stay, locks and plans to crash do not.
    pub fn recover(&self) {
        self.crash_at.set(None);
        self.exclusive.set(false);
        self.slots.borrow_mut().iter_mut().for_each(|slot| slot.holders = 0);
    }

    fn crashed(&self) -> bool {
        self.crash_at.get().is_some_and(|at| self.commits.get() >= at)
    }

    /// Change a page's holders by `change`, where `free` says that they allow it.
    fn hold(&self, page: PageId, change: i32, free: impl Fn(i32) -> bool) -> Result<Vec<u8>, StoreError> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(page.0 as usize).ok_or(StoreError::NoSuchPage(page))?;
        if !free(slot.holders) {
            return Err(StoreError::Locked(page));
        }
        slot.holders += change;
        Ok(slot.bytes.clone())
    }

    /// Undo a hold; a recovered store has forgotten it.
    fn release(&self, page: PageId, change: i32) {
        if let Some(slot) = self.slots.borrow_mut().get_mut(page.0 as usize).filter(|slot| slot.holders != 0) {
            slot.holders -= change;
        }
    }
}

impl PageStore for MemoryStore {
    type Read<'s> = ReadPage<'s>;
    type Transaction<'s> = MemoryTransaction<'s>;
    type Exclusive<'s> = MemoryExclusive<'s>;

    fn pages(&self) -> u32 {
        u32::try_from(self.slots.borrow().len()).unwrap_or(u32::MAX)
    }

    fn read(&self, page: PageId) -> Result<ReadPage<'_>, StoreError> {
        let bytes = self.hold(page, 1, |holders| holders >= 0)?;
        Ok(ReadPage { store: self, page, bytes })
    }

    fn begin(&self) -> MemoryTransaction<'_> {
        MemoryTransaction { store: self, held: BTreeMap::new() }
    }

    fn exclusive(&self) -> Result<MemoryExclusive<'_>, StoreError> {
        self.try_exclusive()?.ok_or(StoreError::Busy)
    }

    fn try_exclusive(&self) -> Result<Option<MemoryExclusive<'_>>, StoreError> {
        let taken = self.exclusive.replace(true);
        // Made only where it is given: dropping it gives the right back.
        Ok((!taken).then(|| MemoryExclusive(self)))
    }
}

/// The right to change the shape of lists.
pub struct MemoryExclusive<'s>(&'s MemoryStore);

impl Drop for MemoryExclusive<'_> {
    fn drop(&mut self) {
        self.0.exclusive.set(false);
    }
}

/// A page under a read lock.
pub struct ReadPage<'s> {
    store: &'s MemoryStore,
    page: PageId,
    bytes: Vec<u8>,
}

impl Deref for ReadPage<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for ReadPage<'_> {
    fn drop(&mut self) {
        self.store.release(self.page, 1);
    }
}

/// Copies of the pages that a transaction holds.
pub struct MemoryTransaction<'s> {
    store: &'s MemoryStore,
    held: BTreeMap<PageId, Vec<u8>>,
}

impl Transaction for MemoryTransaction<'_> {
    fn page(&mut self, page: PageId) -> Result<&mut [u8], StoreError> {
        if !self.held.contains_key(&page) {
            if self.held.len() >= MAX_PAGES {
                return Err(StoreError::TooManyPages);
            }
            if let Some((last, _)) = self.held.last_key_value().filter(|(last, _)| **last > page) {
                return Err(StoreError::LockOrder { held: *last, wanted: page });
            }
            let bytes = self.store.hold(page, -1, |holders| holders == 0)?;
            self.held.insert(page, bytes);
        }
        self.held.get_mut(&page).map(Vec::as_mut_slice).ok_or(StoreError::NoSuchPage(page))
    }

    fn extend(&mut self) -> Result<PageId, StoreError> {
        if self.held.len() >= MAX_PAGES {
            return Err(StoreError::TooManyPages);
        }
        let page = PageId(self.store.pages());
        if page.0 == u32::MAX {
            return Err(StoreError::Full);
        }
        self.store.slots.borrow_mut().push(Slot { bytes: vec![0; PAGE_BYTES], holders: -1 });
        self.held.insert(page, vec![0; PAGE_BYTES]);
        Ok(page)
    }

    fn commit(mut self) -> Result<(), StoreError> {
        if self.store.crashed() {
            return Err(StoreError::Crashed);
        }
        self.store.commits.set(self.store.commits.get() + 1);
        for (page, bytes) in std::mem::take(&mut self.held) {
            if let Some(slot) = self.store.slots.borrow_mut().get_mut(page.0 as usize) {
                *slot = Slot { bytes, holders: 0 };
            }
        }
        Ok(())
    }
}

impl Drop for MemoryTransaction<'_> {
    fn drop(&mut self) {
        self.held.keys().for_each(|page| self.store.release(*page, -1));
    }
}

#[cfg(test)]
mod tests {
    //! Guards the ground of every later test: a store that lies about locks or commits would hide the index's faults.

    use super::*;

    fn store(pages: u32) -> MemoryStore {
        let store = MemoryStore::default();
        for number in 0..pages {
            let mut transaction = store.begin();
            assert_eq!(transaction.extend(), Ok(PageId(number)));
            transaction.commit().expect("no crash is planned");
        }
        store
    }

    #[test]
    fn commits_happen_whole_and_drops_undo() {
        let store = store(2);
        let mut first = store.begin();
        first.page(PageId(0)).expect("free")[0] = 1;
        first.page(PageId(1)).expect("free")[0] = 2;
        first.commit().expect("no crash is planned");
        let mut second = store.begin();
        second.page(PageId(0)).expect("free")[0] = 9;
        drop(second);
        assert_eq!(store.read(PageId(0)).expect("free")[0], 1);
        assert_eq!(store.read(PageId(1)).expect("free")[0], 2);
    }

    #[test]
    fn a_crash_keeps_what_was_committed_and_nothing_else() {
        for at in 0..3 {
            let store = store(1);
            store.crash_at(at);
            let mut done = 0;
            for value in 1..=3 {
                let mut transaction = store.begin();
                transaction.page(PageId(0)).expect("free")[0] = value;
                match transaction.commit() {
                    Ok(()) => done = value,
                    Err(error) => assert_eq!(error, StoreError::Crashed),
                }
            }
            store.recover();
            assert_eq!(u64::from(done), at);
            assert_eq!(store.read(PageId(0)).expect("free")[0], done);
        }
    }

    #[test]
    fn one_at_a_time_has_the_exclusive_lock() {
        let store = store(1);
        let first = store.exclusive().expect("free");
        for _ in 0..2 {
            assert!(store.try_exclusive().expect("an answer").is_none(), "asking does not take it away");
            assert_eq!(store.exclusive().err(), Some(StoreError::Busy));
        }
        drop(first);
        assert!(store.try_exclusive().expect("an answer").is_some());
    }

    #[test]
    fn locks_are_taken_in_order_and_kept_apart() {
        let store = store(6);
        let mut transaction = store.begin();
        transaction.page(PageId(3)).expect("free");
        let wrong = transaction.page(PageId(1)).expect_err("out of order");
        assert_eq!(wrong, StoreError::LockOrder { held: PageId(3), wanted: PageId(1) });
        assert_eq!(store.read(PageId(3)).err(), Some(StoreError::Locked(PageId(3))));
        let reader = store.read(PageId(4)).expect("free");
        assert_eq!(transaction.page(PageId(4)).expect_err("read elsewhere"), StoreError::Locked(PageId(4)));
        drop(reader);
        transaction.page(PageId(4)).expect("free again");
        transaction.page(PageId(5)).expect("free");
        assert_eq!(transaction.extend(), Ok(PageId(6)));
        assert_eq!(transaction.extend(), Err(StoreError::TooManyPages));
        assert_eq!(transaction.page(PageId(9)).expect_err("too many"), StoreError::TooManyPages);
        drop(transaction);
        assert!(store.read(PageId(6)).expect("left behind").iter().all(|byte| *byte == 0));
        assert_eq!(store.read(PageId(7)).err(), Some(StoreError::NoSuchPage(PageId(7))));
    }
}
