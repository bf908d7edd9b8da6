//! Guards reading on a hot standby: search and embedding work there, with an engine of its own, and write nothing.

use std::time::{Duration, Instant};

use vw_tests::cluster::Cluster;
use vw_tests::process;

#[test]
fn a_standby_searches_with_its_own_engine() {
    let primary = Cluster::start("");
    let mut client = primary.with_vw("app");
    client.batch_execute("SELECT vw_create_collection('tools')").expect("a collection");
    let index =
        "SELECT vw_index_items('tools', ARRAY['a hammer for nails', 'a red rose'], ids => ARRAY['hammer', 'rose'])";
    client.batch_execute(index).expect("items");
    let standby = primary.replica();
    let mut reader = standby.connect("app");
    let search = "SELECT id FROM vw_search('tools', 'flower', top_k => 1)";
    assert_eq!(reader.query_one(search, &[]).expect("a search").get::<_, &str>(0), "rose");
    assert_eq!(process::engines(&standby.data()).len(), 1);
    let more = "SELECT vw_index_items('tools', ARRAY['a blue violet'], ids => ARRAY['violet'])";
    client.batch_execute(more).expect("an item");
    let limit = Instant::now() + Duration::from_secs(30);
    while reader.query("SELECT FROM vw_items('tools')", &[]).expect("items").len() < 3 {
        assert!(Instant::now() < limit, "the standby does not follow");
        std::thread::sleep(Duration::from_millis(20));
    }
    let refused = reader.batch_execute(index).expect_err("a standby writes nothing");
    assert_eq!(refused.code(), Some(&postgres::error::SqlState::READ_ONLY_SQL_TRANSACTION));
}
