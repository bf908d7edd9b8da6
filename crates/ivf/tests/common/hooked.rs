//! A memory store that lets a test act where an operation holds no lock, and notes which pages it locks for writing.

use std::cell::{Cell, RefCell};

use vw_ivf::memory::{MemoryExclusive, MemoryStore, MemoryTransaction, ReadPage};
use vw_ivf::{PageId, PageStore, StoreError, Transaction};

type Hook = Box<dyn FnMut(&MemoryStore)>;

/// The store. Its hook runs before each read, each transaction and each use of the exclusive lock, where no page is held;
/// what it locks is free again when it returns.
#[derive(Default)]
pub struct Hooked {
    pub inner: MemoryStore,
    hook: RefCell<Option<Hook>>,
    steps: Cell<u64>,
    /// Transactions under way.
    open: Cell<u32>,
    /// For each transaction that was committed, its pages in the order in which they were locked.
    pub commits: RefCell<Vec<Vec<PageId>>>,
}

impl Hooked {
    pub fn new(inner: MemoryStore) -> Hooked {
        Hooked { inner, ..Hooked::default() }
    }

    /// Run `hook` once, before the `step`-th read or transaction from now, counted from 0.
    pub fn at(&self, step: u64, mut hook: impl FnMut(&MemoryStore) + 'static) {
        self.steps.set(0);
        let mut left = step;
        self.hook.replace(Some(Box::new(move |store| {
            if left == 0 {
                hook(store);
            }
            left = left.wrapping_sub(1);
        })));
    }

    /// Stop running the hook; give the number of steps since it was set.
    pub fn stop(&self) -> u64 {
        self.hook.replace(None);
        self.steps.get()
    }

    fn step(&self) {
        if self.open.get() > 0 {
            return;
        }
        self.steps.set(self.steps.get() + 1);
        let hook = self.hook.take();
        if let Some(mut hook) = hook {
            hook(&self.inner);
            self.hook.replace(Some(hook));
        }
    }
}

impl PageStore for Hooked {
    type Read<'s> = ReadPage<'s>;
    type Transaction<'s> = HookedTransaction<'s>;
    type Exclusive<'s> = MemoryExclusive<'s>;

    fn pages(&self) -> u32 {
        self.inner.pages()
    }

    fn read(&self, page: PageId) -> Result<ReadPage<'_>, StoreError> {
        self.step();
        self.inner.read(page)
    }

    fn begin(&self) -> HookedTransaction<'_> {
        self.step();
        self.open.set(self.open.get() + 1);
        HookedTransaction { store: self, inner: Some(self.inner.begin()), locked: Vec::new() }
    }

    fn exclusive(&self) -> Result<MemoryExclusive<'_>, StoreError> {
        self.step();
        self.inner.exclusive()
    }

    fn try_exclusive(&self) -> Result<Option<MemoryExclusive<'_>>, StoreError> {
        self.step();
        self.inner.try_exclusive()
    }
}

pub struct HookedTransaction<'s> {
    store: &'s Hooked,
    /// None once it was committed.
    inner: Option<MemoryTransaction<'s>>,
    locked: Vec<PageId>,
}

impl Transaction for HookedTransaction<'_> {
    fn page(&mut self, page: PageId) -> Result<&mut [u8], StoreError> {
        if !self.locked.contains(&page) {
            self.locked.push(page);
        }
        self.inner.as_mut().ok_or(StoreError::NoSuchPage(page))?.page(page)
    }

    fn extend(&mut self) -> Result<PageId, StoreError> {
        let page = self.inner.as_mut().ok_or(StoreError::Full)?.extend()?;
        self.locked.push(page);
        Ok(page)
    }

    fn commit(mut self) -> Result<(), StoreError> {
        self.inner.take().map_or(Ok(()), Transaction::commit)?;
        self.store.commits.borrow_mut().push(std::mem::take(&mut self.locked));
        Ok(())
    }
}

impl Drop for HookedTransaction<'_> {
    fn drop(&mut self) {
        self.store.open.set(self.store.open.get() - 1);
    }
}
