//! The index's pages: vw-ivf's `PageStore` over shared buffers and generic WAL. Not what is in the pages.
//!
//! Every change goes through a transaction, so no page is ever written outside WAL. Locks are guards; while an ERROR
//! unwinds they do nothing, for the server lets go of all locks and pins itself when it aborts.

use super::recent::Recent;
use super::{page, patch};
use crate::pg::reserve;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ops::Deref;
use std::ptr::null_mut;
use vw_ivf::{MAX_PAGES, PageId, PageStore, Patched, StoreError, Transaction};

const _: () = assert!(MAX_PAGES <= pg_sys::MAX_GENERIC_XLOG_PAGES as usize);

/// Asks for a new block at the relation's end (`P_NEW`).
const NEW_BLOCK: pg_sys::BlockNumber = pg_sys::InvalidBlockNumber;

/// One fork of an index.
pub struct Store {
    relation: pg_sys::Relation,
    fork: pg_sys::ForkNumber::Type,
    strategy: pg_sys::BufferAccessStrategy,
    /// Pages that were there when somebody last looked; an index never gets shorter.
    known: Cell<u32>,
    /// What is known of pages that were read before.
    recent: Recent,
}

impl Store {
    /// The pages of an index.
    ///
    /// # Safety
    /// - `relation` is an index that stays open and locked for as long as the store lives.
    pub unsafe fn new(relation: pg_sys::Relation) -> Store {
        reserve::keep();
        // SAFETY: open by our contract.
        let recent = unsafe { Recent::of(relation) };
        let fork = pg_sys::ForkNumber::MAIN_FORKNUM;
        Store { relation, fork, strategy: null_mut(), known: Cell::new(0), recent }
    }

    /// The same, of the fork that an unlogged index is made from after a crash.
    ///
    /// # Safety
    /// - As for [`Store::new`].
    pub unsafe fn init_fork(relation: pg_sys::Relation) -> Store {
        let fork = pg_sys::ForkNumber::INIT_FORKNUM;
        Store { relation, fork, strategy: null_mut(), known: Cell::new(0), recent: Recent::none() }
    }

    /// The same, read through the few buffers that vacuum may use.
    ///
    /// # Safety
    /// - As for [`Store::new`]; `strategy` is null or lives as long as the store.
    pub unsafe fn with_strategy(relation: pg_sys::Relation, strategy: pg_sys::BufferAccessStrategy) -> Store {
        reserve::keep();
        let fork = pg_sys::ForkNumber::MAIN_FORKNUM;
        Store { relation, fork, strategy, known: Cell::new(0), recent: Recent::none() }
    }

    /// The tablespace and the file that the pages are in: another file after each rebuild.
    pub fn file(&self) -> (pg_sys::Oid, pg_sys::Oid) {
        // SAFETY: the relation is open, by the contract of `new`.
        unsafe {
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            {
                ((*self.relation).rd_node.spcNode, (*self.relation).rd_node.relNode)
            }
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            {
                ((*self.relation).rd_locator.spcOid, (*self.relation).rd_locator.relNumber)
            }
        }
    }

    /// Log every page of the fork whole, for a fork whose own changes are not logged.
    pub fn log_pages(&self) {
        // SAFETY: the relation is open, by the contract of `new`, and the range is all of the fork.
        unsafe { pg_sys::log_newpage_range(self.relation, self.fork, 0, self.pages(), true) };
    }

    /// Pin a page and lock it, with one of `BUFFER_LOCK_...`.
    fn lock(&self, number: u32, mode: u32) -> pg_sys::Buffer {
        let normal = pg_sys::ReadBufferMode::RBM_NORMAL;
        // SAFETY: the relation is open, by the contract of `new`; what raises here leaves nothing to undo.
        unsafe {
            let buffer = self.recent.pin(number).unwrap_or_else(|| {
                let buffer = pg_sys::ReadBufferExtended(self.relation, self.fork, number, normal, self.strategy);
                self.recent.read(number, buffer);
                buffer
            });
            pg_sys::LockBuffer(buffer, mode as i32);
            buffer
        }
    }

    /// Check that a page is there.
    fn find(&self, page: PageId) -> Result<(), StoreError> {
        if self.has(page) { Ok(()) } else { Err(StoreError::NoSuchPage(page)) }
    }
}

impl PageStore for Store {
    type Read<'s> = ReadPage<'s>;
    type Transaction<'s> = Changes<'s>;
    type Exclusive<'s> = Exclusive<'s>;

    fn pages(&self) -> u32 {
        // SAFETY: the relation is open, by the contract of `new`.
        let pages = unsafe { pg_sys::RelationGetNumberOfBlocksInFork(self.relation, self.fork) };
        self.known.set(pages);
        pages
    }

    fn has(&self, page: PageId) -> bool {
        page.0 < self.known.get() || page.0 < self.pages()
    }

    fn read(&self, page: PageId) -> Result<ReadPage<'_>, StoreError> {
        pgrx::check_for_interrupts!();
        reserve::check();
        self.find(page)?;
        let buffer = self.lock(page.0, pg_sys::BUFFER_LOCK_SHARE);
        // SAFETY: the buffer is pinned and locked against writers until the guard is dropped.
        let (bytes, checked) = unsafe {
            let image = pg_sys::BufferGetPage(buffer);
            (page::contents(image), page::check(image, page.0))
        };
        let guard = ReadPage { bytes, buffer };
        match checked {
            Ok(()) => Ok(guard),
            Err(fault) => fault.raise(),
        }
    }

    fn begin(&self) -> Changes<'_> {
        Changes { store: self, state: null_mut(), held: Vec::new() }
    }

    fn patch<E: From<StoreError>>(
        &self,
        page: PageId,
        change: impl FnOnce(&mut [u8]) -> Result<Option<Patched>, E>,
    ) -> Result<bool, E> {
        self.find(page)?;
        // SAFETY: the relation is open, by the contract of `new`.
        if !unsafe { patch::is_logged(self.relation) } {
            let mut transaction = self.begin();
            let changed = change(transaction.page(page)?)?.is_some();
            return if changed { Ok(transaction.commit().map(|()| true)?) } else { Ok(false) };
        }
        let buffer = self.lock(page.0, pg_sys::BUFFER_LOCK_EXCLUSIVE);
        // SAFETY: the buffer is pinned and locked for writing, and its page is that of a relation whose changes are logged.
        let changed = unsafe { patch::patch(buffer, page.0, change) };
        // SAFETY: as above; an ERROR that unwinds has not come here, and the server lets go of the buffer itself.
        unsafe { pg_sys::UnlockReleaseBuffer(buffer) };
        changed
    }

    fn exclusive(&self) -> Result<Exclusive<'_>, StoreError> {
        // SAFETY: the relation is open; no page is locked here, by the contract of `exclusive`.
        unsafe { pg_sys::LockPage(self.relation, META, pg_sys::ExclusiveLock as i32) };
        Ok(Exclusive(self))
    }

    fn try_exclusive(&self) -> Result<Option<Exclusive<'_>>, StoreError> {
        // SAFETY: the relation is open.
        let locked = unsafe { pg_sys::ConditionalLockPage(self.relation, META, pg_sys::ExclusiveLock as i32) };
        // Made only where it is locked: what is dropped is unlocked.
        Ok(if locked { Some(Exclusive(self)) } else { None })
    }

    fn is_checked(&self, page: PageId, check: u32) -> bool {
        self.recent.is_checked(page.0, check)
    }

    fn checked(&self, page: PageId, check: u32) {
        self.recent.checked(page.0, check, || self.pages());
    }

    fn prefetch(&self, page: PageId) {
        if self.recent.ask(page.0) {
            return;
        }
        // SAFETY: the relation is open; a page that is not there is looked for before it is read, not here.
        unsafe { pg_sys::PrefetchBuffer(self.relation, self.fork, page.0) };
    }
}

/// The page whose lock in the lock manager stands for the right to change the shape of lists. It has nothing to do with
/// the lock of its buffer.
const META: pg_sys::BlockNumber = 0;

/// The right to change the shape of lists. After an ERROR the server gives it back with the transaction.
pub struct Exclusive<'s>(&'s Store);

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: locked when the guard was made.
            unsafe { pg_sys::UnlockPage(self.0.relation, META, pg_sys::ExclusiveLock as i32) };
        }
    }
}

/// A page pinned and locked for reading.
pub struct ReadPage<'s> {
    bytes: &'s [u8],
    buffer: pg_sys::Buffer,
}

impl Deref for ReadPage<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl Drop for ReadPage<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: the buffer is pinned and locked since the guard was made.
            unsafe { pg_sys::UnlockReleaseBuffer(self.buffer) };
        }
    }
}

/// A page pinned and locked for writing, and the copy of it that the changes go to.
struct Held {
    page: PageId,
    buffer: pg_sys::Buffer,
    image: pg_sys::Page,
}

/// One generic WAL record in the making.
pub struct Changes<'s> {
    store: &'s Store,
    /// Null until the first page is held.
    state: *mut pg_sys::GenericXLogState,
    held: Vec<Held>,
}

impl Changes<'_> {
    /// Add a locked page to the record; a new one is made ours. That one is logged whole, and one that is written anew.
    fn hold(&mut self, page: PageId, buffer: pg_sys::Buffer, anew: bool) -> &mut [u8] {
        // SAFETY: the buffer is pinned and locked for writing; the image is our private copy of its page, and lives
        // until the record is finished or aborted, which takes `self`.
        unsafe {
            if self.state.is_null() {
                self.state = pg_sys::GenericXLogStart(self.store.relation);
            }
            let new = page::is_new(pg_sys::BufferGetPage(buffer));
            let flags = if new || anew { pg_sys::GENERIC_XLOG_FULL_IMAGE } else { 0 };
            let image = pg_sys::GenericXLogRegisterBuffer(self.state, buffer, flags as i32);
            self.held.push(Held { page, buffer, image });
            if new {
                page::init(image);
            } else if let Err(fault) = page::check(image, page.0) {
                fault.raise();
            }
            page::contents_mut(image)
        }
    }

    /// Lock a page, or find it among those held.
    fn find(&mut self, page: PageId, anew: bool) -> Result<&mut [u8], StoreError> {
        if let Some(held) = self.held.iter().find(|held| held.page == page) {
            // SAFETY: as in `hold`; the result borrows `self`, so there is no other slice of the same image.
            return Ok(unsafe { page::contents_mut(held.image) });
        }
        if self.held.len() >= MAX_PAGES {
            return Err(StoreError::TooManyPages);
        }
        if let Some(last) = self.held.last().filter(|last| last.page > page) {
            return Err(StoreError::LockOrder { held: last.page, wanted: page });
        }
        self.store.find(page)?;
        let buffer = self.store.lock(page.0, pg_sys::BUFFER_LOCK_EXCLUSIVE);
        Ok(self.hold(page, buffer, anew))
    }

    /// Unlock and unpin everything.
    fn release(&mut self) {
        for held in self.held.drain(..) {
            // SAFETY: pinned and locked since it was held.
            unsafe { pg_sys::UnlockReleaseBuffer(held.buffer) };
        }
    }
}

impl Transaction for Changes<'_> {
    fn page(&mut self, page: PageId) -> Result<&mut [u8], StoreError> {
        self.find(page, false)
    }

    fn anew(&mut self, page: PageId) -> Result<&mut [u8], StoreError> {
        self.find(page, true)
    }

    fn extend(&mut self) -> Result<PageId, StoreError> {
        if self.held.len() >= MAX_PAGES {
            return Err(StoreError::TooManyPages);
        }
        let relation = self.store.relation;
        // SAFETY: the relation is open. Whoever extends it holds this lock, and then waits for no page but the new one.
        let (page, buffer) = unsafe {
            pg_sys::LockRelationForExtension(relation, pg_sys::ExclusiveLock as i32);
            let buffer = self.store.lock(NEW_BLOCK, pg_sys::BUFFER_LOCK_EXCLUSIVE);
            pg_sys::UnlockRelationForExtension(relation, pg_sys::ExclusiveLock as i32);
            (PageId(pg_sys::BufferGetBlockNumber(buffer)), buffer)
        };
        self.hold(page, buffer, true);
        Ok(page)
    }

    fn commit(mut self) -> Result<(), StoreError> {
        let state = std::mem::replace(&mut self.state, null_mut());
        if !state.is_null() {
            // SAFETY: the images are ours until the record is finished. It was started by `hold`, and its buffers are locked
            // until it is written.
            unsafe {
                self.held.iter().for_each(|held| page::trim(held.image));
                pg_sys::GenericXLogFinish(state);
            }
        }
        self.release();
        Ok(())
    }
}

impl Drop for Changes<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        if !self.state.is_null() {
            // SAFETY: the record was started by `hold` and not finished.
            unsafe { pg_sys::GenericXLogAbort(self.state) };
        }
        self.release();
    }
}

/// Serve interrupts: what the index calls between pages, with none of them locked.
pub fn interrupt() {
    reserve::check();
    pgrx::check_for_interrupts!();
}
