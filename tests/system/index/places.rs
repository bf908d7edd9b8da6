//! Guards the kinds of tables and indexes that work differently inside: unlogged, temporary, partitioned, partial, on
//! expressions, restored from a dump.

use vw_tests::cluster::Cluster;

use super::{ALL, SOME, check, database, fill, rows, same, stats, table, use_index};

/// After a crash the index of an unlogged table is as empty as the table, and can be used.
#[test]
fn an_unlogged_table_is_empty_after_a_crash_and_works() {
    let cluster = Cluster::start("");
    let mut client = database(&cluster);
    client.batch_execute("CREATE UNLOGGED TABLE t (id bigint, mark int, v vector(4))").expect("a table");
    client.batch_execute("CREATE INDEX t_v ON t USING ivf (v)").expect("an index");
    fill(&mut client, 1, 5000);
    same(&mut client, "t_v", ALL);
    cluster.stop("fast");
    cluster.resume();
    let mut client = cluster.connect("app");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 5000, "a clean stop loses nothing");
    cluster.stop("immediate");
    cluster.resume();
    let mut client = cluster.connect("app");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 0);
    check(&mut client, "t_v");
    fill(&mut client, 1, 3000);
    same(&mut client, "t_v", ALL);
    check(&mut client, "t_v");
    client.batch_execute("ALTER TABLE t SET LOGGED").expect("a logged table");
    cluster.stop("immediate");
    cluster.resume();
    let mut client = cluster.connect("app");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 3000);
}

/// Temporary tables live in local buffers.
#[test]
fn a_temporary_table_is_indexed() {
    let cluster = Cluster::start("");
    let mut client = database(&cluster);
    client.batch_execute("CREATE TEMP TABLE t (id bigint, mark int, v vector(4))").expect("a table");
    client.batch_execute("CREATE INDEX t_v ON t USING ivf (v)").expect("an index");
    fill(&mut client, 1, 5000);
    same(&mut client, "t_v", ALL);
    client.batch_execute("DELETE FROM t WHERE id % 2 = 0").expect("fewer rows");
    client.batch_execute("VACUUM t").expect("a vacuum");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 2500);
    check(&mut client, "t_v");
    client
        .batch_execute(
            "CREATE TEMP TABLE u (id bigint, v vector(4)) ON COMMIT DELETE ROWS; CREATE INDEX u_v ON u USING ivf (v);
             BEGIN; INSERT INTO u VALUES (1, vec(1)); COMMIT; INSERT INTO u VALUES (1, vec(1))",
        )
        .expect("a table that forgets");
    assert_eq!(same(&mut client, "u_v", "SELECT id, v <-> '[0,0,0,1]' FROM u ORDER BY 2"), []);
}

/// Each partition has an index of its own, and their answers are merged.
#[test]
fn partitions_are_searched_together() {
    let cluster = Cluster::start("");
    let mut client = database(&cluster);
    client
        .batch_execute(
            "CREATE TABLE t (id bigint, mark int, v vector(4)) PARTITION BY LIST (mark);
             CREATE INDEX t_v ON t USING ivf (v);
             CREATE TABLE p0 PARTITION OF t FOR VALUES IN (0);
             CREATE TABLE rest PARTITION OF t DEFAULT",
        )
        .expect("a table in parts");
    fill(&mut client, 1, 5000);
    let found = same(&mut client, "p0_v_idx", ALL);
    assert_eq!(found.len(), 5000);
    assert!(super::plan(&mut client, SOME).contains("Index Scan using rest_v_idx"));
    same(&mut client, "p0_v_idx", SOME);
    check(&mut client, "rest_v_idx");
    let refused = client.query("SELECT * FROM vw_index_check('t_v')", &[]).expect_err("it has no pages");
    assert_eq!(refused.code(), Some(&postgres::error::SqlState::WRONG_OBJECT_TYPE));
    client.query("SELECT * FROM vw_index_stats('t')", &[]).expect_err("no index");
}

/// An index on an expression measures the expression, a partial one has the rows of its predicate.
#[test]
fn expressions_and_predicates_are_honoured() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 2000);
    client
        .batch_execute(
            "CREATE INDEX normal ON t USING ivf ((l2_normalize(v)::vector(4))) WHERE mark < 500;
             UPDATE t SET mark = 900 WHERE id % 7 = 0;
             UPDATE t SET v = vec(id + 1) WHERE id % 5 = 0;
             ALTER TABLE t ADD raw real[]; UPDATE t SET raw = v::real[];
             CREATE INDEX raw ON t USING ivf ((raw::vector(4)) vector_cosine_ops)",
        )
        .expect("indexes");
    let normal = "SELECT id, l2_normalize(v)::vector(4) <-> '[1,0,0,0]' FROM t WHERE mark < 500 ORDER BY 2";
    let found = same(&mut client, "normal", normal);
    assert!(found.len() > 500);
    same(&mut client, "raw", "SELECT id, raw::vector(4) <=> '[1,0,0,0]' FROM t ORDER BY 2 LIMIT 20");
    client.batch_execute("VACUUM t").expect("a vacuum");
    assert_eq!(stats(&mut client, "normal").0, found.len() as i64);
    for index in ["normal", "raw", "t_v"] {
        check(&mut client, index);
    }
    client.batch_execute("CREATE MATERIALIZED VIEW m AS SELECT id, v FROM t").expect("a view");
    client.batch_execute("CREATE INDEX m_v ON m USING ivf (v); REFRESH MATERIALIZED VIEW m").expect("an index");
    same(&mut client, "m_v", "SELECT id, v <-> '[1,0,0,0]' FROM m ORDER BY 2");
}

/// Toasted values.
#[test]
fn long_vectors_are_indexed() {
    let cluster = Cluster::start("");
    let mut client = database(&cluster);
    client
        .batch_execute(
            "CREATE TABLE t (id bigint, v vector(2000)); CREATE INDEX t_v ON t USING ivf (v vector_cosine_ops);
             INSERT INTO t SELECT i, array_agg(sin(i * j))::real[]::vector
             FROM generate_series(1, 300) i, generate_series(1, 2000) j GROUP BY i",
        )
        .expect("a table");
    let query = "SELECT id, v <=> (SELECT v FROM t WHERE id = 17) FROM t ORDER BY 2 LIMIT 10";
    let found = same(&mut client, "t_v", query);
    assert_eq!(found[0].0, 17);
}

/// A dump makes the index anew, with its options.
#[test]
fn a_dump_brings_the_index_back() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 1000);
    client.batch_execute("CREATE INDEX other ON t USING ivfflat (v vector_ip_ops) WITH (lists = 7)").expect("an index");
    let before = same(&mut client, "t_v", ALL);
    let dump = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(dump.path(), cluster.client_program("pg_dump", &[], "app")).expect("own file");
    cluster.connect("postgres").batch_execute("CREATE DATABASE copy").expect("a database");
    let output = cluster.psql("copy", &["-q", "-v", "ON_ERROR_STOP=1"], dump.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut copy = cluster.connect("copy");
    assert_eq!(same(&mut copy, "t_v", ALL), before);
    let options = "SELECT array_to_string(reloptions, ',') FROM pg_class WHERE relname = 'other'";
    assert_eq!(copy.query_one(options, &[]).expect("options").get::<_, &str>(0), "lists=7");
    let product = "SELECT id, v <#> '[1,1,1,1]' FROM t ORDER BY 2 LIMIT 10";
    use_index(&mut copy, "other", product);
    assert_eq!(rows(&mut copy, product).len(), 10);
    check(&mut copy, "other");
}
