//! Pages that get a place and pages that lose it. All of it happens under the lock of the meta page.

use crate::index::{known, lock_meta};
use crate::layout::{KIND_FREE, Link, META_PAGE, Next};
use crate::meta::Meta;
use crate::page::{self, Header};
use crate::{Error, Index, PageId, PageStore, Transaction};

/// Pages that are freed in one transaction, beside the meta page.
const FREED_AT_ONCE: usize = crate::MAX_PAGES - 1;
/// Pages that are written in one transaction, beside it.
const PLACED_AT_ONCE: usize = crate::MAX_PAGES - 1;

impl<S: PageStore> Index<'_, S> {
    /// Take an epoch off the clock, for pages that are to have the same.
    pub(crate) fn take_epoch(&self) -> Result<u64, Error> {
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        let epoch = meta.take_epoch()?;
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(epoch)
    }

    /// Write a page that nothing leads to yet, of this epoch or else of a new one. It does not count as live: whoever
    /// makes something lead to it counts it.
    pub(crate) fn place(
        &self,
        epoch: Option<u64>,
        write: impl FnOnce(Link, &mut [u8]) -> Result<(), Error>,
    ) -> Result<Link, Error> {
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        let epoch = epoch.map_or_else(|| meta.take_epoch(), Ok)?;
        let page = take_page(self.store, &mut transaction, &mut meta, &[])?;
        let link = Link { page, epoch };
        write(link, transaction.page(page)?)?;
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(link)
    }

    /// The same for `count` pages of one epoch, in order, as many as can be at a time.
    pub(crate) fn place_all(
        &self,
        epoch: u64,
        count: usize,
        pause: &mut dyn FnMut(),
        mut write: impl FnMut(usize, Link, &mut [u8]) -> Result<(), Error>,
    ) -> Result<Vec<PageId>, Error> {
        let mut pages: Vec<PageId> = Vec::new();
        while pages.len() < count {
            pause();
            let mut transaction = self.store.begin();
            let mut meta = lock_meta(&mut transaction)?;
            let mut last = META_PAGE;
            for _ in 0..PLACED_AT_ONCE.min(count - pages.len()) {
                // Pages are locked in ascending order; most free pages follow each other so.
                if meta.free.is_some_and(|free| free.page <= last) && last != META_PAGE {
                    break;
                }
                last = take_page(self.store, &mut transaction, &mut meta, &[])?;
                write(pages.len(), Link { page: last, epoch }, transaction.page(last)?)?;
                pages.push(last);
            }
            meta.write(transaction.page(META_PAGE)?)?;
            transaction.commit()?;
        }
        Ok(pages)
    }

    /// Free pages that nothing leads to any more. `still` says, of a page that is locked, whether it is what it was.
    pub(crate) fn free(&self, pages: &[PageId], still: impl Fn(&Option<Header>) -> bool) -> Result<u32, Error> {
        let mut freed = 0;
        let mut pages = pages.to_vec();
        pages.sort_unstable();
        // The first of them is freed last, and taken first: lists whose pages follow each other are read faster.
        for some in pages.rchunks(FREED_AT_ONCE) {
            let mut transaction = self.store.begin();
            let mut meta = lock_meta(&mut transaction)?;
            let before = freed;
            for page in some {
                transaction.page(known(self.store, *page)?)?;
            }
            for page in some.iter().rev() {
                let bytes = transaction.page(*page)?;
                if still(&page::read(*page, bytes)?) {
                    free(&mut meta, *page, bytes)?;
                    freed += 1;
                }
            }
            if freed > before {
                meta.write(transaction.page(META_PAGE)?)?;
                transaction.commit()?;
            }
        }
        Ok(freed)
    }
}

/// Lock the pages `others`, and with them a page for a new use: the first free page, or one more. The meta page is
/// locked already, which keeps others from doing the same.
pub fn take_page<S: PageStore>(
    store: &S,
    transaction: &mut S::Transaction<'_>,
    meta: &mut Meta,
    others: &[PageId],
) -> Result<PageId, Error> {
    let mut pages = others.to_vec();
    pages.extend(meta.free.map(|free| free.page));
    pages.sort_unstable();
    if let Some([page, _]) = pages.array_windows().find(|[one, other]| one == other) {
        return Err(Error::Corrupt { page: *page, what: "it is both free and in use" });
    }
    for page in pages {
        match meta.free {
            Some(free) if free.page == page => transaction.anew(known(store, page)?)?,
            _ => transaction.page(known(store, page)?)?,
        };
    }
    let Some(free) = meta.free else { return Ok(transaction.extend()?) };
    let header = page::meant(free, transaction.page(free.page)?, KIND_FREE, 0)?;
    let header =
        header.ok_or(Error::Corrupt { page: free.page, what: "it is among the free pages, and it is not free" })?;
    meta.free = header.next.link();
    meta.free_pages = meta.free_pages.saturating_sub(1);
    Ok(free.page)
}

/// Make a page free and put it first among the free pages. It gets zeros, which a store need neither compare nor log.
fn free(meta: &mut Meta, page: PageId, bytes: &mut [u8]) -> Result<(), Error> {
    let epoch = meta.take_epoch()?;
    let header = Header { kind: KIND_FREE, count: 0, list: 0, epoch, next: Next::from(meta.free) };
    bytes.fill(0);
    page::seal(page, bytes, &header)?;
    meta.free = Some(Link { page, epoch });
    meta.free_pages = meta.free_pages.saturating_add(1);
    Ok(())
}
