//! The risk: a crash between two changes that loses an acknowledged member, brings back a deleted one, or leaves pages
//! that the next insert, split or vacuum stumbles over.

mod common;

use std::collections::BTreeSet;

use common::vectors::Vectors;
use common::{World, delete, open, sound, try_delete};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Coding, Error, Index, Metric, PageId, PageStore, StoreError};

/// One step of a life.
#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u64),
    /// Delete the members that leave a remainder below the second number when divided by the first.
    Delete(u64, u64),
}

impl Step {
    fn take(self, world: &World, store: &MemoryStore) -> Result<(), Error> {
        match self {
            Step::Insert(number) => world.try_insert(store, [number]),
            Step::Delete(by, below) => try_delete(store, |number| number % by < below).map(drop),
        }
    }

    /// What must be there after it.
    fn after(self, twin: &BTreeSet<u64>) -> BTreeSet<u64> {
        let mut twin = twin.clone();
        match self {
            Step::Insert(number) => drop(twin.insert(number)),
            Step::Delete(by, below) => twin.retain(|number| number % by >= below),
        }
        twin
    }
}

/// A life in which lists are packed, split and joined, and their pages used again.
fn life(inserts: u64) -> Vec<Step> {
    let mut steps: Vec<Step> = (1_000..1_000 + inserts).map(Step::Insert).collect();
    steps.push(Step::Delete(10, 2));
    steps.push(Step::Delete(10, 7));
    steps.extend((2_000..2_000 + inserts / 2).map(Step::Insert));
    steps.push(Step::Delete(100, 97));
    steps.extend((3_000..3_030).map(Step::Insert));
    steps.push(Step::Delete(1, 1));
    steps.push(Step::Insert(1));
    steps
}

/// The states of a life without a crash, before each step, with the commits until then.
struct Life {
    world: World,
    steps: Vec<Step>,
    states: Vec<(u64, Vec<Vec<u8>>)>,
    commits: u64,
}

impl Life {
    fn new(world: World, built: u64, steps: Vec<Step>) -> Life {
        let store = world.loaded(built, 1 + (built / 60) as u32);
        let start = store.commits();
        let mut states = Vec::new();
        for step in &steps {
            states.push((store.commits() - start, common::pages(&store)));
            step.take(&world, &store).expect("no crash is planned");
        }
        sound(&store);
        Life { world, steps, states, commits: store.commits() - start }
    }

    /// Crash at a commit; then see that nothing acknowledged is lost, and live on to the end, or for some steps.
    fn crash(&self, at: u64, built: u64) {
        let world = &self.world;
        let step = self.states.partition_point(|(commits, _)| *commits <= at) - 1;
        let (commits, pages) = &self.states[step];
        let store = common::store_of(pages);
        let before: BTreeSet<u64> =
            self.steps[..step].iter().fold((0..built).collect(), |twin, step| step.after(&twin));
        let next = self.steps[step].after(&before);
        let case = format!("{world:?}: commit {at}, {:?}", self.steps[step]);
        store.crash_at(at - commits);
        let error = self.steps[step].take(world, &store).expect_err("a crash is planned");
        assert_eq!(error, Error::Store(StoreError::Crashed), "{case}");
        store.recover();
        sound(&store);
        let found = world.members(&store);
        let (all, sure): (BTreeSet<u64>, BTreeSet<u64>) = (&before | &next, &before & &next);
        assert!(found.is_subset(&all) && found.is_superset(&sure), "{case}");
        // The member may be in the index already, as one of a row that never came to be: vacuum takes it.
        delete(&store, |number| !before.contains(&number));
        assert_eq!(sound(&store).leaked_pages, 0, "{case}: vacuum frees what was left behind");
        let mut twin = if matches!(self.steps[step], Step::Delete(..)) { found } else { before };
        assert_eq!(world.members(&store), twin, "{case}");
        for step in self.steps.iter().skip(step).take(25) {
            twin = step.after(&twin);
            step.take(world, &store).expect("no crash is planned");
        }
        assert_eq!(world.members(&store), twin, "{case}: it lives on");
        delete(&store, |_| false);
        assert_eq!(sound(&store).leaked_pages, 0, "{case}");
    }
}

/// Crash at every commit, or at every `stride`-th that only adds a member.
fn crashes(world: World, built: u64, steps: Vec<Step>, least: u64) {
    let life = Life::new(world, built, steps);
    let mut crashes = 0;
    for at in 0..life.commits {
        let step = life.states.partition_point(|(commits, _)| *commits <= at) - 1;
        let end = life.states.get(step + 1).map_or(life.commits, |(commits, _)| *commits);
        // An insert of one commit is like the ones before.
        if end - life.states[step].0 > 1 || at % 16 == 0 {
            life.crash(at, built);
            crashes += 1;
        }
    }
    assert!(crashes > least, "{crashes} of {} commits", life.commits);
}

#[test]
fn a_crash_at_any_commit_loses_nothing() {
    crashes(World::new(Metric::Cosine, Coding::Bits(4), 576, 60, Vectors::Clusters(5)), 150, life(200), 150);
}

#[test]
fn a_crash_among_lists_of_floats_loses_nothing() {
    crashes(World::new(Metric::L2, Coding::Raw, 60, 60, Vectors::Clusters(5)), 100, life(200), 100);
}

#[test]
fn a_crash_while_a_directory_page_splits_loses_nothing() {
    let steps = (1_000..1_300).map(Step::Insert).chain([Step::Delete(10, 7)]).collect();
    crashes(World::new(Metric::L2, Coding::Bits(1), 4_100, 33, Vectors::Clusters(8)), 0, steps, 100);
}

#[test]
fn a_crash_in_an_index_without_codes_loses_nothing() {
    let steps: Vec<Step> = (10_000..10_020)
        .map(Step::Insert)
        .chain([Step::Delete(10, 3), Step::Delete(10, 8), Step::Insert(1), Step::Delete(1, 1), Step::Insert(2)])
        .collect();
    crashes(World::new(Metric::L2, Coding::None, 0, 60, Vectors::Clusters(5)), 4_000, steps, 10);
}

#[test]
fn a_page_that_a_crash_left_behind_is_used_again() {
    let world = World::new(Metric::L2, Coding::Raw, 60, 1_000, Vectors::Clusters(5));
    let store = world.loaded(200, 1);
    let pages = store.pages();
    store.crash_at(0);
    assert_eq!(world.try_insert(&store, [500]), Err(Error::Store(StoreError::Crashed)));
    store.recover();
    assert_eq!(sound(&store).leaked_pages, 1);
    assert_eq!(world.members(&store), (0..200).collect());
    assert_eq!(delete(&store, |_| false).freed, 1);
    assert_eq!((sound(&store).leaked_pages, sound(&store).free_pages), (0, 1));
    world.insert(&store, [500]);
    assert_eq!((sound(&store).free_pages, store.pages()), (0, pages + 1), "the leaked page is used");
    assert_eq!(open(&store).stats(&mut || {}).expect("a sound index").members, 201);
}

#[test]
fn a_build_that_crashes_before_its_meta_page_is_no_index() {
    let world = World::new(Metric::L2, Coding::Bits(4), 64, 100, Vectors::Clusters(5));
    let commits = world.loaded(300, 4).commits();
    for at in 0..commits {
        let store = MemoryStore::default();
        store.crash_at(at);
        assert_eq!(world.load(&store, 300, 4), Err(Error::Store(StoreError::Crashed)));
        store.recover();
        match Index::open(&store) {
            Err(Error::Corrupt { page: PageId(0), .. }) => {}
            // The last commit measures the stop rule of an index that is whole.
            Ok(_) if at + 1 == commits => assert_eq!(world.members(&store), (0..300).collect()),
            other => panic!("commit {at}: {:?}", other.map(|_| ())),
        }
    }
}
