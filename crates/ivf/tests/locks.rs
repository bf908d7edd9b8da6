//! The risk: operations that lock or write more than the README states: deadlocks, full-page images for nothing, and a
//! vacuum that rewrites the index.

mod common;

use common::hooked::Hooked;
use common::{FULL, delete, insert, load, loaded, open, sound};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{MAX_PAGES, PageId, PageStore, Transaction};

/// Take the pages of each transaction committed so far.
fn commits(store: &Hooked) -> Vec<Vec<u32>> {
    store.commits.take().into_iter().map(|pages| pages.into_iter().map(|page| page.0).collect()).collect()
}

#[test]
fn an_insert_writes_one_page_and_a_full_one_three() {
    let store = Hooked::new(loaded(2 * FULL - 1));
    insert(&store, [10 * FULL]);
    assert_eq!(commits(&store), [[2]]);
    insert(&store, [10 * FULL + 1]);
    assert_eq!(commits(&store), [[0, 2, 3]]);
}

#[test]
fn a_free_page_is_used_in_ascending_order_of_locks() {
    let store = Hooked::new(loaded(4 * FULL));
    delete(&store, |number| (FULL..2 * FULL).contains(&number));
    assert_eq!(commits(&store), [vec![2], vec![0, 1, 2], vec![0]]);
    insert(&store, [10 * FULL]);
    assert_eq!(commits(&store), [[0, 2, 4]], "page 2 is free and page 4 the tail");
    delete(&store, |number| number == 10 * FULL);
    assert_eq!(commits(&store), [vec![2], vec![0, 2, 4], vec![0]]);
}

#[test]
fn vacuum_writes_only_where_something_is_dead() {
    let store = Hooked::new(loaded(5 * FULL + 7));
    let deleted = delete(&store, |_| false);
    assert_eq!((deleted.removed, deleted.kept, deleted.pages, deleted.freed), (0, 5 * FULL + 7, 7, 0));
    assert!(commits(&store).is_empty());
    let deleted = delete(&store, |number| number == FULL || number == 3 * FULL);
    assert_eq!((deleted.removed, deleted.kept), (2, 5 * FULL + 5));
    assert_eq!(commits(&store), [[2], [4], [0]]);
    delete(&store, |number| number == FULL || number == 3 * FULL);
    assert!(commits(&store).is_empty());
    delete(&store, |number| number < FULL);
    assert_eq!(commits(&store), [vec![1], vec![0, 1]], "the head stays, and inserts go back to it");
    delete(&store, |_| false);
    assert!(commits(&store).is_empty());
}

#[test]
fn inserts_go_back_to_room_and_pass_over_full_pages_once() {
    let store = Hooked::new(loaded(100 * FULL));
    delete(&store, |number| number < 200 || (90 * FULL..90 * FULL + 200).contains(&number));
    commits(&store);
    insert(&store, 200 * FULL..200 * FULL + 200);
    assert!(commits(&store).iter().all(|pages| *pages == [1]), "the head has room for 200");
    let last = 200 * FULL + 200;
    insert(&store, last..last + 300);
    let commits = commits(&store);
    let into = |page: u32| commits.iter().filter(|pages| **pages == [page]).count();
    assert_eq!(into(91), 200, "the room behind 89 full pages is found: {commits:?}");
    assert!(store.pages() == 102 && commits.iter().filter(|pages| pages.contains(&0)).count() < 10);
    assert_eq!(sound(&store).members, 100 * FULL + 100);
}

#[test]
fn an_insert_that_looks_ahead_does_not_undo_what_vacuum_notes() {
    let store = Hooked::new(loaded(4 * FULL));
    delete(&store, |number| (FULL..FULL + 200).contains(&number));
    insert(&store, 9 * FULL..9 * FULL + 200);
    // Page 2 is full again. The insert reads the meta page, tries page 2, reads pages 3 and 4, and would move the mark.
    store.at(4, |inner| assert_eq!(delete(inner, |number| number < 200).removed, 200));
    commits(&store);
    insert(&store, [10 * FULL]);
    assert!(store.stop() > 4);
    assert_eq!(commits(&store), [[1]], "vacuum found room on page 1");
}

#[test]
fn every_transaction_keeps_to_the_limit_and_the_order() {
    let store = Hooked::new(MemoryStore::default());
    load(&store, 3 * FULL).expect("an empty store");
    for round in 1..20 {
        insert(&store, (round * 10 * FULL)..(round * 10 * FULL) + 3 * FULL / 2);
        delete(&store, |number| number % 7 == round % 7 || number < round * 5 * FULL);
    }
    let commits = commits(&store);
    assert!(commits.iter().all(|pages| pages.len() <= MAX_PAGES && pages.is_sorted()));
    assert!(commits.iter().any(|pages| pages.len() == 3));
    sound(&store);
}

#[test]
fn nothing_is_locked_while_vacuum_rests_or_a_search_waits() {
    let store = loaded(3 * FULL);
    let free = || {
        for page in (0..store.pages()).map(PageId) {
            assert!(store.begin().page(page).is_ok());
        }
    };
    let index = open(&store);
    let mut dead = |tid| common::number(tid) / FULL != 1;
    index.delete(&mut dead, &mut || free()).expect("nobody holds a page");
    let mut search = index.search().expect("a sound index");
    assert_eq!(search.members().inspect(|_| free()).count() as u64, FULL);
    assert_eq!(search.pages(), 2);
}
