//! The risk: a crash between two changes that loses an acknowledged member, brings back a deleted one, or leaves pages
//! that the next insert or vacuum stumbles over.

mod common;

use std::collections::BTreeSet;

use common::{FULL, load, loaded, members, number, open, sound, tid};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Error, Index, PageId, PageStore, StoreError};

/// One step of a life.
#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u64),
    /// Delete the members from the first number to before the second.
    Delete(u64, u64),
}

/// A life that crosses every border: pages fill up, empty, are freed at the front, the middle and the tail, and are used
/// again; inserts go back to pages with room.
fn life() -> Vec<Step> {
    let base = 4 * FULL - 3;
    let mut steps: Vec<Step> = (base..base + 8).map(Step::Insert).collect();
    steps.push(Step::Delete(FULL, 2 * FULL));
    steps.push(Step::Delete(base, base + 8));
    steps.extend((base + 10..base + 20).map(Step::Insert));
    steps.push(Step::Delete(3 * FULL, 4 * FULL));
    steps.push(Step::Delete(5, FULL));
    steps.extend((base + 30..base + 40).map(Step::Insert));
    steps.push(Step::Delete(0, 4 * FULL));
    steps.extend((base + 50..base + 55).map(Step::Insert));
    steps.push(Step::Delete(0, u64::MAX));
    steps.push(Step::Insert(1));
    steps
}

fn take(store: &MemoryStore, step: Step) -> Result<(), Error> {
    let index = Index::open(store)?;
    match step {
        Step::Insert(number) => index.insert(tid(number)),
        Step::Delete(from, to) => index.delete(&mut |tid| (from..to).contains(&number(tid)), &mut || {}).map(|_| ()),
    }
}

/// Take a step in the twin: what must be there after it.
fn after(twin: &BTreeSet<u64>, step: Step) -> BTreeSet<u64> {
    let mut twin = twin.clone();
    match step {
        Step::Insert(number) => drop(twin.insert(number)),
        Step::Delete(from, to) => twin.retain(|number| !(from..to).contains(number)),
    }
    twin
}

/// Live until the crash; then see that nothing acknowledged is lost, and live on.
fn crash(at: u64, steps: &[Step]) -> bool {
    let end = 4 * FULL - 3;
    let store = loaded(end);
    let mut twin: BTreeSet<u64> = (0..end).collect();
    store.crash_at(at);
    let mut steps = steps.iter().copied();
    let mut crashed = false;
    for step in steps.by_ref() {
        let next = after(&twin, step);
        match take(&store, step) {
            Ok(()) => twin = next,
            Err(error) => {
                assert_eq!(error, Error::Store(StoreError::Crashed));
                store.recover();
                sound(&store);
                let found = members(&store);
                let (all, sure): (BTreeSet<u64>, BTreeSet<u64>) = (&twin | &next, &twin & &next);
                assert!(found.is_subset(&all) && found.is_superset(&sure), "commit {at}, {step:?}");
                take(&store, step).expect("no crash is planned");
                assert_eq!(members(&store), next, "commit {at}, {step:?} again");
                twin = next;
                crashed = true;
                break;
            }
        }
    }
    for step in steps {
        twin = after(&twin, step);
        take(&store, step).expect("no crash is planned");
        sound(&store);
    }
    assert_eq!(members(&store), twin, "commit {at}");
    common::delete(&store, |_| false);
    assert_eq!(sound(&store).leaked_pages, 0, "commit {at}");
    crashed
}

#[test]
fn a_crash_at_any_commit_of_a_life_loses_nothing() {
    let steps = life();
    let crashes = (0..).take_while(|at| crash(*at, &steps)).count();
    assert!(crashes > steps.len(), "{crashes}");
}

#[test]
fn a_page_that_a_crash_left_behind_is_used_again() {
    let store = loaded(FULL);
    store.crash_at(0);
    assert_eq!(open(&store).insert(tid(FULL)), Err(Error::Store(StoreError::Crashed)));
    store.recover();
    assert_eq!(sound(&store).leaked_pages, 1);
    assert_eq!(members(&store), (0..FULL).collect());
    assert_eq!(common::delete(&store, |_| false).freed, 1);
    assert_eq!((sound(&store).leaked_pages, sound(&store).free_pages), (0, 1));
    common::insert(&store, [FULL]);
    assert_eq!((sound(&store).free_pages, store.pages()), (0, 3), "the leaked page is used");
}

#[test]
fn a_build_that_crashes_at_any_commit_is_no_index() {
    let end = 3 * FULL + 1;
    let commits = loaded(end).commits();
    assert_eq!(commits, 6, "two for the meta page, one for each list page");
    for at in 0..commits {
        let store = MemoryStore::default();
        store.crash_at(at);
        assert_eq!(load(&store, end), Err(Error::Store(StoreError::Crashed)));
        store.recover();
        assert!(matches!(Index::open(&store), Err(Error::Corrupt { page: PageId(0), .. })), "commit {at}");
    }
}
