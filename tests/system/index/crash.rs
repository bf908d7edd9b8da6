//! Guards what was committed against crashes at any moment: processes killed, the server stopped at once, over and over.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use vw_tests::cluster::Cluster;
use vw_tests::process;

use super::{ALL, check, rows, same, table, use_index};

/// Crashes; VW_CRASH_ROUNDS asks for others.
const ROUNDS: u64 = 21;

/// The crashes that were asked for, or so many.
pub fn rounds(usual: u64) -> u64 {
    std::env::var("VW_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Ids whose fate the server has told, and those that it was asked to delete.
#[derive(Default)]
struct Told {
    inserted: BTreeSet<i64>,
    deleting: BTreeSet<i64>,
    deleted: BTreeSet<i64>,
}

/// Insert rows from `next` on, one at a time, until the server goes away. Gives the ids that it has told to be in.
fn write(mut client: Client, next: i64, begun: &AtomicBool) -> BTreeSet<i64> {
    let mut inserted = BTreeSet::new();
    let Ok(insert) = client.prepare("INSERT INTO t VALUES ($1, 0, vec($1))") else { return inserted };
    for id in next.. {
        if client.execute(&insert, &[&id]).is_err() {
            break;
        }
        inserted.insert(id);
        begun.store(true, Ordering::Relaxed);
    }
    inserted
}

/// Delete the ids given and vacuum, until the server goes away. Gives the ids tried, and those told to be gone.
fn erase(mut client: Client, ids: &[i64]) -> (BTreeSet<i64>, BTreeSet<i64>) {
    let (mut tried, mut gone) = (BTreeSet::new(), BTreeSet::new());
    for some in ids.chunks(20) {
        tried.extend(some);
        if client.execute("DELETE FROM t WHERE id = ANY ($1)", &[&some]).is_err() {
            break;
        }
        gone.extend(some);
        if client.batch_execute("VACUUM t").is_err() {
            break;
        }
    }
    (tried, gone)
}

/// The process to kill in a round, of those that the server would not live without.
fn victim(client: &mut Client, round: u64) -> i32 {
    let kind = ["client backend", "checkpointer", "walwriter"][(round / 3 % 3) as usize];
    let pid = "SELECT pid FROM pg_stat_activity WHERE backend_type = $1 AND pid <> pg_backend_pid() LIMIT 1";
    client.query_one(pid, &[&kind]).expect("a process").get(0)
}

/// Connect as soon as the server has recovered.
pub fn recovered(cluster: &Cluster) -> Client {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        if let Ok(mut client) = Client::connect(&cluster.address("postgres", "app"), NoTls)
            // The crash of a process may be news to the server for some milliseconds; then it ends all others.
            && client.batch_execute("SELECT pg_sleep(0.1)").is_ok()
        {
            return client;
        }
        assert!(Instant::now() < limit, "the server does not recover\n{}", cluster.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Crash the server under writers and a vacuum; note what they were told.
fn round(cluster: &Cluster, round: u64, told: &mut Told) {
    let begun = AtomicBool::new(false);
    let ids: Vec<i64> = told.inserted.difference(&told.deleting).step_by(3).copied().collect();
    let mut killer = cluster.connect("app");
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (client, begun) = (cluster.connect("app"), &begun);
                let next = round as i64 * 1_000_000 + writer * 100_000;
                scope.spawn(move || write(client, next, begun))
            })
            .collect();
        let client = cluster.connect("app");
        let eraser = scope.spawn(move || erase(client, &ids));
        while !begun.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Another moment in each round.
        std::thread::sleep(Duration::from_millis(10 + 37 * round % 120));
        if round.is_multiple_of(3) {
            cluster.stop("immediate");
            cluster.resume();
        } else {
            process::kill(victim(&mut killer, round));
        }
        for writer in writers {
            told.inserted.extend(writer.join().expect("no panic"));
        }
        let (tried, gone) = eraser.join().expect("no panic");
        told.deleting.extend(tried);
        told.deleted.extend(gone);
    });
}

#[test]
fn what_was_committed_is_found_after_every_crash() {
    let cluster = Cluster::start("autovacuum = off\nmax_wal_size = 64MB\ncheckpoint_timeout = 30s");
    drop(table(&cluster, 0));
    let mut told = Told::default();
    for number in 0..rounds(ROUNDS) {
        round(&cluster, number, &mut told);
        let mut client = recovered(&cluster);
        use_index(&mut client, "t_v", ALL);
        let found: BTreeSet<i64> = rows(&mut client, ALL).into_iter().map(|row| row.0).collect();
        let lost: Vec<_> =
            told.inserted.iter().filter(|id| !found.contains(id) && !told.deleting.contains(id)).collect();
        assert!(lost.is_empty(), "round {number}: rows {lost:?} are lost");
        assert!(told.deleted.is_disjoint(&found), "round {number}: deleted rows are back");
        check(&mut client, "t_v");
    }
    let mut client = cluster.connect("app");
    same(&mut client, "t_v", ALL);
    client.batch_execute("VACUUM t").expect("a vacuum");
    let problems = client.query("SELECT FROM vw_index_check('t_v', true)", &[]).expect("a check");
    assert!(problems.is_empty(), "a vacuum frees what crashes left behind");
}

/// A build that a crash interrupts leaves nothing that is used.
#[test]
fn a_crash_during_a_build_leaves_no_index() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 20_000);
    client.batch_execute("BEGIN; CREATE INDEX late ON t USING ivf (v)").expect("an index that is not committed");
    cluster.stop("immediate");
    cluster.resume();
    let mut client = cluster.connect("app");
    client.query("SELECT * FROM vw_index_stats('late')", &[]).expect_err("no such index");
    client.batch_execute("CREATE INDEX late ON t USING ivf (v)").expect("an index");
    cluster.stop("immediate");
    cluster.resume();
    let mut client = cluster.connect("app");
    client.batch_execute("DROP INDEX t_v").expect("no index");
    assert_eq!(same(&mut client, "late", ALL).len(), 20_000, "what was committed is there, whole");
    check(&mut client, "late");
}

/// With the least WAL, a new index is synced instead of logged.
#[test]
fn an_index_made_with_minimal_wal_survives() {
    let cluster = Cluster::start("wal_level = minimal\nmax_wal_senders = 0\nwal_skip_threshold = 0");
    let mut client = table(&cluster, 10);
    client
        .batch_execute(
            "DROP TABLE t; BEGIN; CREATE TABLE t (id bigint, mark int, v vector(4));
             INSERT INTO t SELECT i, 0, vec(i) FROM generate_series(1, 5000) i;
             CREATE INDEX t_v ON t USING ivf (v);
             INSERT INTO t SELECT i, 0, vec(i) FROM generate_series(5001, 8000) i; COMMIT",
        )
        .expect("a table and its index in one transaction");
    cluster.stop("immediate");
    cluster.resume();
    let mut client = cluster.connect("app");
    assert_eq!(same(&mut client, "t_v", ALL).len(), 8000);
    check(&mut client, "t_v");
}
