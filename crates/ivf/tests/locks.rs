//! The risk: operations that lock or write more than the README states: deadlocks, full-page images for nothing, and a
//! vacuum that rewrites the index.

mod common;

use common::hooked::Hooked;
use common::vectors::Vectors;
use common::{Random, World, delete, open, sound};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Coding, Effort, Error, MAX_PAGES, Metric, PageId, PageStore, StoreError, Transaction};

/// Rows of 60 floats: 33 on an open page.
fn floats(limit: u32) -> World {
    World::new(Metric::L2, Coding::Raw, 60, limit, Vectors::Clusters(6))
}

/// Take the pages of each transaction committed so far.
fn commits(store: &Hooked) -> Vec<Vec<u32>> {
    store.commits.take().into_iter().map(|pages| pages.into_iter().map(|page| page.0).collect()).collect()
}

#[test]
fn an_insert_writes_one_page_and_a_full_one_four() {
    let world = floats(10_000);
    let store = Hooked::new(world.loaded(2_000, 1));
    world.insert(&store, [20_000]);
    let first = commits(&store);
    assert_eq!((first.len(), first[0].len()), (1, 3), "the meta page, the directory page and a new one");
    world.insert(&store, 20_001..20_033);
    let usual = commits(&store);
    assert!(usual.len() == 32 && usual.iter().all(|pages| pages.len() == 1), "{usual:?}");
    world.insert(&store, [20_033]);
    let full = commits(&store);
    assert_eq!((full.len(), full[0].len()), (1, 4), "the last page too");
    assert!(full[0].is_sorted() && full[0][0] == 0);
}

#[test]
fn vacuum_writes_only_where_something_is_dead() {
    let world = World::new(Metric::L2, Coding::Bits(4), 64, 10_000, Vectors::Clusters(6));
    let store = Hooked::new(world.loaded(5_000, 20));
    world.insert(&store, 5_000..5_100);
    commits(&store);
    let deleted = delete(&store, |_| false);
    assert_eq!((deleted.removed, deleted.kept, deleted.freed), (0, 5_100, 0));
    assert!(commits(&store).is_empty());
    let deleted = delete(&store, |number| number == 7 || number == 5_050);
    assert_eq!((deleted.removed, deleted.kept), (2, 5_098));
    assert!(commits(&store).iter().map(Vec::len).eq([1, 1]), "one head page and one open page");
    delete(&store, |number| number == 7 || number == 5_050);
    assert!(commits(&store).is_empty());
    // One in a hundred.
    delete(&store, |number| number % 100 == 0);
    let writes = commits(&store);
    assert!(writes.len() <= 40 && writes.iter().all(|pages| pages.len() == 1), "{writes:?}");
    delete(&store, |_| false);
    assert!(commits(&store).is_empty());
}

#[test]
fn every_transaction_keeps_to_the_limit_and_the_order() {
    for world in [
        floats(60),
        World::new(Metric::Cosine, Coding::Bits(4), 576, 50, Vectors::Drift(40)),
        World::new(Metric::L2, Coding::Bits(1), 4_100, 33, Vectors::Clusters(8)),
        World::new(Metric::L2, Coding::None, 0, 500, Vectors::Clusters(8)),
    ] {
        let store = Hooked::new(world.loaded(200, 3));
        for round in 1..8 {
            world.insert(&store, (round * 1_000)..(round * 1_000) + 150);
            delete(&store, |number| number % 7 == round % 7 || number < round * 600);
        }
        let commits = commits(&store);
        assert!(commits.iter().all(|pages| pages.len() <= MAX_PAGES && pages.is_sorted()), "{world:?}");
        assert!(commits.iter().any(|pages| pages.len() >= 3));
        sound(&store);
    }
}

#[test]
fn nothing_is_locked_while_an_operation_rests() {
    let world = floats(60);
    let store = world.loaded(300, 6);
    let free = || {
        for page in (0..store.pages()).map(PageId) {
            assert!(store.begin().page(page).is_ok());
        }
    };
    let index = open(&store);
    for number in 1_000..1_200 {
        index.insert(common::tid(number), &world.vector(number), &mut || free()).expect("nobody holds a page");
    }
    let mut dead = |tid| common::number(tid) % 10 < 7;
    index.delete(&mut dead, &mut || free()).expect("nobody holds a page");
    index.check(&mut |problem| panic!("{problem}"), &mut || free()).expect("a sound index");
    index.stats(&mut || free()).expect("a sound index");
    let query = world.vector(5);
    let mut search = open(&store).search(&query, &Effort::default()).expect("a sound index");
    let mut distance = |tid| {
        free();
        Ok::<_, Error>(Some(world.distance(&query, common::number(tid))))
    };
    while search.next(&mut distance).expect("a sound index").is_some() {
        free();
    }
}

#[test]
fn who_meets_a_locked_page_fails_whole_in_a_store_that_does_not_wait() {
    let world = floats(60);
    let start = common::pages(&{
        let store = world.loaded(100, 3);
        world.insert(&store, 100..165);
        store
    });
    let mut random = Random(4);
    for page in (0..start.len() as u32).map(PageId) {
        let store: MemoryStore = common::store_of(&start);
        let before = world.members(&store);
        let mut other = store.begin();
        other.page(page).expect("free");
        let number = 500 + random.below(100);
        let results = [
            world.try_insert(&store, [number]),
            common::try_delete(&store, |number| number % 10 < 6).map(drop),
            world.search(&store, &world.vector(1), &Effort::default(), 500).map(drop),
        ];
        drop(other);
        for result in results {
            assert!(result.is_ok() || result == Err(Error::Store(StoreError::Locked(page))), "{result:?}");
        }
        sound(&store);
        let found = world.members(&store);
        assert!(before.iter().all(|number| number % 10 < 6 || found.contains(number)), "{page:?}");
        delete(&store, |_| false);
        assert_eq!(sound(&store).leaked_pages, 0);
    }
}
