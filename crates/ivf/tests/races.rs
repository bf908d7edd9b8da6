//! The risk: races that need a certain page at a certain moment, which chance does not meet.

mod common;

use common::hooked::Hooked;
use common::vectors::Vectors;
use common::{World, delete, open, sound};
use vw_ivf::memory::MemoryStore;
use vw_ivf::{Coding, Metric};

/// An index whose only list has a packed part and full open pages, of floats.
fn about_to_grow(world: &World) -> MemoryStore {
    let store = world.loaded(300, 1);
    let live = || open(&store).estimate().expect("a sound index").live_pages;
    let mut number = 300;
    world.insert(&store, [number]);
    let before = live();
    // Rows of 60 floats: 33 on a page.
    while number < 332 {
        number += 1;
        world.insert(&store, [number]);
    }
    assert_eq!(live(), before, "the open page is full, and there is one");
    store
}

#[test]
fn the_last_page_of_a_list_is_the_first_free_one_when_an_insert_wants_another() {
    let world = World::new(Metric::L2, Coding::Raw, 60, 400, Vectors::Clusters(4));
    let steps = {
        let store = Hooked::new(about_to_grow(&world));
        store.at(u64::MAX, |_| {});
        world.insert(&store, [1_000]);
        store.stop()
    };
    for step in 0..steps {
        let store = Hooked::new(about_to_grow(&world));
        // The list is packed anew, its pages are freed, and the last of them is the first to be used again.
        store.at(step, |inner| assert!(delete(inner, |number| number < 340).removed > 300));
        world.insert(&store, [1_000]);
        assert_eq!(world.members(&store).into_iter().collect::<Vec<_>>(), [1_000], "step {step}");
        sound(&store);
    }
}

#[test]
fn a_list_that_a_crash_left_closed_takes_members_again() {
    let world = World::new(Metric::L2, Coding::Raw, 60, 400, Vectors::Clusters(4));
    let mut crashes = 0;
    for at in 0.. {
        let store = about_to_grow(&world);
        store.crash_at(at);
        let crashed = vw_ivf::Index::open(&store)
            .and_then(|index| index.delete(&mut |tid| common::number(tid) < 200, &mut || {}));
        store.recover();
        if crashed.is_ok() {
            break;
        }
        crashes += 1;
        world.insert(&store, 1_000..1_100);
        let members = world.members(&store);
        assert!((200..333).chain(1_000..1_100).all(|number| members.contains(&number)), "commit {at}");
        sound(&store);
        delete(&store, |number| number < 200);
        assert_eq!(world.members(&store), (200..333).chain(1_000..1_100).collect(), "commit {at}");
        assert_eq!(sound(&store).leaked_pages, 0, "commit {at}");
    }
    assert!(crashes > 10, "{crashes}");
}
