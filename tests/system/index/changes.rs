//! Guards the index while its table changes: updates, deletions and vacuum, rollbacks, many writers, builds beside them.

use std::sync::atomic::{AtomicBool, Ordering};

use vw_tests::cluster::Cluster;

use super::{ALL, SOME, check, fill, run, same, stats, table};

/// HOT updates keep the row's place in the index, others give it a new one.
#[test]
fn updated_rows_are_found_as_they_are() {
    let cluster = Cluster::start("autovacuum = off");
    let mut client = table(&cluster, 1000);
    run(&mut client, &["ALTER TABLE t SET (fillfactor = 40)", "VACUUM FULL t", "UPDATE t SET mark = mark + 1"]);
    run(&mut client, &["UPDATE t SET mark = mark + 1"]);
    assert!(stats(&mut client, "t_v").0 < 2000, "some updates are HOT");
    same(&mut client, "t_v", ALL);
    client.batch_execute("UPDATE t SET v = vec(id + 5000) WHERE id % 3 = 0").expect("updates");
    client.batch_execute("UPDATE t SET v = NULL WHERE id % 3 = 1").expect("updates");
    client.batch_execute("UPDATE t SET v = vec(id) WHERE id % 6 = 1").expect("updates");
    for _ in 0..2 {
        same(&mut client, "t_v", "SELECT id, v <-> '[0,0,0,1]' FROM t WHERE v IS NOT NULL ORDER BY 2");
        check(&mut client, "t_v");
        client.batch_execute("VACUUM t").expect("a vacuum");
    }
    // Of each six rows, one was set to NULL and not back.
    assert_eq!(stats(&mut client, "t_v").0, 1000 - 167, "vacuum takes out all that is dead");
}

/// Deleted rows give their space back, round after round.
#[test]
fn vacuum_makes_room_for_new_rows() {
    let cluster = Cluster::start("autovacuum = off");
    let mut client = table(&cluster, 20_000);
    let (_, first) = stats(&mut client, "t_v");
    for round in 1..=5 {
        run(&mut client, &["DELETE FROM t", "VACUUM t"]);
        assert_eq!(stats(&mut client, "t_v").0, 0);
        fill(&mut client, round * 20_000 + 1, (round + 1) * 20_000);
        same(&mut client, "t_v", SOME);
        check(&mut client, "t_v");
        let (members, pages) = stats(&mut client, "t_v");
        assert!(members == 20_000 && pages * 3 <= first * 4, "{pages} pages for the rows that {first} held");
    }
    run(&mut client, &["DELETE FROM t WHERE id % 10 <> 0", "VACUUM t"]);
    fill(&mut client, 200_001, 218_000);
    let (_, pages) = stats(&mut client, "t_v");
    assert!(pages * 3 <= first * 4, "{pages} pages where {first} were enough");
    check(&mut client, "t_v");
    run(&mut client, &["ANALYZE t", "VACUUM t"]);
    let counted = "SELECT reltuples::bigint FROM pg_class WHERE relname = 't_v'";
    assert_eq!(client.query_one(counted, &[]).expect("a count").get::<_, i64>(0), 20_000);
}

/// What was rolled back, in whole or in part, is not found.
#[test]
fn rolled_back_rows_are_not_found() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 500);
    let before = same(&mut client, "t_v", ALL);
    client.batch_execute("BEGIN; INSERT INTO t SELECT i, 0, vec(i) FROM generate_series(501, 900) i").expect("rows");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 900);
    client.batch_execute("DELETE FROM t WHERE id < 100; ROLLBACK").expect("as if nothing were");
    assert_eq!(same(&mut client, "t_v", ALL), before);
    client
        .batch_execute(
            "BEGIN; INSERT INTO t VALUES (501, 0, vec(501)); SAVEPOINT a; INSERT INTO t VALUES (502, 0, vec(502));
             ROLLBACK TO a; SAVEPOINT b; UPDATE t SET v = vec(1000 + id) WHERE id = 1; RELEASE b; COMMIT",
        )
        .expect("half of it");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 501);
    let failed = client.batch_execute("INSERT INTO t VALUES (600, 0, vec(600)), (1, 0, vec(1))");
    failed.expect_err("the second row's key is taken");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 501);
    client
        .batch_execute("BEGIN; TRUNCATE t; INSERT INTO t VALUES (1, 0, vec(1)); SELECT id FROM t; ROLLBACK")
        .expect("nothing");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 501);
    check(&mut client, "t_v");
    client.batch_execute("TRUNCATE t").expect("no rows");
    assert_eq!(same(&mut client, "t_v", ALL), []);
    check(&mut client, "t_v");
}

/// Eight connections insert at once, and no row is lost or doubled.
#[test]
fn rows_of_many_writers_are_all_found() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 0);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let mut own = cluster.connect("app");
            scope.spawn(move || {
                let insert = own.prepare("INSERT INTO t VALUES ($1, 0, vec($1))").expect("a statement");
                for row in 1..=400 {
                    own.execute(&insert, &[&(writer * 1000_i64 + row)]).expect("a row");
                }
                fill(&mut own, writer * 1000 + 401, writer * 1000 + 900);
            });
        }
    });
    assert_eq!(same(&mut client, "t_v", ALL).len(), 7200);
    check(&mut client, "t_v");
    assert_eq!(stats(&mut client, "t_v").0, 7200);
}

/// Indexes made and made again beside writers, deleters and vacuum hold every row.
#[test]
fn concurrent_builds_miss_nothing() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 2000);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 1..=2 {
            let (mut own, done) = (cluster.connect("app"), &done);
            scope.spawn(move || {
                let mut next = writer * 1_000_000_i64;
                while !done.load(Ordering::Relaxed) {
                    fill(&mut own, next, next + 4);
                    own.execute("UPDATE t SET v = vec(id + 7) WHERE id = $1", &[&(next + 1)]).expect("an update");
                    own.execute("DELETE FROM t WHERE id = $1", &[&(next + 2)]).expect("a deletion");
                    next += 5;
                }
            });
        }
        for _ in 0..3 {
            client.batch_execute("CREATE INDEX CONCURRENTLY c ON t USING ivfflat (v)").expect("an index");
            client.batch_execute("REINDEX INDEX CONCURRENTLY t_v").expect("an index");
            client.batch_execute("VACUUM t").expect("a vacuum");
            client.batch_execute("REINDEX INDEX CONCURRENTLY c").expect("an index");
            check(&mut client, "t_v");
            check(&mut client, "c");
            client.batch_execute("DROP INDEX c").expect("no index");
        }
        done.store(true, Ordering::Relaxed);
    });
    same(&mut client, "t_v", ALL);
    check(&mut client, "t_v");
    client.batch_execute("REINDEX TABLE t").expect("indexes");
    same(&mut client, "t_v", ALL);
}
