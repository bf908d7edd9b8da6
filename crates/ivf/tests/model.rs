//! The risk: an index that loses, doubles or invents members over a long life of inserts, deletions and searches.

mod common;

use std::collections::BTreeSet;

use common::{FULL, Random, delete, insert, load, members, open, sound, tid};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Error, Index, Options, PageId, PageStore, Tid, create};

/// Delete what `dead` names from both twins.
fn delete_both(store: &MemoryStore, twin: &mut BTreeSet<u64>, dead: impl Fn(u64) -> bool) {
    let before = twin.len();
    twin.retain(|number| !dead(*number));
    let deleted = delete(store, dead);
    assert_eq!((deleted.removed, deleted.kept), ((before - twin.len()) as u64, twin.len() as u64));
}

/// Live `operations` operations; what is deleted, and how much, changes with time.
fn live(seed: u64, operations: u64, built: u64) {
    let store = MemoryStore::default();
    load(&store, built).expect("an empty store");
    let mut twin: BTreeSet<u64> = (0..built).collect();
    let mut random = Random(seed);
    for operation in 0..operations {
        match random.below(2_000) {
            0 => {
                let every = 2 + random.below(5);
                delete_both(&store, &mut twin, |number| number % every == 0);
            }
            1 => {
                let from = random.below(20_000);
                let to = from + random.below(8_000);
                delete_both(&store, &mut twin, |number| (from..to).contains(&number));
            }
            2 if random.below(8) == 0 => delete_both(&store, &mut twin, |_| true),
            3 => assert_eq!(delete(&store, |_| false).removed, 0),
            4..6 => assert_eq!(members(&store), twin),
            6..8 => assert_eq!(sound(&store).members, twin.len() as u64),
            _ => {
                let number = random.below(20_000);
                if twin.insert(number) {
                    insert(&store, [number]);
                }
            }
        }
        assert!(operation < 1_000 || store.pages() < 60, "pages are not used again");
    }
    assert_eq!(members(&store), twin);
    assert_eq!(sound(&store).leaked_pages, 0);
}

#[test]
fn an_index_and_a_set_live_alike() {
    for seed in 0..8 {
        live(seed, 30_000, 0);
        live(seed, 20_000, seed * 997);
    }
}

#[test]
fn builds_hold_what_was_pushed_in_order_and_in_full_pages() {
    for end in [0, 1, FULL - 1, FULL, FULL + 1, 3 * FULL, 3 * FULL + 7] {
        let store = MemoryStore::default();
        assert_eq!(load(&store, end), Ok(end));
        assert_eq!(common::list(&store), Ok((0..end).collect()));
        assert_eq!(u64::from(sound(&store).list_pages), end.div_ceil(FULL).max(1));
        assert_eq!(open(&store).estimate().expect("a sound index").members, end);
        insert(&store, end..end + 10);
        assert_eq!(members(&store), (0..end + 10).collect());
        sound(&store);
    }
}

#[test]
fn options_are_kept_and_misuse_is_refused() {
    let store = MemoryStore::default();
    assert!(matches!(Index::open(&store), Err(Error::Corrupt { page: PageId(0), .. })));
    let options = Options { dimensions: 768, lists: 9 };
    create(&store, &options).expect("an empty store");
    assert_eq!(create(&store, &options), Err(Error::NotEmpty { pages: 2 }));
    assert_eq!(open(&store).options(), Ok(options));
    for wrong in [Tid { block: 0, offset: 0 }, Tid { block: u32::MAX, offset: 1 }] {
        assert_eq!(open(&store).insert(wrong), Err(Error::InvalidTid(wrong)));
    }
    open(&store).insert(Tid { block: u32::MAX - 1, offset: u16::MAX }).expect("the last tuple there can be");
    open(&store).insert(tid(0)).expect("the first tuple there can be");
    assert_eq!(open(&store).stats().expect("a sound index").members, 2);
}

#[test]
fn estimates_follow_the_list() {
    let store = MemoryStore::default();
    load(&store, 10 * FULL).expect("an empty store");
    insert(&store, 10 * FULL..30 * FULL);
    let estimate = open(&store).estimate().expect("a sound index");
    assert_eq!((estimate.members, estimate.list_pages), (30 * FULL, 30));
    delete(&store, |number| number >= FULL);
    let estimate = open(&store).estimate().expect("a sound index");
    assert_eq!((estimate.members, estimate.list_pages, estimate.free_pages), (FULL, 1, 29));
}
