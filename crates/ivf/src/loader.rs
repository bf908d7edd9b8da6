//! Bulk build: full pages one after another, and the meta page last. Until then the store holds no index.

use crate::layout::{KIND_LIST, Link, META_PAGE};
use crate::meta::{Entry, FIRST_LIST, Meta};
use crate::page::{self, Header, MEMBERS_PER_PAGE};
use crate::{Error, Options, PageId, PageStore, Tid, Transaction};

/// The epoch of the head; each page that follows has the next.
const FIRST_EPOCH: u64 = 1;

/// An index being built in an empty store that nobody else sees. Dropped before [`Loader::finish`], or after a crash,
/// it leaves pages that [`crate::Index::open`] refuses.
pub struct Loader<'s, S: PageStore> {
    store: &'s S,
    options: Options,
    /// The page being filled: it will be the store's next.
    page: Link,
    members: Vec<Tid>,
    total: u64,
}

impl<'s, S: PageStore> Loader<'s, S> {
    /// Begin, with a meta page of zeros. Fails with [`Error::NotEmpty`] where the store has pages.
    pub fn new(store: &'s S, options: &Options) -> Result<Self, Error> {
        if store.pages() > 0 {
            return Err(Error::NotEmpty { pages: store.pages() });
        }
        extend(store, META_PAGE, |_| Ok(()))?;
        let page = Link { page: PageId(1), epoch: FIRST_EPOCH };
        Ok(Loader { store, options: *options, page, members: Vec::with_capacity(MEMBERS_PER_PAGE), total: 0 })
    }

    /// Add a member.
    pub fn push(&mut self, tid: Tid) -> Result<(), Error> {
        let tid = tid.checked()?;
        if self.members.len() == MEMBERS_PER_PAGE {
            let page = PageId(self.page.page.0.saturating_add(1));
            let next = Link { page, epoch: self.page.epoch + 1 };
            self.write(Some(next))?;
            self.page = next;
            self.members.clear();
        }
        self.members.push(tid);
        self.total += 1;
        Ok(())
    }

    /// Write what is left and then the meta page, with which the index comes to be; give the number of members.
    pub fn finish(self) -> Result<u64, Error> {
        self.write(None)?;
        let (head, tail) = (Link { page: PageId(1), epoch: FIRST_EPOCH }, self.page);
        let pages = tail.page.0;
        let (counted_members, counted_pages) = (self.total, pages);
        let list = Entry { list: FIRST_LIST, pages, head, tail, room: tail, counted_members, counted_pages };
        let meta = Meta { options: self.options, next_epoch: tail.epoch + 1, free: None, free_pages: 0, list };
        let mut transaction = self.store.begin();
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(self.total)
    }

    /// Write the page that was filled. The page that it links to need not be there yet: nothing leads here before the
    /// meta page is written.
    fn write(&self, next: Option<Link>) -> Result<(), Error> {
        let Link { page, epoch } = self.page;
        let header = Header { kind: KIND_LIST, count: self.members.len(), list: FIRST_LIST, epoch, next };
        extend(self.store, page, |bytes| page::write(page, bytes, &header, &self.members))
    }
}

/// Add the page that must be the store's next, and fill it.
fn extend<S: PageStore>(
    store: &S,
    expected: PageId,
    fill: impl FnOnce(&mut [u8]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut transaction = store.begin();
    let page = transaction.extend()?;
    if page != expected {
        return Err(Error::Corrupt { page, what: "it came to an index being built from elsewhere" });
    }
    fill(transaction.page(page)?)?;
    Ok(transaction.commit()?)
}
