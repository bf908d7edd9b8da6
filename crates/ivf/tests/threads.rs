//! The risk: what only real threads meet. Here locks wait as PostgreSQL's do, and a deadlock would hang.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use common::{FULL, delete, insert, list, load, members, sound};
use vw_ivf::{MAX_PAGES, PAGE_BYTES, PageId, PageStore, StoreError, Transaction};

/// A store of a fixed number of pages, each under a lock of its own.
struct Shared {
    pages: Vec<RwLock<Vec<u8>>>,
    len: AtomicU32,
}

impl Shared {
    fn new() -> Shared {
        Shared { pages: (0..400).map(|_| RwLock::new(vec![0; PAGE_BYTES])).collect(), len: AtomicU32::new(0) }
    }

    fn lock(&self, page: PageId) -> Result<&RwLock<Vec<u8>>, StoreError> {
        let inside = page.0 < self.pages();
        self.pages.get(page.0 as usize).filter(|_| inside).ok_or(StoreError::NoSuchPage(page))
    }
}

struct Read<'s>(RwLockReadGuard<'s, Vec<u8>>);

impl Deref for Read<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

struct Change<'s> {
    store: &'s Shared,
    held: BTreeMap<PageId, (RwLockWriteGuard<'s, Vec<u8>>, Vec<u8>)>,
}

impl PageStore for Shared {
    type Read<'s> = Read<'s>;
    type Transaction<'s> = Change<'s>;

    fn pages(&self) -> u32 {
        self.len.load(Ordering::SeqCst)
    }

    fn read(&self, page: PageId) -> Result<Read<'_>, StoreError> {
        Ok(Read(self.lock(page)?.read().expect("no thread panics with a lock")))
    }

    fn begin(&self) -> Change<'_> {
        Change { store: self, held: BTreeMap::new() }
    }
}

impl<'s> Change<'s> {
    fn hold(&mut self, page: PageId) -> Result<(), StoreError> {
        if self.held.len() >= MAX_PAGES {
            return Err(StoreError::TooManyPages);
        }
        if let Some(last) = self.held.keys().next_back().filter(|last| **last > page) {
            return Err(StoreError::LockOrder { held: *last, wanted: page });
        }
        let guard = self.store.lock(page)?.write().expect("no thread panics with a lock");
        let copy = guard.clone();
        self.held.insert(page, (guard, copy));
        Ok(())
    }
}

impl Transaction for Change<'_> {
    fn page(&mut self, page: PageId) -> Result<&mut [u8], StoreError> {
        if !self.held.contains_key(&page) {
            self.hold(page)?;
        }
        self.held.get_mut(&page).map(|(_, copy)| copy.as_mut_slice()).ok_or(StoreError::NoSuchPage(page))
    }

    fn extend(&mut self) -> Result<PageId, StoreError> {
        let page = PageId(self.store.len.fetch_add(1, Ordering::SeqCst));
        self.hold(page)?;
        Ok(page)
    }

    fn commit(self) -> Result<(), StoreError> {
        self.held.into_values().for_each(|(mut guard, copy)| *guard = copy);
        Ok(())
    }
}

const STABLE: u64 = 3 * FULL;
const EACH: u64 = 12_000;
const INSERTERS: u64 = 3;

fn nth(inserter: u64, count: u64) -> u64 {
    (inserter + 1) * 1_000_000 + count
}

/// Inserters, a vacuum and searches at once. `keep` says which new members vacuum leaves.
fn together(keep: fn(u64) -> bool) -> Shared {
    let store = Shared::new();
    load(&store, STABLE).expect("an empty store");
    let done: Vec<AtomicU64> = (0..INSERTERS).map(|_| AtomicU64::new(0)).collect();
    let over = AtomicBool::new(false);
    let kept = |number: u64| number < STABLE || keep(number % 1_000_000);
    std::thread::scope(|scope| {
        let inserters: Vec<_> = (0..INSERTERS)
            .map(|inserter| {
                let (store, done) = (&store, &done[inserter as usize]);
                scope.spawn(move || {
                    for count in 0..EACH {
                        insert(store, [nth(inserter, count)]);
                        done.store(count + 1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                delete(&store, |number| !kept(number));
            }
        });
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let before: Vec<u64> = done.iter().map(|done| done.load(Ordering::SeqCst)).collect();
                let found = list(&store).expect("a sound index");
                let set: BTreeSet<u64> = found.iter().copied().collect();
                assert_eq!(set.len(), found.len(), "a member came twice");
                assert!((0..STABLE).all(|number| set.contains(&number)));
                for (inserter, end) in before.iter().enumerate() {
                    let there = (0..*end).filter(|count| keep(*count)).map(|count| nth(inserter as u64, count));
                    assert!(there.into_iter().all(|number| set.contains(&number)), "an acknowledged member is missing");
                }
            }
        });
        let results: Vec<_> = inserters.into_iter().map(|inserter| inserter.join()).collect();
        over.store(true, Ordering::SeqCst);
        assert!(results.iter().all(Result::is_ok));
    });
    delete(&store, |number| !kept(number));
    let new = (0..INSERTERS).flat_map(|inserter| (0..EACH).filter(|count| keep(*count)).map(move |c| nth(inserter, c)));
    assert_eq!(members(&store), (0..STABLE).chain(new).collect());
    assert_eq!(sound(&store).leaked_pages, 0);
    store
}

#[test]
fn inserts_vacuum_and_searches_run_together() {
    together(|count| count % 3 == 0);
    together(|count| count / 3_000 % 2 == 0);
}

#[test]
fn pages_go_round_while_all_that_comes_also_goes() {
    let store = together(|_| false);
    assert_eq!(sound(&store).list_pages, 3);
}
