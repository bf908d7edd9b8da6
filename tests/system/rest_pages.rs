//! Guards paging by cursor: every item once and in order, also while others are deleted and added, to a marked end.

use serde_json::{Value, json};
use vw_tests::world::World;

fn fill(world: &World, count: usize) -> String {
    let path = world.collection("pages");
    let ids: Vec<String> = (0..count).map(|n| format!("i{n:02}")).collect();
    let items: Vec<(&str, &str, Value)> = ids.iter().map(|id| (id.as_str(), "text", json!({}))).collect();
    // All items of one request are created within microseconds; the id decides among equals.
    items.chunks(6).for_each(|chunk| world.index(&path, chunk));
    path
}

fn page(world: &World, path: &str, query: &str) -> (Vec<String>, Option<String>) {
    let page = world.send("GET", &format!("{path}/items?{query}"), Value::Null);
    assert_eq!(page.status, 200, "{page:?}");
    let items = page.body["items"].as_array().expect("items");
    let ids = items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
    (ids, page.body["next_cursor"].as_str().map(str::to_owned))
}

#[test]
fn cursors_walk_through_all_items_once() {
    let world = World::start(&[]);
    let path = fill(&world, 23);
    for limit in [1, 5, 22, 23, 24] {
        let (mut seen, mut cursor) = page(&world, &path, &format!("limit={limit}"));
        let mut pages = 1;
        while let Some(text) = cursor {
            let (ids, next) = page(&world, &path, &format!("limit={limit}&cursor={text}"));
            assert!(!ids.is_empty(), "no page is empty");
            seen.extend(ids);
            cursor = next;
            pages += 1;
        }
        assert_eq!(seen, (0..23).map(|n| format!("i{n:02}")).collect::<Vec<_>>(), "limit {limit}");
        assert_eq!(pages, 23_usize.div_ceil(limit), "limit {limit}");
    }
}

#[test]
fn a_cursor_keeps_its_place_while_items_come_and_go() {
    let world = World::start(&[]);
    let path = fill(&world, 12);
    let (first, cursor) = page(&world, &path, "limit=4");
    let cursor = cursor.expect("there are more");
    // The item that the cursor stands at is deleted too; an offset of 4 would now skip four items.
    let gone = world.send("DELETE", &format!("{path}/items"), json!({"ids": first}));
    assert_eq!(gone.body["deleted"], json!(4));
    world.index(&path, &[("new", "text", json!({}))]);
    let (rest, end) = page(&world, &path, &format!("cursor={cursor}"));
    assert_eq!(rest, ["i04", "i05", "i06", "i07", "i08", "i09", "i10", "i11", "new"]);
    assert_eq!(end, None);
    let both = world.send("GET", &format!("{path}/items?cursor={cursor}&offset=4"), Value::Null);
    assert_eq!((both.status, both.param()), (400, Some("offset")), "{both:?}");
    let bad = world.send("GET", &format!("{path}/items?cursor=bm9wZQ"), Value::Null);
    assert_eq!((bad.status, bad.param()), (400, Some("cursor")), "{bad:?}");
}
