//! The risk: vectors that codes do not stand for well. Zeros, huge and tiny ones, thousands of equal ones: a search must
//! give each once and in its place, and the lists must stay usable.

mod common;

use std::collections::BTreeSet;

use common::vectors::Vectors;
use common::{World, delete, open, sound};
use vw_ivf::{Coding, Effort, Metric};

const METRICS: [Metric; 3] = [Metric::L2, Metric::InnerProduct, Metric::Cosine];
const CODINGS: [(Coding, u32); 7] = [
    (Coding::None, 5),
    (Coding::Raw, 3),
    (Coding::Raw, 60),
    (Coding::Bits(1), 64),
    (Coding::Bits(2), 70),
    (Coding::Bits(4), 64),
    (Coding::Bits(8), 128),
];

#[test]
fn wild_vectors_are_found_where_an_exact_scan_finds_them() {
    for metric in METRICS {
        for (coding, dimensions) in CODINGS {
            let world = World::new(metric, coding, dimensions, 120, Vectors::Wild);
            let built = world.loaded(600, 6);
            world.insert(&built, 600..900);
            let inserted = world.empty();
            world.insert(&inserted, 0..900);
            let mut members: BTreeSet<u64> = (0..900).collect();
            for (store, way) in [(&built, "built"), (&inserted, "inserted")] {
                for query in 0..40 {
                    let case = format!("{metric:?}, {coding:?}, {way}, query {query}");
                    world.exact(store, &members, &world.vector(10_000 + query), &case);
                }
                delete(store, |number| number % 3 > 0);
                sound(store);
            }
            members.retain(|number| number % 3 == 0);
            for store in [&built, &inserted] {
                world.exact(store, &members, &world.vector(7), "after a deletion");
            }
        }
    }
}

#[test]
fn whoever_asks_for_all_gets_all_however_little_effort_was_asked_for() {
    for (coding, dimensions) in CODINGS {
        let world = World::new(Metric::Cosine, coding, dimensions, 120, Vectors::Wild);
        let store = world.loaded(1_500, 15);
        for effort in [
            Effort::default(),
            Effort { recall: 0.0, ..Effort::default() },
            Effort { probes: 1, ..Effort::default() },
            Effort { probes: 3, ..Effort::default() },
        ] {
            for query in [0, 5_000, 5_001, 5_007, 5_010] {
                let found = world.search(&store, &world.vector(query), &effort, usize::MAX).expect("a sound index");
                let set: BTreeSet<u64> = found.iter().map(|(number, _)| *number).collect();
                assert_eq!((found.len(), set.len()), (1_500, 1_500), "{coding:?}, {effort:?}, query {query}");
            }
        }
        let most = Effort { most: 1, ..Effort::default() };
        let found = world.search(&store, &world.vector(5_000), &most, usize::MAX).expect("a sound index");
        let lists = open(&store).estimate().expect("a sound index").lists;
        assert!(lists == 1 || found.len() < 1_500, "no more than one list is visited");
    }
}

#[test]
fn thousands_of_equal_members_are_kept_in_lists_that_are_packed() {
    for (coding, dimensions) in [(Coding::Raw, 3), (Coding::Bits(4), 64), (Coding::Bits(1), 64)] {
        for every in [u64::MAX, 50] {
            let world = World::new(Metric::L2, coding, dimensions, 150, Vectors::Alike(every));
            let store = world.empty();
            world.insert(&store, 0..6_000);
            let members: BTreeSet<u64> = (0..6_000).collect();
            assert_eq!(sound(&store).members, 6_000);
            world.exact(&store, &members, &world.vector(1), "equal members");
            let stats = open(&store).stats(&mut || {}).expect("a sound index");
            assert!(stats.open_members < 2_400, "{coding:?}: they are packed: {stats:?}");
            assert!(stats.longest < 2_000, "{coding:?}: no list is endless: {stats:?}");
        }
    }
}

#[test]
fn lists_of_equal_members_stay_several_when_one_beside_them_is_split() {
    // Half of the members are alike, and the lists of the others are split again and again.
    let world = World::new(Metric::L2, Coding::Bits(4), 64, 150, Vectors::Alike(2));
    let store = world.empty();
    world.insert(&store, 0..9_000);
    let stats = open(&store).stats(&mut || {}).expect("a sound index");
    assert!(stats.longest < 700, "{stats:?}");
    sound(&store);
}

#[test]
fn a_vacuum_of_a_long_list_of_equal_members_comes_to_an_end() {
    let world = World::new(Metric::L2, Coding::Bits(1), 64, 100, Vectors::Alike(u64::MAX));
    let store = world.loaded(6_000, 1);
    let deleted = delete(&store, |number| number % 5 < 3);
    assert_eq!((deleted.removed, deleted.kept), (3_600, 2_400));
    assert_eq!(world.members(&store).len(), 2_400);
    assert_eq!(open(&store).stats(&mut || {}).expect("a sound index").deleted, 0, "their places are gone");
    sound(&store);
}
