//! The risk: an index that loses, doubles, invents or misplaces members over a long life of inserts, deletions and
//! searches, while its lists are packed, split and joined.

mod common;

use std::collections::BTreeSet;

use common::vectors::Vectors;
use common::{Random, World, delete, open, sound, tid};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Coding, Effort, Error, Index, Metric, Options, PageId, PageStore, Tid, create};

/// Delete what `dead` names from both twins.
fn delete_both(store: &MemoryStore, twin: &mut BTreeSet<u64>, dead: impl Fn(u64) -> bool) {
    let before = twin.len();
    twin.retain(|number| !dead(*number));
    let deleted = delete(store, dead);
    assert_eq!((deleted.removed, deleted.kept), ((before - twin.len()) as u64, twin.len() as u64));
}

/// Live `operations` operations among so many numbers; what is deleted, and how much, changes with time. Gives the most
/// lists that there were.
fn live(world: &World, seed: u64, operations: u64, numbers: u64, built: u64) -> u64 {
    let store = world.loaded(built, 1 + (built / 200) as u32);
    let mut twin: BTreeSet<u64> = (0..built).collect();
    let mut random = Random(seed);
    let mut most = 0;
    for operation in 0..operations {
        let case = format!("{world:?}, seed {seed}, operation {operation}");
        match random.below(1_000) {
            0 => {
                let every = 2 + random.below(5);
                delete_both(&store, &mut twin, |number| number % every == 0);
            }
            1 => {
                let from = random.below(numbers);
                let to = from + random.below(numbers / 2);
                delete_both(&store, &mut twin, |number| (from..to).contains(&number));
            }
            2 if random.below(4) == 0 => delete_both(&store, &mut twin, |number| number % 50 != 0),
            3 if random.below(8) == 0 => delete_both(&store, &mut twin, |_| true),
            4 => assert_eq!(delete(&store, |_| false).removed, 0),
            5 => assert_eq!(world.members(&store), twin, "{case}"),
            6 => world.exact(&store, &twin, &world.vector(random.below(2 * numbers)), &case),
            7 | 8 => {
                let checked = sound(&store);
                assert_eq!(checked.members, twin.len() as u64, "{case}");
                most = most.max(checked.lists);
            }
            _ => {
                let number = random.below(numbers);
                if twin.insert(number) {
                    world.insert(&store, [number]);
                }
            }
        }
    }
    assert_eq!(world.members(&store), twin);
    world.exact(&store, &twin, &world.vector(numbers), "the end");
    delete(&store, |_| false);
    assert_eq!(sound(&store).leaked_pages, 0);
    most
}

#[test]
fn codes_of_four_bits_live_as_a_set_does() {
    let world = World::new(Metric::Cosine, Coding::Bits(4), 64, 100, Vectors::Clusters(40));
    for seed in 0..2 {
        assert!(live(&world, seed, 6_000, 4_000, seed * 1_500) > 8);
    }
}

#[test]
fn codes_of_one_bit_live_as_a_set_does() {
    let world = World::new(Metric::InnerProduct, Coding::Bits(1), 96, 120, Vectors::Drift(100));
    assert!(live(&world, 3, 6_000, 4_000, 500) > 8);
}

#[test]
fn floats_live_as_a_set_does() {
    let few = World::new(Metric::L2, Coding::Raw, 3, 150, Vectors::Clusters(300));
    assert!(live(&few, 4, 8_000, 6_000, 0) > 4);
    let more = World::new(Metric::L2, Coding::Raw, 60, 80, Vectors::Clusters(30));
    assert!(live(&more, 5, 5_000, 3_000, 700) > 8);
}

#[test]
fn an_index_without_codes_lives_as_a_set_does() {
    let world = World::new(Metric::L2, Coding::None, 0, 1_000, Vectors::Clusters(30));
    live(&world, 6, 8_000, 5_000, 0);
    live(&world, 7, 4_000, 5_000, 3_000);
}

#[test]
fn directories_of_many_pages_live_as_a_set_does() {
    let world = World::new(Metric::L2, Coding::Bits(1), 4_100, 66, Vectors::Clusters(20));
    assert!(live(&world, 8, 6_000, 4_000, 0) > 12);
}

#[test]
fn builds_hold_what_was_pushed() {
    let world = World::new(Metric::Cosine, Coding::Bits(4), 64, 300, Vectors::Clusters(12));
    for (end, lists) in [(0, 1), (1, 1), (31, 2), (33, 5), (1_200, 1), (3_000, 30)] {
        let store = world.loaded(end, lists);
        let members = (0..end).collect();
        assert_eq!(world.members(&store), members);
        world.exact(&store, &members, &world.vector(99_999), "a build");
        assert_eq!(open(&store).estimate().expect("a sound index").members, end);
        world.insert(&store, end..end + 10);
        assert_eq!(world.members(&store), (0..end + 10).collect());
        sound(&store);
    }
}

#[test]
fn options_are_kept_and_misuse_is_refused() {
    let store = MemoryStore::default();
    assert!(matches!(Index::open(&store), Err(Error::Corrupt { page: PageId(0), .. })));
    let options = Options { dimensions: 768, lists: 9, metric: Metric::InnerProduct, coding: Coding::Bits(2) };
    create(&store, &options).expect("an empty store");
    assert_eq!(create(&store, &options), Err(Error::NotEmpty { pages: store.pages() }));
    assert_eq!(*open(&store).options(), options);
    let vector = vec![1.0; 768];
    for wrong in [Tid { block: 0, offset: 0 }, Tid { block: u32::MAX, offset: 1 }] {
        assert_eq!(open(&store).insert(wrong, &vector, &mut || {}), Err(Error::InvalidTid(wrong)));
    }
    let last = Tid { block: u32::MAX - 1, offset: u16::MAX };
    open(&store).insert(last, &vector, &mut || {}).expect("the last tuple there can be");
    open(&store).insert(tid(0), &vector, &mut || {}).expect("the first tuple there can be");
    assert_eq!(open(&store).stats(&mut || {}).expect("a sound index").members, 2);
}

#[test]
fn members_that_the_caller_does_not_want_are_passed_over() {
    let world = World::new(Metric::L2, Coding::Bits(4), 64, 100, Vectors::Clusters(9));
    let store = world.loaded(2_000, 10);
    let query = world.vector(77);
    let mut search = open(&store).search(&query, &Effort::default()).expect("a sound index");
    let mut found = 0;
    // One in a hundred passes the filter, and every one of those is found.
    let mut distance = |tid| {
        let number = common::number(tid);
        Ok::<_, Error>(number.is_multiple_of(100).then(|| world.distance(&query, number)))
    };
    while search.next(&mut distance).expect("a sound index").is_some() {
        found += 1;
    }
    assert_eq!(found, 20);
    assert_eq!(search.counters().fetched, 2_000);
}
