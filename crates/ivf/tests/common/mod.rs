//! What the tests share: numbers from a seed, members by number, an exact search beside the index's, and what must
//! always hold.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod hooked;
pub mod vectors;

use std::collections::BTreeSet;

use vw_ivf::memory::MemoryStore;
use vw_ivf::{
    Checked, Coding, Deleted, Effort, Error, Index, Loader, Metric, Options, PageId, PageStore, Placer, Plan, Problem,
    Sample, Tid, Transaction,
};

use vectors::Vectors;

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

/// What an index is made of, and the vectors of its members by their numbers.
#[derive(Clone, Copy, Debug)]
pub struct World {
    pub options: Options,
    /// Members that a list has before it is split.
    pub limit: u32,
    pub vectors: Vectors,
}

impl World {
    pub fn new(metric: Metric, coding: Coding, dimensions: u32, limit: u32, vectors: Vectors) -> World {
        World { options: Options { dimensions, lists: 0, metric, coding }, limit, vectors }
    }

    pub fn vector(&self, number: u64) -> Vec<f32> {
        self.vectors.of(number, self.options.dimensions as usize)
    }

    /// An index made empty.
    pub fn empty(&self) -> MemoryStore {
        self.loaded(0, 1)
    }

    /// An index with the members 0 to `end`, built with so many lists.
    pub fn loaded(&self, end: u64, lists: u32) -> MemoryStore {
        let store = MemoryStore::default();
        self.load(&store, end, lists).expect("an empty store");
        store
    }

    pub fn load<S: PageStore>(&self, store: &S, end: u64, lists: u32) -> Result<u64, Error> {
        let options = Options { lists, ..self.options };
        let mut sample = Sample::new(&options, 20_000).expect("memory");
        (0..end).for_each(|number| sample.offer(&self.vector(number)));
        let plan = Plan::new(sample, end, &mut || {});
        let mut placer = Placer::new(&options, &plan).expect("a plan");
        let mut placed: Vec<(u32, u64, Vec<u8>)> = (0..end)
            .map(|number| {
                let mut row = Vec::new();
                (placer.place(&self.vector(number), &mut row), number, row)
            })
            .collect();
        placed.sort();
        let mut loader = Loader::new(store, &options, plan)?.limited(self.limit);
        placed.iter().try_for_each(|(list, number, row)| loader.push(*list, tid(*number), row, &mut || {}))?;
        loader.finish(&mut || {})
    }

    /// Insert members by number.
    pub fn insert<S: PageStore>(&self, store: &S, numbers: impl IntoIterator<Item = u64>) {
        self.try_insert(store, numbers).expect("nobody holds a page");
    }

    pub fn try_insert<S: PageStore>(&self, store: &S, numbers: impl IntoIterator<Item = u64>) -> Result<(), Error> {
        let index = Index::open(store)?;
        numbers.into_iter().try_for_each(|number| index.insert(tid(number), &self.vector(number), &mut || {}))
    }

    /// The distance of a member from a query, on the scale of support function 1.
    pub fn distance(&self, query: &[f32], number: u64) -> f64 {
        vectors::distance(self.options.metric, query, &self.vector(number))
    }

    /// Search, and give up to `count` members with their distances.
    pub fn search<S: PageStore>(
        &self,
        store: &S,
        query: &[f32],
        effort: &Effort,
        count: usize,
    ) -> Result<Vec<(u64, f64)>, Error> {
        let mut search = Index::open(store)?.search(query, effort)?;
        let mut found = Vec::new();
        let mut distance = |tid| Ok::<_, Error>(Some(self.distance(query, number(tid))));
        while found.len() < count {
            let Some(next) = search.next(&mut distance)? else { break };
            found.push((number(next.tid), next.distance));
        }
        Ok(found)
    }

    /// All members, by a search that asks for every one; none may come twice.
    pub fn members<S: PageStore>(&self, store: &S) -> BTreeSet<u64> {
        let query = vec![0.5; self.options.dimensions as usize];
        let list = self.search(store, &query, &Effort::default(), usize::MAX).expect("a sound index");
        let set: BTreeSet<u64> = list.iter().map(|(number, _)| *number).collect();
        assert_eq!(set.len(), list.len(), "a member came twice");
        set
    }

    /// See that exhaustive searches give the members in the order of their distances, as an exact scan would.
    pub fn exact<S: PageStore>(&self, store: &S, members: &BTreeSet<u64>, query: &[f32], case: &str) {
        let lists = Index::open(store).and_then(|index| index.estimate()).expect("a sound index").lists;
        let mut right: Vec<f64> = members.iter().map(|number| self.distance(query, *number)).collect();
        right.sort_by(order);
        for effort in [
            Effort { recall: 1.0, ..Effort::default() },
            Effort { probes: lists, ..Effort::default() },
            Effort { probes: lists + 7, ..Effort::default() },
        ] {
            let found = self.search(store, query, &effort, usize::MAX).expect("a sound index");
            let set: BTreeSet<u64> = found.iter().map(|(number, _)| *number).collect();
            assert_eq!((set.len(), found.len()), (members.len(), members.len()), "{case}: {effort:?}");
            assert_eq!(&set, members, "{case}: {effort:?}");
            let wrong = found.iter().zip(&right).position(|((_, one), other)| order(one, other).is_ne());
            assert_eq!(wrong, None, "{case}: {effort:?} gives another order than an exact scan");
        }
    }
}

/// The order of distances, in which what is no number comes last.
pub fn order(one: &f64, other: &f64) -> std::cmp::Ordering {
    one.is_nan().cmp(&other.is_nan()).then(one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal))
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

/// Delete members by number.
pub fn delete<S: PageStore>(store: &S, dead: impl FnMut(u64) -> bool) -> Deleted {
    try_delete(store, dead).expect("nobody holds a page")
}

/// Delete, and what a vacuum does afterwards.
pub fn try_delete<S: PageStore>(store: &S, mut dead: impl FnMut(u64) -> bool) -> Result<Deleted, Error> {
    let index = Index::open(store)?;
    let deleted = index.delete(&mut |tid| dead(number(tid)), &mut || {})?;
    index.tend(&mut || {})?;
    Ok(deleted)
}

/// Check the index; only leaked pages are allowed, and its counts must be those of a walk.
pub fn sound<S: PageStore>(store: &S) -> Checked {
    let mut wrong = Vec::new();
    let index = open(store);
    let checked = index.check(&mut |problem| wrong.push(problem), &mut || {}).expect("the store gives every page");
    wrong.retain(|problem| !matches!(problem, Problem::Leaked(_)));
    assert_eq!(wrong, [], "{checked:?}");
    assert_eq!(checked.pages, checked.live_pages + checked.free_pages + checked.leaked_pages);
    let stats = index.stats(&mut || {}).expect("a sound index");
    let counted = (checked.members, checked.lists, checked.pages, checked.free_pages);
    assert_eq!(counted, (stats.members, stats.lists, stats.pages, stats.free_pages));
    checked
}
