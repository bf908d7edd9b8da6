//! An open index: what all operations share. Each operation has a file of its own.

use crate::layout::{KIND_LIST, Link, META_PAGE};
use crate::meta::Meta;
use crate::page::{self, Header};
use crate::{Error, Loader, PageId, PageStore, Transaction};

/// What the user chose when the index was made; kept in the meta page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Dimensions of the vectors; 0 where any will do.
    pub dimensions: u32,
    /// Lists; 0 for as many as the index finds best. Kept, not used yet.
    pub lists: u32,
}

/// Make an empty index in an empty store. A crash on the way leaves a store that [`Index::open`] refuses.
pub fn create<S: PageStore>(store: &S, options: &Options) -> Result<(), Error> {
    Loader::new(store, options)?.finish().map(drop)
}

/// An index in a store. It keeps nothing of the pages, so it is never out of date.
pub struct Index<'s, S: PageStore> {
    pub(crate) store: &'s S,
}

impl<'s, S: PageStore> Index<'s, S> {
    /// Open the index that a store holds. Fails with [`Error::Corrupt`] where it holds none, or one whose build did not
    /// finish, and with [`Error::Format`] where it is of another version.
    pub fn open(store: &'s S) -> Result<Self, Error> {
        let index = Index { store };
        index.meta()?;
        Ok(index)
    }

    /// Read the options that the index was made with.
    pub fn options(&self) -> Result<Options, Error> {
        Ok(self.meta()?.options)
    }

    /// Read the meta page.
    pub(crate) fn meta(&self) -> Result<Meta, Error> {
        if self.store.pages() == 0 {
            return Err(Error::Corrupt { page: META_PAGE, what: "the store is empty" });
        }
        Meta::read(&self.store.read(META_PAGE)?)
    }
}

/// Refuse a page number that the store does not have: it came out of a page.
pub(crate) fn known<S: PageStore>(store: &S, page: PageId) -> Result<PageId, Error> {
    if page.0 < store.pages() {
        return Ok(page);
    }
    Err(Error::Corrupt { page, what: "a link leads here, beyond the end of the index" })
}

/// Lock pages for writing in ascending order, the only order there is.
pub(crate) fn lock<S: PageStore, const N: usize>(
    store: &S,
    transaction: &mut S::Transaction<'_>,
    mut pages: [PageId; N],
) -> Result<(), Error> {
    pages.sort_unstable();
    for page in pages {
        transaction.page(known(store, page)?)?;
    }
    Ok(())
}

/// Lock the meta page for writing and read it.
pub(crate) fn lock_meta(transaction: &mut impl Transaction) -> Result<Meta, Error> {
    Meta::read(transaction.page(META_PAGE)?)
}

/// Lock a page for writing and read its header, if it still is the page of list `list` that the link means.
pub(crate) fn lock_list<S: PageStore>(
    store: &S,
    transaction: &mut S::Transaction<'_>,
    list: u32,
    link: Link,
) -> Result<Option<Header>, Error> {
    let header = page::read(link.page, transaction.page(known(store, link.page)?)?)?;
    Ok(header.filter(|header| header.is(KIND_LIST, list, link.epoch)))
}
