//! The life of a page outside the list: taken out of the chain, and found again after a crash.

use crate::index::{lock, lock_list, lock_meta};
use crate::layout::{KIND_FREE, Link, META_PAGE};
use crate::meta::Meta;
use crate::page::{self, Header};
use crate::{Error, Index, PageId, PageStore, Transaction};

impl<S: PageStore> Index<'_, S> {
    /// Take the empty page `victim` out of the chain, in which it follows `before`, and free it: the meta page and two
    /// more in one transaction. False, and nothing changed, where either is no longer so.
    pub(crate) fn unlink(&self, before: Link, victim: Link) -> Result<bool, Error> {
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        if meta.list.head == victim || before.page == victim.page {
            return Ok(false);
        }
        lock(self.store, &mut transaction, [before.page, victim.page])?;
        let list = meta.list.list;
        let Some(first) = lock_list(self.store, &mut transaction, list, before)? else { return Ok(false) };
        let Some(second) = lock_list(self.store, &mut transaction, list, victim)? else { return Ok(false) };
        if first.next != Some(victim) || second.count > 0 {
            return Ok(false);
        }
        if meta.list.tail == victim {
            meta.list.tail = before;
        }
        if meta.list.room == victim {
            meta.list.room = second.next.unwrap_or(before);
        }
        meta.list.pages = meta.list.pages.saturating_sub(1);
        page::write_header(before.page, transaction.page(before.page)?, &Header { next: second.next, ..first })?;
        free(&mut meta, victim.page, transaction.page(victim.page)?)?;
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(true)
    }

    /// Free the pages of zeros that an undone transaction left behind; give their number. `expected` is how many pages
    /// the index had use for, by its meta page; as long as the store has no more, nothing is read.
    pub(crate) fn reclaim(&self, pause: &mut dyn FnMut()) -> Result<u32, Error> {
        let pages = self.store.pages();
        let mut leaked = pages.saturating_sub(self.meta()?.pages());
        let mut freed = 0;
        for page in (1..pages).map(PageId) {
            if leaked == 0 {
                break;
            }
            pause();
            let is_new = page::read(page, &self.store.read(page)?)?.is_none();
            if is_new && self.reclaim_page(page)? {
                leaked -= 1;
                freed += 1;
            }
        }
        Ok(freed)
    }

    /// Free a page if it is still all zeros. Pages are added under the lock of the meta page, so one that is new here
    /// is nobody's.
    fn reclaim_page(&self, page: PageId) -> Result<bool, Error> {
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        let bytes = transaction.page(page)?;
        if page::read(page, bytes)?.is_some() {
            return Ok(false);
        }
        free(&mut meta, page, bytes)?;
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(true)
    }
}

/// Write a free page and put it first among the free pages.
fn free(meta: &mut Meta, page: PageId, bytes: &mut [u8]) -> Result<(), Error> {
    let epoch = meta.take_epoch()?;
    page::write(page, bytes, &Header { kind: KIND_FREE, count: 0, list: 0, epoch, next: meta.free }, &[])?;
    meta.free = Some(Link { page, epoch });
    meta.free_pages = meta.free_pages.saturating_add(1);
    Ok(())
}

impl Meta {
    /// Count the pages that have a use: the meta page, the list's and the free ones.
    fn pages(&self) -> u32 {
        self.list.pages.saturating_add(self.free_pages).saturating_add(1)
    }
}
