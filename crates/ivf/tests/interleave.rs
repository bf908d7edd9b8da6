//! The risk: two operations at once. One runs whole between any two steps of the other, where the other holds no lock;
//! the lists that one was sent to may be replaced, and their pages freed and used again, by then.

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use common::hooked::Hooked;
use common::vectors::Vectors;
use common::{World, delete, open, pages, sound, store_of, try_delete};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Coding, Effort, Error, MAX_PAGES, Metric, PageId, PageStore, StoreError};

/// Numbers that no first state of an index has.
const NEW: u64 = 1_000_000;

/// What an operation does. Those of two operations commute, so the end does not depend on their order.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Insert this many new members.
    Insert(u64),
    /// Delete the old members that leave a remainder below the second number when divided by the first.
    Delete(u64, u64),
    /// The same, then insert new ones onto the freed pages.
    Replace(u64, u64, u64),
    /// Search for all members.
    Search(Effort),
    /// The same, with as many lists to be visited first as there are at the begin.
    SearchLists,
}

impl Act {
    fn is_exhaustive(self) -> bool {
        matches!(self, Act::SearchLists) || matches!(self, Act::Search(effort) if effort.recall >= 1.0)
    }
}

impl Act {
    fn is_dead(self, number: u64) -> bool {
        match self {
            Act::Delete(by, below) | Act::Replace(by, below, _) => number < NEW && number % by < below,
            Act::Insert(_) | Act::Search(_) | Act::SearchLists => false,
        }
    }

    fn inserted(self) -> u64 {
        match self {
            Act::Insert(count) | Act::Replace(_, _, count) => count,
            Act::Delete(..) | Act::Search(_) | Act::SearchLists => 0,
        }
    }
}

/// What came of an act: the members that it inserted for sure, and what it found.
#[derive(Default)]
struct Outcome {
    inserted: BTreeSet<u64>,
    deleted: bool,
    found: Option<Vec<(u64, f64)>>,
}

/// Do what `act` says. A store that does not wait says that it would, and then the act goes no further.
fn act<S: PageStore>(world: &World, store: &S, act: Act, new: u64) -> Outcome {
    let mut outcome = Outcome { deleted: !matches!(act, Act::Delete(..) | Act::Replace(..)), ..Outcome::default() };
    let mut steps = || {
        if !outcome.deleted {
            try_delete(store, |number| act.is_dead(number))?;
            outcome.deleted = true;
        }
        for number in new..new + act.inserted() {
            world.try_insert(store, [number])?;
            outcome.inserted.insert(number);
        }
        let lists = || open(store).estimate().map(|estimate| Effort { probes: estimate.lists, ..EXHAUSTIVE });
        let effort = match act {
            Act::Search(effort) => Some(effort),
            Act::SearchLists => Some(Effort { recall: 0.5, ..lists()? }),
            _ => None,
        };
        if let Some(effort) = effort {
            outcome.found = Some(world.search(store, &query(world), &effort, usize::MAX)?);
        }
        Ok::<_, Error>(())
    };
    let result = steps();
    assert!(matches!(result, Ok(()) | Err(Error::Store(StoreError::Busy))), "{act:?}: {result:?}");
    outcome
}

fn query(world: &World) -> Vec<f32> {
    world.vector(3 * NEW)
}

/// A first state, kept.
struct First {
    name: &'static str,
    world: World,
    pages: Vec<Vec<u8>>,
    members: BTreeSet<u64>,
}

impl First {
    fn new(name: &'static str, world: World, store: &MemoryStore) -> First {
        First { name, world, pages: pages(store), members: world.members(store) }
    }
}

/// Run `second` before the `step`-th step of `first_act`; false where that has fewer steps.
fn run(first: &First, step: u64, first_act: Act, second: Act) -> bool {
    let First { name, world, members: before, .. } = first;
    let store = Hooked::new(store_of(&first.pages));
    let other = Rc::new(RefCell::new(Outcome::default()));
    let (into, inner_world) = (Rc::clone(&other), *world);
    store.at(step, move |inner| drop(into.replace(act(&inner_world, inner, second, 2 * NEW))));
    let outcome = act(world, &store, first_act, NEW);
    if store.stop() <= step {
        return false;
    }
    let other = other.take();
    let case = format!("{name}: {second:?} at step {step} of {first_act:?}");
    // What must be there, and what may: an act that would have had to wait stopped where that was.
    let dead = |number: &u64| first_act.is_dead(*number) || second.is_dead(*number);
    let sure: BTreeSet<u64> = before.iter().filter(|number| !dead(number)).copied().collect();
    let sure: BTreeSet<u64> = sure.iter().chain(&outcome.inserted).chain(&other.inserted).copied().collect();
    let undone = !outcome.deleted || !other.deleted;
    let end = world.members(&store);
    assert!(end.is_superset(&sure), "{case}: members are lost: {:?}", (&sure - &end).len());
    assert!(undone || end == sure, "{case}: members are back, or half there: {:?}", &end - &sure);
    if let Some(found) = outcome.found {
        let set: BTreeSet<u64> = found.iter().map(|(number, _)| *number).collect();
        assert_eq!(set.len(), found.len(), "{case}: a member came twice");
        let stayed: BTreeSet<u64> = before & &end;
        assert!(set.is_superset(&stayed), "{case}: a member that was there all along is missing");
        assert!(set.is_subset(&(&(before | &end) | &other.inserted)), "{case}: a member that was never there");
        // Up to there, a search of so many lists may not have asked how many there are.
        let asked = step > 8 || !matches!(first_act, Act::SearchLists);
        if first_act.is_exhaustive() && asked {
            let mut last = f64::NEG_INFINITY;
            for (number, distance) in found.iter().filter(|(number, _)| stayed.contains(number)) {
                assert!(*distance >= last, "{case}: {number} comes too late");
                last = *distance;
            }
        }
    }
    assert!(store.commits.borrow().iter().all(|pages| pages.len() <= MAX_PAGES && pages.is_sorted()), "{case}");
    sound(&store);
    delete(&store, |_| false);
    assert_eq!(sound(&store).leaked_pages, 0, "{case}");
    assert_eq!(world.members(&store), end, "{case}: what vacuum does changes nothing");
    true
}

/// Run every pair of acts at every step, but for some steps where there are many.
fn all(first: &First, acts: &[Act], seconds: &[Act], least: usize) {
    let mut runs = 0;
    for first_act in acts {
        for second in seconds {
            let store = Hooked::new(store_of(&first.pages));
            store.at(u64::MAX, |_| {});
            act(&first.world, &store, *first_act, NEW);
            // Every step at first, where operations find their way; later some.
            let stride = 1 + store.stop() / 100;
            let steps = (0..20).chain((20..).step_by(stride as usize));
            runs += steps.take_while(|step| run(first, *step, *first_act, *second)).count();
        }
    }
    assert!(runs > least, "{}: {runs}", first.name);
}

const EXHAUSTIVE: Effort = Effort { recall: 1.0, probes: 0, most: u32::MAX };
const PROBES: Effort = Effort { recall: 0.95, probes: 1, most: u32::MAX };

const ACTS: [Act; 8] = [
    Act::Insert(1),
    Act::Insert(2),
    Act::Delete(10, 0),
    Act::Delete(10, 7),
    Act::Replace(10, 6, 2),
    Act::Search(EXHAUSTIVE),
    Act::Search(PROBES),
    Act::SearchLists,
];

const SECONDS: [Act; 6] = [
    Act::Insert(1),
    Act::Insert(150),
    Act::Delete(10, 3),
    Act::Delete(10, 9),
    Act::Delete(1, 1),
    Act::Replace(10, 8, 150),
];

fn bits(limit: u32) -> World {
    World::new(Metric::L2, Coding::Bits(4), 576, limit, Vectors::Clusters(3))
}

#[test]
fn around_the_first_pages_of_an_empty_index() {
    let world = bits(70);
    all(&First::new("empty", world, &world.empty()), &ACTS, &SECONDS, 200);
}

#[test]
fn around_a_split() {
    let world = bits(40);
    // Inserts until the next one gets its list a page more, with which it is split.
    let mut store = world.empty();
    world.insert(&store, 0..40);
    for number in 40.. {
        let before = pages(&store);
        let lists = open(&store).estimate().expect("a sound index").lists;
        world.insert(&store, [number]);
        if number > 90 && open(&store).estimate().expect("a sound index").lists > lists {
            store = store_of(&before);
            break;
        }
    }
    let first = First::new("about to split", world, &store);
    // The same member as the one that made it split.
    let number = first.members.len() as u64;
    let again = World { vectors: Vectors::Same(3, number), ..world };
    all(&First { world: again, ..first }, &ACTS, &SECONDS, 500);
}

#[test]
fn around_lists_that_are_joined() {
    let world = bits(90);
    let store = world.loaded(200, 5);
    world.insert(&store, 200..230);
    delete(&store, |number| number % 10 < 4);
    // A page that a crash left behind.
    vw_ivf::Transaction::extend(&mut store.begin()).expect("there is room");
    all(&First::new("thinned", world, &store), &ACTS, &SECONDS, 500);
}

#[test]
fn around_a_list_of_floats() {
    let world = World::new(Metric::Cosine, Coding::Raw, 60, 60, Vectors::Clusters(4));
    let store = world.loaded(100, 3);
    world.insert(&store, 100..165);
    all(&First::new("floats", world, &store), &ACTS, &SECONDS, 500);
}

#[test]
fn around_a_directory_page_that_splits() {
    // Three lists fill a page of the directory.
    let world = World::new(Metric::L2, Coding::Bits(1), 4_100, 33, Vectors::Clusters(8));
    let store = world.empty();
    let mut number = 0;
    while open(&store).estimate().expect("a sound index").lists < 3 {
        world.insert(&store, [number]);
        number += 1;
    }
    let acts = [Act::Insert(60), Act::Search(EXHAUSTIVE), Act::SearchLists, Act::Search(PROBES), Act::Delete(10, 7)];
    let seconds = [Act::Insert(1), Act::Insert(120), Act::Replace(10, 8, 100)];
    all(&First::new("a full directory page", world, &store), &acts, &seconds, 300);
}

/// Insert members up to the one with which lists of several directory pages change members; give the state before, that
/// member, and the commit in which it happens.
fn about_to_move(world: &World, built: u64, lists: u32) -> (MemoryStore, u64, u64) {
    let mut store = world.loaded(built, lists);
    for number in built.. {
        let before = pages(&store);
        let hooked = Hooked::new(store);
        world.insert(&hooked, [number]);
        let directory = |page: &PageId| before.get(page.0 as usize).is_some_and(|page| page[4..6] == [0x05, 0x56]);
        let moves = |commit: &Vec<PageId>| commit.iter().filter(|page| directory(page)).count() > 1;
        if let Some(at) = hooked.commits.borrow().iter().position(moves) {
            return (store_of(&before), number, at as u64);
        }
        store = hooked.inner;
    }
    unreachable!("numbers do not end")
}

#[test]
fn around_members_that_move_between_directory_pages() {
    // All on a circle, so that lists touch each other and have members to change.
    let world = World::new(Metric::L2, Coding::Bits(1), 4_100, 33, Vectors::Circle);
    let (store, number, commit) = about_to_move(&world, 300, 14);
    // A search that meets old lists that are whole still, while the directory names the new ones: whoever replaced them
    // crashed before it freed their pages.
    let before = world.members(&store);
    for step in 0..40 {
        let hooked = Hooked::new(store_of(&pages(&store)));
        hooked.at(step, move |inner| {
            inner.crash_at(commit + 1);
            assert_eq!(world.try_insert(inner, [number]), Err(Error::Store(StoreError::Crashed)));
            inner.recover();
        });
        let found = world.search(&hooked, &query(&world), &EXHAUSTIVE, usize::MAX).expect("a sound index");
        let found: BTreeSet<u64> = found.into_iter().map(|(number, _)| number).collect();
        assert!(hooked.stop() > step && found.is_superset(&before), "step {step}: a member is missing");
    }
}
