//! Guards columns that keep themselves embedded: nothing is lost or stale whatever is killed, one bad row harms no other,
//! and whoever owns a table gains no rights by it.

#[path = "autoembed/faults.rs"]
mod faults;
#[path = "autoembed/rights.rs"]
mod rights;

use std::time::{Duration, Instant};

use postgres::Client;
use vw_tests::cluster::Cluster;

/// How the column of the table is doing: rows that wait, are done, failed, and the last error.
#[derive(Debug)]
pub struct Status {
    pub pending: i64,
    pub done: i64,
    pub failed: i64,
    pub queueing: bool,
    pub error: Option<String>,
}

/// Ask for the only column that is kept embedded.
pub fn status(client: &mut Client) -> Status {
    let query = "SELECT pending, done, failed, queueing, last_error FROM vw_autoembed_status()";
    let row = client.query_one(query, &[]).expect("one column is kept embedded");
    let (pending, done, failed) = (row.get(0), row.get(1), row.get(2));
    Status { pending, done, failed, queueing: row.get(3), error: row.get(4) }
}

/// Ask again and again until `good` holds.
pub fn until(client: &mut Client, what: &str, good: impl Fn(&Status) -> bool) -> Status {
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        let status = status(client);
        if good(&status) {
            return status;
        }
        assert!(Instant::now() < limit, "{what}: {status:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Wait until nothing waits.
pub fn settle(client: &mut Client) -> Status {
    until(client, "all is embedded", |status| status.pending == 0 && !status.queueing)
}

/// Count the rows of `doc` whose embedding is not that of their text.
pub fn wrong(client: &mut Client) -> i64 {
    let query = "WITH right_one AS MATERIALIZED (
            SELECT a.body, v.vector FROM (SELECT array_agg(DISTINCT body) AS bodies FROM doc WHERE body IS NOT NULL) d,
                LATERAL unnest(d.bodies, vw_embed_texts(d.bodies)) AS v(body, vector), LATERAL (SELECT v.body) a)
        SELECT count(*) FROM doc LEFT JOIN right_one r ON r.body = doc.body
            WHERE CASE WHEN doc.body IS NULL THEN doc.e IS NOT NULL ELSE (doc.e <-> r.vector < 1e-5) IS NOT TRUE END";
    client.query_one(query, &[]).expect("a comparison").get(0)
}

/// A database with a table of so many rows, which is kept embedded.
pub fn table(cluster: &Cluster, rows: i32) -> Client {
    let mut client = cluster.with_vw("app");
    client
        .batch_execute("CREATE TABLE doc (id bigint PRIMARY KEY, body text, e vector(1024), touched int DEFAULT 0)")
        .expect("a table");
    let fill = "INSERT INTO doc (id, body) SELECT i, 'text number ' || i % 500 FROM generate_series(1, $1::int) i";
    client.execute(fill, &[&rows]).expect("rows");
    client.batch_execute("SELECT vw_autoembed('doc', 'body', 'e')").expect("it is kept embedded");
    client
}

#[test]
fn what_is_written_is_embedded() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 300);
    assert_eq!(settle(&mut client).done, 300, "rows that were there before");
    client
        .batch_execute(
            "INSERT INTO doc VALUES (1001, 'a new row'), (1002, NULL), (1003, '');
             UPDATE doc SET body = 'another text' WHERE id = 1;
             UPDATE doc SET body = NULL WHERE id = 2;
             UPDATE doc SET id = 2003 WHERE id = 3;
             UPDATE doc SET touched = 1;
             UPDATE doc SET body = body;
             DELETE FROM doc WHERE id = 4;
             INSERT INTO doc VALUES (3000, 'one'), (3001, 'two'); UPDATE doc SET body = 'three' WHERE id = 3000",
        )
        .expect("changes");
    client
        .batch_execute(
            "BEGIN; UPDATE doc SET body = 'never' WHERE id = 5; INSERT INTO doc VALUES (7777, 'nor this'); ROLLBACK",
        )
        .expect("what is rolled back");
    let status = settle(&mut client);
    assert_eq!(wrong(&mut client), 0);
    assert!(status.failed == 0 && status.error.is_none(), "{status:?}");
    client
        .batch_execute("INSERT INTO doc SELECT i, 'gone' FROM generate_series(5000, 6000) i; TRUNCATE doc")
        .expect("none");
    client.batch_execute("INSERT INTO doc VALUES (1, 'back again')").expect("a row");
    settle(&mut client);
    assert_eq!(wrong(&mut client), 0);
    client.batch_execute("SELECT vw_autoembed_drop('doc', 'e'); INSERT INTO doc VALUES (2, 'x')").expect("an end");
    let left =
        client.query_one("SELECT (SELECT count(*) FROM vw.autoembed_queue), e IS NULL FROM doc WHERE id = 2", &[]);
    let left = left.expect("a row");
    assert_eq!((left.get::<_, i64>(0), left.get::<_, bool>(1)), (0, true), "nothing is kept embedded any more");
}

#[test]
fn keys_of_several_columns_and_partitions_work() {
    let cluster = Cluster::start("");
    let mut client = cluster.with_vw("app");
    client
        .batch_execute(
            "CREATE TABLE doc (day date, name varchar(20) COLLATE \"C\", at timestamptz, part uuid, body text, e halfvec(1024),
                 PRIMARY KEY (day, name, at, part)) PARTITION BY LIST (day);
             CREATE TABLE doc_1 PARTITION OF doc FOR VALUES IN ('2026-01-01');
             CREATE TABLE doc_2 PARTITION OF doc FOR VALUES IN ('2026-01-02');
             SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kathmandu';
             INSERT INTO doc SELECT d, 'name ''\"' || i, now() + i * interval '1 day', gen_random_uuid(), 'text ' || i
                 FROM generate_series(1, 1200) i, unnest('{2026-01-01, 2026-01-02}'::date[]) d;
             SELECT vw_autoembed('doc', 'body', 'e', existing => 'missing');
             INSERT INTO doc_2 VALUES ('2026-01-02', 'straight', '-infinity', gen_random_uuid(), 'into a partition')",
        )
        .expect("a partitioned table");
    let status = settle(&mut client);
    let missing: i64 = client.query_one("SELECT count(*) FROM doc WHERE e IS NULL", &[]).expect("a count").get(0);
    assert_eq!((missing, status.done, status.failed), (0, 2401, 0), "{status:?}");
}

#[test]
fn several_databases_have_their_own_workers() {
    let cluster = Cluster::start("shared_preload_libraries = 'vw'");
    let mut clients: Vec<Client> = ["one", "two", "three"].iter().map(|name| cluster.with_vw(name)).collect();
    for client in &mut clients {
        client
            .batch_execute(
                "CREATE TABLE doc (id int PRIMARY KEY, body text, e vector);
                 SELECT vw_autoembed('doc', 'body', 'e');
                 INSERT INTO doc SELECT i, 'text ' || i FROM generate_series(1, 200) i",
            )
            .expect("a table");
    }
    for client in &mut clients {
        assert!(settle(client).done >= 200);
        assert_eq!(wrong(client), 0);
    }
    drop(clients);
    // Workers that have nothing to do are gone before the server has lost its patience.
    cluster.connect("postgres").batch_execute("DROP DATABASE one").expect("nobody is in it");
}

#[test]
fn a_dump_brings_the_column_and_what_waits() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 50);
    settle(&mut client);
    // Rows wait, as there is no engine.
    client.batch_execute("ALTER SYSTEM SET vw.engine_address = '/nonexistent/engine.sock'").expect("a setting");
    client.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    std::thread::sleep(Duration::from_millis(500));
    client.batch_execute("INSERT INTO doc VALUES (100, 'waits'), (101, 'waits too')").expect("rows");
    until(&mut client, "the engine is missed", |status| status.error.is_some() && status.pending == 2);
    let dump = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(dump.path(), cluster.client_program("pg_dump", &[], "app")).expect("own file");
    client.batch_execute("ALTER SYSTEM RESET vw.engine_address").expect("a setting");
    client.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    cluster.connect("postgres").batch_execute("CREATE DATABASE copy").expect("a database");
    let output = cluster.psql("copy", &["-q", "-v", "ON_ERROR_STOP=1"], dump.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut copy = cluster.connect("copy");
    let restored = status(&mut copy);
    assert_eq!((restored.pending, restored.done), (2, 50), "{restored:?}");
    copy.batch_execute("SELECT vw_autoembed_retry(); INSERT INTO doc VALUES (102, 'new')").expect("a row");
    settle(&mut copy);
    assert_eq!(wrong(&mut copy), 0);
    client.batch_execute("SELECT vw_autoembed_retry()").expect("the pause is over");
    settle(&mut client);
    assert_eq!(wrong(&mut client), 0);
}
