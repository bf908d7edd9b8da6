//! The risk: two operations at once. One runs whole between any two steps of the other, where the other holds no lock;
//! a page that one was sent to may be emptied, freed and used again by then.

mod common;

use std::collections::BTreeSet;

use common::hooked::Hooked;
use common::{FULL, Random, delete, insert, list, load, loaded, members, number, open, pages, sound, store_of, tid};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Error, Index, PageId, PageStore, StoreError, Transaction};

/// Numbers that no first state of an index has.
const NEW: u64 = 1_000_000;

/// What an operation does. Those of two operations commute, so the end does not depend on their order.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Insert this many new members.
    Insert(u64),
    /// Delete old members from one number to before another.
    Delete(u64, u64),
    /// Delete old members from one number to before another, then insert new ones onto the freed pages.
    Replace(u64, u64, u64),
    Search,
}

const ACTS: [Act; 9] = [
    Act::Insert(1),
    Act::Insert(2),
    Act::Delete(0, 0),
    Act::Delete(FULL, 2 * FULL),
    Act::Delete(2 * FULL, 9 * FULL),
    Act::Delete(0, 9 * FULL),
    Act::Replace(FULL, 3 * FULL, 2),
    Act::Search,
    // Long, so it only comes second: every page is freed and some are used again.
    Act::Replace(0, 9 * FULL, FULL + 9),
];

/// The first states: full to the last page; with free pages; with room in front of full pages and the mark before a full
/// page; that again with a page that a crash left behind.
fn first(state: u32) -> MemoryStore {
    let store = loaded(if state == 0 { 3 * FULL } else { 6 * FULL });
    match state {
        0 => {}
        1 => drop(delete(&store, |number| (2 * FULL..3 * FULL).contains(&number) || number >= 5 * FULL)),
        _ => {
            delete(&store, |number| (FULL + 9..2 * FULL).contains(&number) || number / FULL == 3 && number % 2 == 0);
            insert(&store, FULL + 9..2 * FULL);
        }
    }
    if state == 3 {
        let mut transaction = store.begin();
        transaction.extend().expect("there is room");
    }
    store
}

/// Do what `act` says; a search returns what it found.
fn act<S: PageStore>(store: &S, act: Act, new: u64) -> Option<Vec<u64>> {
    match act {
        Act::Insert(count) => insert(store, new..new + count),
        Act::Delete(from, to) => drop(delete(store, |number| (from..to).contains(&number))),
        Act::Replace(from, to, count) => {
            delete(store, |number| (from..to).contains(&number));
            insert(store, new..new + count);
        }
        Act::Search => return Some(list(store).expect("a sound index")),
    }
    None
}

/// Do it in the twin.
fn twin(members: &BTreeSet<u64>, act: Act, new: u64) -> BTreeSet<u64> {
    let (from, to, count) = match act {
        Act::Insert(count) => (0, 0, count),
        Act::Delete(from, to) => (from, to, 0),
        Act::Replace(from, to, count) => (from, to, count),
        Act::Search => (0, 0, 0),
    };
    let stay = members.iter().copied().filter(|number| !(from..to).contains(number));
    stay.chain(new..new + count).collect()
}

/// A first state, kept.
struct First {
    state: u32,
    pages: Vec<Vec<u8>>,
    members: BTreeSet<u64>,
}

/// Run `second` before the `step`-th step of `first_act`; false where that has fewer steps.
fn run(first: &First, step: u64, first_act: Act, second: Act) -> bool {
    let store = Hooked::new(store_of(&first.pages));
    let First { state, members: before, .. } = first;
    store.at(step, move |inner| drop(act(inner, second, 2 * NEW)));
    let found = act(&store, first_act, NEW);
    let steps = store.stop();
    if steps <= step {
        return false;
    }
    let case = format!("{second:?} at step {step} of {first_act:?}, state {state}");
    let end = twin(&twin(before, first_act, NEW), second, 2 * NEW);
    if let Some(found) = found {
        let set: BTreeSet<u64> = found.iter().copied().collect();
        assert_eq!(set.len(), found.len(), "{case}: a member came twice");
        assert!(set.is_superset(&(before & &end)), "{case}: a member that was there all along is missing");
        assert!(set.is_subset(&(before | &end)), "{case}: a member that was never there");
    }
    assert_eq!(members(&store), end, "{case}");
    sound(&store);
    delete(&store, |_| false);
    assert_eq!(sound(&store).leaked_pages, 0, "{case}");
    true
}

#[test]
fn any_two_operations_may_run_at_once() {
    let mut runs = 0;
    for state in 0..4 {
        let store = first(state);
        let first = First { state, pages: pages(&store), members: members(&store) };
        for first_act in ACTS.into_iter().take(ACTS.len() - 1) {
            for second in ACTS {
                runs += (0..).take_while(|step| run(&first, *step, first_act, second)).count();
            }
        }
    }
    assert!(runs > 3_000, "{runs}");
}

/// A search that rests after each page while the other pages' members come and go.
fn restless_search(seed: u64) {
    let mut random = Random(seed);
    let store = MemoryStore::default();
    let pages = 4 + random.below(6);
    load(&store, pages * FULL).expect("an empty store");
    // Whole pages of members come and go, and some pages stay.
    let stays: Vec<bool> = (0..pages).map(|_| random.below(3) == 0).collect();
    let stable: BTreeSet<u64> = (0..pages * FULL).filter(|number| stays[(number / FULL) as usize]).collect();
    let (mut ever, mut fresh) = ((0..pages * FULL).collect::<BTreeSet<u64>>(), NEW);
    let index = open(&store);
    let mut search = index.search().expect("a sound index");
    let mut found = Vec::new();
    loop {
        let before = found.len();
        found.extend(search.members().take(FULL as usize).map(|tid| number(tid.expect("a sound index"))));
        if found.len() == before || found.len() as u64 > 40 * FULL {
            break;
        }
        for _ in 0..random.below(3) {
            if random.below(2) == 0 {
                let chance = random.below(4);
                let salt = random.next();
                let dead = |number: u64| !stable.contains(&number) && Random(salt ^ (number / FULL)).below(4) <= chance;
                delete(&store, dead);
            } else {
                let count = random.below(2 * FULL);
                insert(&store, fresh..fresh + count);
                ever.extend(fresh..fresh + count);
                fresh += count;
            }
        }
    }
    let set: BTreeSet<u64> = found.iter().copied().collect();
    assert_eq!(set.len(), found.len(), "seed {seed}: a member came twice");
    assert!(set.is_superset(&stable), "seed {seed}: a member that was there all along is missing");
    assert!(set.is_subset(&ever), "seed {seed}: a member that was never there");
    sound(&store);
}

#[test]
fn a_search_outlives_what_happens_between_its_pages() {
    (0..200).for_each(restless_search);
}

#[test]
fn a_search_goes_on_where_its_page_and_the_one_before_were_used_again() {
    let store = loaded(6 * FULL);
    let index = open(&store);
    let mut search = index.search().expect("a sound index");
    let mut found: Vec<_> = search.members().take(2 * FULL as usize).collect();
    // The search stands on page 2 and was sent to page 3. Both are freed, then used again at the tail.
    assert_eq!(delete(&store, |number| (FULL..4 * FULL).contains(&number)).freed, 3);
    insert(&store, 6 * FULL..9 * FULL);
    assert_eq!((store.pages(), sound(&store).free_pages), (7, 0));
    found.extend(search.members());
    let found: Vec<u64> = found.into_iter().map(|tid| number(tid.expect("a sound index"))).collect();
    assert_eq!(found, (0..2 * FULL).chain(4 * FULL..9 * FULL).collect::<Vec<u64>>());
}

#[test]
fn who_meets_a_locked_page_fails_whole_in_a_store_that_does_not_wait() {
    for state in 0..4 {
        let pages = first(state).pages();
        for page in (0..pages).map(PageId) {
            for first_act in [Act::Insert(1), Act::Insert(2), Act::Delete(FULL, 2 * FULL), Act::Search] {
                let store = first(state);
                let before = members(&store);
                let mut other = store.begin();
                other.page(page).expect("free");
                let result = attempt(&store, first_act);
                drop(other);
                assert!(result.is_ok() || result == Err(Error::Store(StoreError::Locked(page))), "{result:?}");
                sound(&store);
                let (end, found) = (twin(&before, first_act, NEW), members(&store));
                assert!(found.is_superset(&(&before & &end)) && found.is_subset(&(&before | &end)));
                assert!(result.is_err() || found == end);
            }
        }
    }
}

/// Do what `act` says, or fail.
fn attempt(store: &MemoryStore, act: Act) -> Result<(), Error> {
    let index = Index::open(store)?;
    match act {
        Act::Insert(count) => (NEW..NEW + count).try_for_each(|new| index.insert(tid(new))),
        Act::Delete(from, to) => index.delete(&mut |tid| (from..to).contains(&number(tid)), &mut || {}).map(drop),
        _ => index.search()?.members().try_for_each(|tid| tid.map(drop)),
    }
}
