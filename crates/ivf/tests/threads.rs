//! The risk: what only real threads meet. Here locks wait as PostgreSQL's do, and a deadlock would hang.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use common::vectors::Vectors;
use common::{World, delete, sound};
use vw_ivf::{Coding, Effort, MAX_PAGES, Metric, PAGE_BYTES, PageId, PageStore, StoreError, Transaction};

/// A store of a fixed number of pages, each under a lock of its own.
struct Shared {
    pages: Vec<RwLock<Vec<u8>>>,
    len: AtomicU32,
    exclusive: Mutex<()>,
}

impl Shared {
    fn new() -> Shared {
        let pages = (0..4_000).map(|_| RwLock::new(vec![0; PAGE_BYTES])).collect();
        Shared { pages, len: AtomicU32::new(0), exclusive: Mutex::new(()) }
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
    type Exclusive<'s> = MutexGuard<'s, ()>;

    fn pages(&self) -> u32 {
        self.len.load(Ordering::SeqCst)
    }

    fn read(&self, page: PageId) -> Result<Read<'_>, StoreError> {
        Ok(Read(self.lock(page)?.read().expect("no thread panics with a lock")))
    }

    fn begin(&self) -> Change<'_> {
        Change { store: self, held: BTreeMap::new() }
    }

    fn exclusive(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        self.exclusive.lock().map_err(|_| StoreError::Crashed)
    }

    fn try_exclusive(&self) -> Result<Option<MutexGuard<'_, ()>>, StoreError> {
        Ok(self.exclusive.try_lock().ok())
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

const STABLE: u64 = 600;
const EACH: u64 = 4_000;
const INSERTERS: u64 = 3;

fn nth(inserter: u64, count: u64) -> u64 {
    (inserter + 1) * 1_000_000 + count
}

/// What an index has at the least: members that stay, and those that were acknowledged before a search began.
struct Least<'a> {
    done: &'a [AtomicU64],
    keep: fn(u64) -> bool,
}

impl Least<'_> {
    fn now(&self) -> BTreeSet<u64> {
        let done = self.done.iter().map(|done| done.load(Ordering::SeqCst));
        let new = (0..).zip(done).flat_map(|(inserter, end)| (0..end).map(move |count| (inserter, count)));
        let kept = new.filter(|(_, count)| (self.keep)(*count)).map(|(inserter, count)| nth(inserter, count));
        (0..STABLE).chain(kept).collect()
    }
}

fn search(world: &World, store: &Shared, effort: &Effort) -> BTreeSet<u64> {
    let query = vec![0.5; world.options.dimensions as usize];
    let found = world.search(store, &query, effort, usize::MAX).expect("a sound index");
    let set: BTreeSet<u64> = found.iter().map(|(number, _)| *number).collect();
    assert_eq!(set.len(), found.len(), "a member came twice");
    set
}

/// Inserters, a vacuum and searches at once. `keep` says which new members vacuum leaves.
fn together(world: &World, keep: fn(u64) -> bool) {
    let store = Shared::new();
    world.load(&store, STABLE, 5).expect("an empty store");
    let done: Vec<AtomicU64> = (0..INSERTERS).map(|_| AtomicU64::new(0)).collect();
    let (over, least) = (AtomicBool::new(false), Least { done: &done, keep });
    let dead = |number: u64| number >= STABLE && !keep(number % 1_000_000);
    std::thread::scope(|scope| {
        let inserters: Vec<_> = (0..INSERTERS)
            .map(|inserter| {
                let (store, done) = (&store, &done[inserter as usize]);
                scope.spawn(move || {
                    for count in 0..EACH {
                        world.insert(store, [nth(inserter, count)]);
                        done.store(count + 1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let vacuum = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                delete(&store, dead);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let searches = scope.spawn(|| {
            for round in (0_u32..).take_while(|_| !over.load(Ordering::SeqCst)) {
                let recall = if round.is_multiple_of(2) { 1.0 } else { 0.5 };
                let before = least.now();
                let found = search(world, &store, &Effort { recall, ..Effort::default() });
                assert!(found.is_superset(&before), "an acknowledged member is missing");
            }
        });
        let results: Vec<_> = inserters.into_iter().map(|inserter| inserter.join()).collect();
        over.store(true, Ordering::SeqCst);
        assert!(results.iter().all(Result::is_ok) && vacuum.join().is_ok() && searches.join().is_ok());
    });
    delete(&store, dead);
    assert_eq!(search(world, &store, &Effort::default()), least.now());
    assert_eq!(sound(&store).leaked_pages, 0);
}

#[test]
fn inserts_splits_vacuum_and_searches_run_together() {
    let codes = World::new(Metric::Cosine, Coding::Bits(4), 256, 80, Vectors::Clusters(20));
    together(&codes, |count| count % 3 == 0);
    let floats = World::new(Metric::L2, Coding::Raw, 60, 80, Vectors::Drift(100));
    together(&floats, |count| count / 400 % 2 == 0);
}

#[test]
fn lists_go_round_while_all_that_comes_also_goes() {
    let world = World::new(Metric::L2, Coding::Raw, 60, 60, Vectors::Clusters(20));
    together(&world, |_| false);
    let blind = World::new(Metric::L2, Coding::None, 0, 500, Vectors::Clusters(20));
    together(&blind, |count| count % 2 == 0);
}

#[test]
fn a_directory_grows_while_it_is_searched() {
    let world = World::new(Metric::L2, Coding::Bits(1), 4_100, 40, Vectors::Clusters(30));
    together(&world, |count| count % 5 > 0);
}
