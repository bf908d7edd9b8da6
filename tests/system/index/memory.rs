//! Guards the server against a backend that is refused memory: whatever it is at, that is an ERROR of its own statement,
//! and no end of the server.

use postgres::Client;
use postgres::error::SqlState;
use vw_tests::cluster::Cluster;
use vw_tests::process;

use super::{check, database, run};

/// How much more than it has a backend may take: each of these many KiB in turn.
const MORE: [u64; 16] = [0, 64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 12_288, 262_144];

/// What is done meanwhile, and what puts things back.
const WORK: [(&str, &str); 4] = [
    ("SELECT count(*) FROM (SELECT id FROM t ORDER BY v <-> vec96(7) LIMIT 4000) n", "SELECT"),
    (
        "INSERT INTO t SELECT i, vec96(i) FROM generate_series(100001, 100700::bigint) i",
        "DELETE FROM t WHERE id > 100000",
    ),
    ("CREATE INDEX late ON t USING ivf (v)", "DROP INDEX IF EXISTS late"),
    ("VACUUM t", "DELETE FROM t WHERE id % 100 = 1"),
];

fn start(cluster: &Cluster) -> Client {
    let mut client = database(cluster);
    client
        .batch_execute(
            "CREATE FUNCTION vec96(i bigint) RETURNS vector IMMUTABLE LANGUAGE sql AS $$
                 SELECT array_agg(sin(i % 37 * j) + 0.4 * sin(i * i % 7919 * j))::real[]::vector(96)
                 FROM generate_series(1, 96) j $$;
             CREATE TABLE t (id bigint, v vector(96));
             INSERT INTO t SELECT i, vec96(i) FROM generate_series(1, 8000::bigint) i;
             CREATE INDEX t_v ON t USING ivf (v)",
        )
        .expect("a table");
    client
}

/// A connection whose stack is as long as it will get: that the stack cannot grow is no failed allocation.
fn connect(cluster: &Cluster) -> (Client, i32) {
    let mut client = cluster.connect("app");
    let deep = ["SELECT ", &"(1 + ".repeat(1500), "1", &")".repeat(1500)].concat();
    run(&mut client, &[&deep, "SET enable_seqscan = off", "SET enable_sort = off", "SELECT vec96(1)"]);
    let pid = client.query_one("SELECT pg_backend_pid()", &[]).expect("a number").get(0);
    (client, pid)
}

#[test]
fn a_backend_without_memory_raises_an_error_and_lives_on() {
    let settings = "autovacuum = off\nmax_parallel_maintenance_workers = 0\nshared_buffers = 32MB\njit = off";
    let cluster = Cluster::start(settings);
    let mut client = start(&cluster);
    let begun = "SELECT pg_postmaster_start_time()::text";
    for (work, back) in WORK {
        let mut failed = 0;
        for more in MORE {
            let (mut own, pid) = connect(&cluster);
            process::limit_memory(pid, Some(more << 10));
            let result = own.batch_execute(work);
            process::limit_memory(pid, None);
            if let Err(error) = &result {
                assert_eq!(error.code(), Some(&SqlState::OUT_OF_MEMORY), "{work} with {more} KiB more: {error:?}");
                failed += 1;
            }
            assert!(result.is_ok() || more < 262_144, "{work} needs no such memory: {result:?}");
            run(&mut own, &[begun, back]);
        }
        assert!(failed > 0, "{work} was refused nothing");
        check(&mut client, "t_v");
    }
    assert!(!cluster.log().contains("terminated by signal"), "{}", cluster.log());
}
