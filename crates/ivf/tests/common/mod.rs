//! What the tests share: numbers from a seed, tuple identifiers from numbers, and what must always hold.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod hooked;

use std::collections::BTreeSet;

use vw_ivf::memory::MemoryStore;
use vw_ivf::{Checked, Deleted, Error, Index, Loader, Options, PageId, PageStore, Problem, Tid, Transaction};

/// Members that fill a page.
pub const FULL: u64 = vw_ivf::MEMBERS_PER_PAGE as u64;

/// SplitMix64: the same numbers for the same seed, everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// The `number`-th tuple identifier, in heap order.
pub fn tid(number: u64) -> Tid {
    Tid { block: u32::try_from(number / 100).expect("a small number"), offset: (number % 100 + 1) as u16 }
}

/// The number of a tuple identifier.
pub fn number(tid: Tid) -> u64 {
    u64::from(tid.block) * 100 + u64::from(tid.offset) - 1
}

/// An index with the members 0 to `end`, in full pages.
pub fn loaded(end: u64) -> MemoryStore {
    let store = MemoryStore::default();
    load(&store, end).expect("an empty store");
    store
}

pub fn load<S: PageStore>(store: &S, end: u64) -> Result<u64, Error> {
    let mut loader = Loader::new(store, &Options { dimensions: 3, lists: 0 })?;
    (0..end).try_for_each(|number| loader.push(tid(number)))?;
    loader.finish()
}

/// The bytes of all pages.
pub fn pages(store: &MemoryStore) -> Vec<Vec<u8>> {
    (0..store.pages()).map(|page| store.read(PageId(page)).expect("nobody holds it").to_vec()).collect()
}

/// A store of these pages.
pub fn store_of(pages: &[Vec<u8>]) -> MemoryStore {
    let store = MemoryStore::default();
    for bytes in pages {
        let mut transaction = store.begin();
        let page = transaction.extend().expect("there is room");
        transaction.page(page).expect("held").copy_from_slice(bytes);
        transaction.commit().expect("no crash is planned");
    }
    store
}

pub fn open<S: PageStore>(store: &S) -> Index<'_, S> {
    Index::open(store).expect("an index")
}

/// Insert members by number.
pub fn insert<S: PageStore>(store: &S, numbers: impl IntoIterator<Item = u64>) {
    let index = open(store);
    numbers.into_iter().for_each(|number| index.insert(tid(number)).expect("nobody holds a page"));
}

/// Delete members by number.
pub fn delete<S: PageStore>(store: &S, mut dead: impl FnMut(u64) -> bool) -> Deleted {
    open(store).delete(&mut |tid| dead(number(tid)), &mut || {}).expect("nobody holds a page")
}

/// All members that a search gives, by number and in its order.
pub fn list<S: PageStore>(store: &S) -> Result<Vec<u64>, Error> {
    Index::open(store)?.search()?.members().map(|tid| tid.map(number)).collect()
}

/// All members; none may come twice.
pub fn members<S: PageStore>(store: &S) -> BTreeSet<u64> {
    let list = list(store).expect("a sound index");
    let set: BTreeSet<u64> = list.iter().copied().collect();
    assert_eq!(set.len(), list.len(), "a member came twice");
    set
}

/// Check the index; only leaked pages are allowed, and its counts must be those of a walk.
pub fn sound<S: PageStore>(store: &S) -> Checked {
    let mut wrong = Vec::new();
    let index = open(store);
    let checked = index.check(&mut |problem| wrong.push(problem)).expect("the store gives every page");
    wrong.retain(|problem| !matches!(problem, Problem::Leaked(_)));
    assert_eq!(wrong, [], "{checked:?}");
    assert_eq!(checked.pages, 1 + checked.list_pages + checked.free_pages + checked.leaked_pages);
    let stats = index.stats().expect("a sound index");
    let counted = (checked.members, checked.pages, checked.list_pages, checked.free_pages);
    assert_eq!(counted, (stats.members, stats.pages, stats.list_pages, stats.free_pages));
    checked
}
