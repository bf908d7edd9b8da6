//! The page store: what the index needs of the world below it, and no more.

use std::fmt;
use std::ops::{Deref, Range};

/// Bytes of a page that are ours: PostgreSQL's 8,192 less its page header (24) and a special area (16).
pub const PAGE_BYTES: usize = 8_152;

/// Pages that one transaction can change: the limit of generic WAL (MAX_GENERIC_XLOG_PAGES).
pub const MAX_PAGES: usize = 4;

/// The number of a page, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId(pub u32);

/// Why a page cannot be read or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The store ends before this page.
    NoSuchPage(PageId),
    /// The transaction holds [`MAX_PAGES`] pages already.
    TooManyPages,
    /// Pages are locked in ascending order, so that no two transactions wait for each other.
    LockOrder { held: PageId, wanted: PageId },
    /// Another reader or writer holds the page and this store does not wait.
    Locked(PageId),
    /// Another changes the shape of lists and this store does not wait.
    Busy,
    /// The store has as many pages as it can number.
    Full,
    /// The store has crashed; what was committed before is all there is.
    Crashed,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchPage(page) => write!(f, "page {} is beyond the end of the index", page.0),
            Self::TooManyPages => write!(f, "a transaction changes at most {MAX_PAGES} pages"),
            Self::LockOrder { held, wanted } => {
                write!(f, "page {} is locked after page {}; the order is ascending", wanted.0, held.0)
            }
            Self::Locked(page) => write!(f, "page {} is locked", page.0),
            Self::Busy => write!(f, "the lists of the index are being changed"),
            Self::Full => write!(f, "the index has no page numbers left"),
            Self::Crashed => write!(f, "the page store has crashed"),
        }
    }
}

impl std::error::Error for StoreError {}

/// The two ranges of a page's bytes that were changed, which do not overlap.
pub type Patched = [Range<usize>; 2];

/// A file of pages.
pub trait PageStore {
    /// A page locked for reading, of [`PAGE_BYTES`] bytes; dropping it unlocks.
    type Read<'s>: Deref<Target = [u8]>
    where
        Self: 's;
    /// Changes to a few pages at once.
    type Transaction<'s>: Transaction
    where
        Self: 's;

    /// The right to change the shape of lists; dropping it gives it back.
    type Exclusive<'s>
    where
        Self: 's;

    /// Count the pages.
    fn pages(&self) -> u32;

    /// Tell whether a page is there. A store that knows without counting says so: this is asked for every page that is read.
    fn has(&self, page: PageId) -> bool {
        page.0 < self.pages()
    }

    /// Lock a page for reading.
    fn read(&self, page: PageId) -> Result<Self::Read<'_>, StoreError>;

    /// Begin a transaction; it holds no page yet.
    fn begin(&self) -> Self::Transaction<'_>;

    /// Take the one lock of whoever changes the shape of lists, and wait for it. Inserts and searches go on meanwhile.
    /// No page may be held here: those who have the lock wait for pages.
    fn exclusive(&self) -> Result<Self::Exclusive<'_>, StoreError>;

    /// The same, or `None` where another has it.
    fn try_exclusive(&self) -> Result<Option<Self::Exclusive<'_>>, StoreError>;

    /// Change some bytes of one page, as a transaction of its own: `change` is shown the page, locked for writing, changes it
    /// and tells where, or gives nothing where it changed nothing. Tells whether it changed anything. Where it fails, nothing
    /// has happened. A store that would look for what a transaction has changed is told here.
    fn patch<E: From<StoreError>>(
        &self,
        page: PageId,
        change: impl FnOnce(&mut [u8]) -> Result<Option<Patched>, E>,
    ) -> Result<bool, E> {
        let mut transaction = self.begin();
        let changed = change(transaction.page(page)?)?.is_some();
        if changed {
            transaction.commit()?;
        }
        Ok(changed)
    }

    /// Tell that a page, which is there, will be read soon: from the disk, or from memory that is not in the cache.
    fn prefetch(&self, _page: PageId) {}

    /// Tell whether a page that bears the checksum `check` was found to be whole before: it is the same page still. A
    /// store that keeps no account of that has every page checked each time.
    fn is_checked(&self, _page: PageId, _check: u32) -> bool {
        false
    }

    /// Note that a page that bears the checksum `check` is whole.
    fn checked(&self, _page: PageId, _check: u32) {}
}

/// Changes to at most [`MAX_PAGES`] pages that happen all or not at all. Dropping it without a commit undoes them.
pub trait Transaction {
    /// Lock a page for writing, or find it among those held, and give its [`PAGE_BYTES`] bytes.
    fn page(&mut self, page: PageId) -> Result<&mut [u8], StoreError>;

    /// The same of a page that is going to be written anew as a whole, for a store that would look for what has changed.
    fn anew(&mut self, page: PageId) -> Result<&mut [u8], StoreError> {
        self.page(page)
    }

    /// Add a page of zeros to the store and hold it. An undone transaction leaves it there, empty.
    fn extend(&mut self) -> Result<PageId, StoreError>;

    /// Make the changes last, in one step, and unlock.
    fn commit(self) -> Result<(), StoreError>;
}
