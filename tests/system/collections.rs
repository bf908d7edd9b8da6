//! Guards the index of a collection: it appears by itself when there are enough items, whoever adds them, is used by
//! searches, and comes back from a dump. And that no other pack than its own answers for a collection.

use postgres::Client;
use vw_tests::cluster::Cluster;
use vw_tests::service::{self, ROLE};

/// Items from which on a collection has an index.
const ENOUGH: i32 = 3000;

/// Make a collection; give its id and the name of its partition.
fn collection(client: &mut Client) -> (String, String) {
    let create = "SELECT c.id, 'vw.' || vw.partition_of(c.id) FROM vw_create_collection('many') c";
    let row = client.query_one(create, &[]).expect("a collection");
    (row.get(0), row.get(1))
}

/// Add items with made-up embeddings the way `vw_index_items` adds embedded ones.
fn add(client: &mut Client, first: i32, last: i32) {
    client
        .execute(
            "SELECT vw.insert_items(c, ARRAY(SELECT 'item ' || i FROM generate_series($1::int, $2::int) i), NULL, NULL, NULL,
                 ARRAY(SELECT i::text FROM generate_series($1::int, $2::int) i), NULL, NULL,
                 ARRAY(SELECT (i - $1::int + 1, (SELECT array_agg(sin(i % 50 * j) + sin(i * j) ORDER BY j)::real[]::vector
                         FROM generate_series(1, m.dimensions) j), 1, false, NULL, NULL, NULL)::vw.embedded FROM generate_series($1::int, $2::int) i))
                 FROM vw.collection c JOIN vw.model m ON m.id = c.model_id WHERE c.name = 'many'",
            &[&first, &last],
        )
        .expect("items");
    let count = "UPDATE vw.collection SET item_count = item_count + $1 WHERE name = 'many'";
    client.execute(count, &[&i64::from(last - first + 1)]).expect("a count");
}

/// Count enough items for an index, in a statement that reads them, beside which none can be made.
fn recount(client: &mut Client, partition: &str) {
    let query =
        ["UPDATE vw.collection SET item_count = (SELECT count(*) + 10 FROM ", partition, ") WHERE name = 'many'"];
    client.execute(&query.concat(), &[]).expect("no index is made, and nothing fails");
}

/// Indexes of the access method `ivf` on a partition.
fn indexes(client: &mut Client, partition: &str) -> Vec<String> {
    let query = "SELECT indexdef FROM pg_indexes WHERE schemaname || '.' || tablename = $1 AND indexdef LIKE '% ivf %'";
    client.query(query, &[&partition]).expect("the catalog").iter().map(|row| row.get(0)).collect()
}

/// Explain a search for the item 17.
fn explain(client: &mut Client, id: &str, partition: &str) -> String {
    let search = ["EXPLAIN (ANALYZE) SELECT * FROM vw.nearest('", id, "', (SELECT embedding FROM ", partition];
    let query = [search.concat().as_str(), " WHERE id = '17'), 10, NULL, NULL)"].concat();
    let rows = client.query(&query, &[]).expect("a plan");
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

/// The ids that a search for the item 17 finds.
fn found(client: &mut Client, id: &str, partition: &str) -> Vec<String> {
    let query =
        ["SELECT id FROM vw.nearest($1, (SELECT embedding FROM ", partition, " WHERE id = '17'), 10, NULL, NULL)"];
    client.query(&query.concat(), &[&id]).expect("rows").iter().map(|row| row.get(0)).collect()
}

#[test]
fn a_collection_gets_an_index_when_it_has_grown() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    let (id, partition) = collection(&mut client);
    service::grant(&cluster, "app");
    let mut worker = cluster.connect_as(ROLE, "app");
    worker.batch_execute("SET vw.project = 'prj_default'").expect("a project");
    add(&mut worker, 1, ENOUGH - 1);
    assert_eq!(indexes(&mut client, &partition), Vec::<String>::new());
    assert!(!explain(&mut worker, &id, &partition).contains("Inverted File"));
    recount(&mut client, &partition);
    assert_eq!(indexes(&mut client, &partition), Vec::<String>::new(), "not beside a running query");
    let exact = found(&mut worker, &id, &partition);
    worker.execute("SELECT FROM vw_index_items('many', ARRAY['one more'])", &[]).expect("an item");
    let made = indexes(&mut client, &partition);
    assert!(made.len() == 1 && made[0].contains("vector_cosine_ops"), "{made:?}");
    add(&mut worker, ENOUGH + 1, 20_000);
    assert_eq!(indexes(&mut client, &partition).len(), 1, "one index is enough");
    let plan = explain(&mut worker, &id, &partition);
    assert!(plan.contains("Inverted File: Scans: 1  "), "{plan}");
    let near = found(&mut worker, &id, &partition);
    assert!(near.len() == 10 && near[0] == "17" && exact[0] == "17", "{near:?}");
    let dump = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(dump.path(), cluster.client_program("pg_dump", &[], "app")).expect("own file");
    cluster.connect("postgres").batch_execute("CREATE DATABASE copy").expect("a database");
    let output = cluster.psql("copy", &["-q", "-v", "ON_ERROR_STOP=1"], dump.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut copy = cluster.connect("copy");
    assert_eq!(indexes(&mut copy, &partition), made);
    let plan = explain(&mut copy, &id, &partition);
    assert!(plan.contains("Inverted File: "), "{plan}");
}

#[test]
fn a_collection_asks_for_the_pack_that_it_was_made_with() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    client
        .batch_execute(
            "SELECT vw_create_collection('tools'); SELECT vw_index_items('tools', ARRAY['a hammer']);
             -- What it looks like when the pack's files were replaced since.
             INSERT INTO vw.model SELECT id, repeat('0', 64), name, types, dimensions, metric FROM vw.model;
             UPDATE vw.collection SET model_sha256 = repeat('0', 64)",
        )
        .expect("a collection");
    for call in ["SELECT vw_search('tools', 'x')", "SELECT vw_index_items('tools', ARRAY['a rose'])"] {
        let error = client.batch_execute(call).expect_err("another pack");
        let error = error.as_db_error().expect("an error of the server");
        assert_eq!(error.code(), &postgres::error::SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("needs another collection")), "{error:?}");
    }
    client
        .batch_execute("UPDATE vw.collection SET model_sha256 = (SELECT sha256 FROM vw_models())")
        .expect("it is back");
    assert_eq!(client.query("SELECT vw_search('tools', 'x')", &[]).expect("a search").len(), 1);
}
