//! Guards the planner's choice between the index and an exact scan, and what EXPLAIN and `vw_index_recall` tell of a
//! search.

use postgres::Client;
use postgres::error::SqlState;
use serde_json::Value;
use vw_tests::cluster::Cluster;

use super::{database, plan, run, same};

/// Queries that the index answers sooner.
const BY_INDEX: [&str; 4] = ["", "WHERE mark < 900", "WHERE mark < 100", "WHERE id > 0"];
/// Queries that an exact scan answers sooner: few rows pass.
const BY_TABLE: [&str; 3] = ["WHERE mark = 7", "WHERE mark < 3", "WHERE id < 0"];

/// A database with the table `t` of `rows` rows around as many as 100 places, and its index `t_v`.
fn clusters(cluster: &Cluster, rows: i64) -> Client {
    let mut client = database(cluster);
    client
        .batch_execute(
            "CREATE FUNCTION around(i bigint) RETURNS vector IMMUTABLE LANGUAGE sql AS $$
                 SELECT array_agg(sin(i % 100 * j) + 0.5 * sin(i * i % 7919 * j))::real[]::vector(96)
                 FROM generate_series(1, 96) j $$;
             CREATE TABLE t (id bigint, mark int, v vector(96))",
        )
        .expect("a table");
    let insert = "INSERT INTO t SELECT i, i % 1000, around(i) FROM generate_series(1, $1::bigint) i";
    client.execute(insert, &[&rows]).expect("rows");
    run(&mut client, &["CREATE INDEX t_v ON t USING ivf (v vector_cosine_ops)", "VACUUM ANALYZE t"]);
    client
}

fn nearest(filter: &str) -> String {
    ["SELECT id, v <=> around(4711) FROM t ", filter, " ORDER BY 2 LIMIT 10"].concat()
}

#[test]
fn the_planner_takes_the_faster_way() {
    let cluster = Cluster::start("");
    let mut client = clusters(&cluster, 20_000);
    let uses_index = |client: &mut Client, query: &str| plan(client, query).contains("using t_v");
    for filter in BY_INDEX {
        assert!(uses_index(&mut client, &nearest(filter)), "{}", plan(&mut client, &nearest(filter)));
        assert_eq!(client.query(&nearest(filter), &[]).expect("rows").len(), 10);
    }
    for filter in BY_TABLE {
        assert!(!uses_index(&mut client, &nearest(filter)), "{}", plan(&mut client, &nearest(filter)));
    }
    run(&mut client, &["SET ivf.recall_target = 1"]);
    for filter in BY_TABLE {
        let expected = if filter == "WHERE id < 0" { 0 } else { 10 };
        assert_eq!(same(&mut client, "t_v", &nearest(filter)).len(), expected, "{filter}");
    }
    run(&mut client, &["RESET ALL"]);
    let all = "SELECT id FROM t ORDER BY v <=> around(4711)";
    assert!(!uses_index(&mut client, all), "all rows in order are sorted sooner");
    assert!(!uses_index(&mut client, "SELECT count(*) FROM t"));
    run(&mut client, &["DELETE FROM t WHERE id > 300", "VACUUM FULL ANALYZE t"]);
    assert!(!uses_index(&mut client, &nearest("")), "a small table is scanned");
}

/// A search that knows no distances reads all rows, and an exact scan does that sooner.
#[test]
fn an_index_without_codes_is_used_only_where_nothing_else_may_be() {
    let cluster = Cluster::start("random_page_cost = 1.1");
    let mut client = clusters(&cluster, 5000);
    run(&mut client, &["CREATE INDEX t_l1 ON t USING ivf (v vector_l1_ops)"]);
    let query = "SELECT id, v <+> around(4711) FROM t ORDER BY 2 LIMIT 10";
    assert!(!plan(&mut client, query).contains("Index Scan"), "{}", plan(&mut client, query));
    same(&mut client, "t_l1", query);
}

/// What a later version wrote is not read, and the query is answered all the same. Servers from version 18 on have
/// checksums of pages, which the page that is made here does not bear.
#[test]
fn an_unknown_format_is_a_warning() {
    let cluster = Cluster::start("ignore_checksum_failure = on");
    let mut client = clusters(&cluster, 3000);
    let path: String = client.query_one("SELECT pg_relation_filepath('t_v')", &[]).expect("a path").get(0);
    let file = cluster.data().join(path);
    drop(client);
    cluster.stop("fast");
    let mut bytes = std::fs::read(&file).expect("the index");
    let magic = bytes.windows(8).position(|bytes| bytes == b"vw-ivf\r\n").expect("the meta page");
    bytes[magic - 2] = 99;
    std::fs::write(&file, bytes).expect("own file");
    cluster.resume();
    let script = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(script.path(), ["SET enable_seqscan = off; ", &nearest(""), ";"].concat()).expect("own file");
    let output = cluster.psql("app", &["-q", "-A", "-t"], script.path());
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("WARNING:  index t_v is not used: the index has format 99"), "{printed}");
    assert_eq!(printed.lines().filter(|line| line.contains('|')).count(), 10, "{printed}");
}

/// The last element of an explanation, where it is of an index.
fn explain(client: &mut Client, options: &str, query: &str) -> Option<Value> {
    let row = client.query_one(&["EXPLAIN (", options, " FORMAT JSON) ", query].concat(), &[]).expect("a plan");
    row.get::<_, Value>(0).as_array().and_then(|parts| parts.last()?.get("Inverted File").cloned())
}

#[test]
fn explain_tells_what_scans_did() {
    let cluster = Cluster::start("");
    let mut client = clusters(&cluster, 20_000);
    let query = nearest("");
    assert_eq!(explain(&mut client, "", &query), None, "nothing was done");
    let number = |done: &Value, name: &str| done[name].as_i64().expect("a number");
    let done = explain(&mut client, "ANALYZE, BUFFERS,", &query).expect("a scan");
    assert_eq!(number(&done, "Scans"), 1);
    assert!((10..5000).contains(&number(&done, "Rows Fetched")) && number(&done, "Rows Refined") >= 10, "{done}");
    run(&mut client, &["SET ivf.probes = 3"]);
    let done = explain(&mut client, "ANALYZE,", &query).expect("a scan");
    assert_eq!(number(&done, "Lists Visited"), 3);
    assert!((10..20_000).contains(&number(&done, "Codes Scanned")), "{done}");
    let many = "SELECT (SELECT id FROM t ORDER BY v <=> around(i) LIMIT 1) FROM generate_series(1, 7::bigint) i";
    let done = explain(&mut client, "ANALYZE,", many).expect("scans");
    assert_eq!((number(&done, "Scans"), number(&done, "Lists Visited")), (7, 21));
    run(&mut client, &["SET enable_indexscan = off"]);
    assert_eq!(explain(&mut client, "ANALYZE,", &query), None);
}

#[test]
fn recall_is_measured() {
    let cluster = Cluster::start("");
    let mut client = clusters(&cluster, 20_000);
    let measure = |client: &mut Client| {
        let query = "SELECT recall, queries, lists_visited, codes_scanned FROM vw_index_recall('t_v', 50)";
        let row = client.query_one(query, &[]).expect("a row");
        (row.get::<_, f64>(0), row.get::<_, i32>(1), row.get::<_, f64>(2), row.get::<_, f64>(3))
    };
    let (recall, queries, lists, codes) = measure(&mut client);
    assert!(recall > 0.9 && queries == 50 && codes <= 20_000.0, "{recall} {queries} {codes}");
    run(&mut client, &["SET ivf.probes = 1"]);
    let (less, _, one, _) = measure(&mut client);
    assert!(less <= recall && one >= 1.0 && one < lists, "{less} of {recall}, {one} of {lists}");
    run(&mut client, &["SET ivf.probes = 0", "SET ivf.recall_target = 1"]);
    assert!(measure(&mut client).0 == 1.0, "all lists");
    let denied = |client: &mut Client| {
        let error = client.query("SELECT * FROM vw_index_recall('t_v')", &[]).expect_err("no rights");
        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    };
    run(&mut client, &["CREATE ROLE stranger", "SET ROLE stranger"]);
    denied(&mut client);
    run(&mut client, &["RESET ROLE", "GRANT SELECT ON t TO stranger", "SET ROLE stranger"]);
    measure(&mut client);
    run(&mut client, &["RESET ROLE", "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "SET ROLE stranger"]);
    denied(&mut client);
    run(&mut client, &["RESET ROLE", "SET statement_timeout = 50"]);
    let slow = client.query("SELECT * FROM vw_index_recall('t_v', 10000)", &[]).expect_err("too slow");
    assert_eq!(slow.code(), Some(&SqlState::QUERY_CANCELED));
}
