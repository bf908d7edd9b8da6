//! Guards what was committed against processes that are killed at the worst moments: in each part of a build, while a row
//! goes in, while lists take the place of others, in each part of a vacuum. Crashes at any moment are in `crash.rs`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use postgres::Client;
use vw_tests::cluster::Cluster;
use vw_tests::process;

use super::crash::{recovered, rounds};
use super::{check, database, run, same};

/// Crashes; VW_CRASH_ROUNDS asks for others.
const ROUNDS: u64 = 11;
/// How long a moment is waited for. When it does not come, some process of the server's is killed at once.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take until some process is seen to insert.
const SOMEBODY: Duration = Duration::from_secs(30);

/// The moments: a name, and who is at it.
const POINTS: [(&str, &str); 11] = [
    ("a row goes in", include_str!("points/insert.sql")),
    ("lists are packed or split", include_str!("points/split.sql")),
    ("the build samples", include_str!("points/build_sampling.sql")),
    ("the build finds centroids", include_str!("points/build_centroids.sql")),
    ("the build sorts", include_str!("points/build_sorting.sql")),
    ("the build writes", include_str!("points/build_writing.sql")),
    ("the build measures", include_str!("points/build_measuring.sql")),
    ("vacuum reads the table", include_str!("points/vacuum_heap.sql")),
    ("vacuum crosses out", include_str!("points/vacuum_index.sql")),
    ("vacuum joins lists", include_str!("points/vacuum_settle.sql")),
    ("the end of a transaction", include_str!("points/commit.sql")),
];

/// All rows, the nearest first.
const ALL: &str = "SELECT id, v <-> vec64(0) FROM t ORDER BY 2";

/// A function for vectors with codes, the table `t` and its index `t_v`.
fn start(cluster: &Cluster) {
    let mut client = database(cluster);
    client
        .batch_execute(
            "CREATE FUNCTION vec64(i bigint) RETURNS vector IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
                 SELECT array_agg(sin(i % 37 * j) + 0.4 * sin(i * i % 7919 * j))::real[]::vector(64)
                 FROM generate_series(1, 64) j $$;
             CREATE TABLE t (id bigint PRIMARY KEY, v vector(64));
             INSERT INTO t SELECT i, vec64(i) FROM generate_series(1, 6000) i;
             CREATE INDEX t_v ON t USING ivf (v) WITH (lists = 40)",
        )
        .expect("a table");
}

/// What the server has told of rows.
#[derive(Default)]
struct Told {
    inserted: BTreeSet<i64>,
    deleting: BTreeSet<i64>,
}

/// Insert rows, a few at a time, until the server goes away; give the ids that it has told to be in.
fn write(mut client: Client, first: i64) -> BTreeSet<i64> {
    let mut inserted = BTreeSet::new();
    let insert = "INSERT INTO t SELECT i, vec64(i) FROM generate_series($1::bigint, $1 + 4) i";
    for from in (first..).step_by(5) {
        match client.execute(insert, &[&from]) {
            Ok(_) => inserted.extend(from..from + 5),
            Err(_) => break,
        }
    }
    inserted
}

/// Delete rows and vacuum until the server goes away; give the ids tried.
fn erase(mut client: Client, ids: &[i64]) -> BTreeSet<i64> {
    let mut tried = BTreeSet::new();
    for some in ids.chunks(300) {
        tried.extend(some);
        let deleted = client.execute("DELETE FROM t WHERE id = ANY ($1)", &[&some]);
        if deleted.is_err() || client.batch_execute("VACUUM t").is_err() {
            return tried;
        }
    }
    // There was little to delete; a vacuum that finds nothing is one as well.
    while client.batch_execute("VACUUM t").is_ok() {}
    tried
}

/// Make an index and drop it until the server goes away.
fn build(mut client: Client) {
    let make = "CREATE INDEX late ON t USING ivf (v)";
    while client.batch_execute(make).is_ok() && client.batch_execute("DROP INDEX late").is_ok() {}
}

/// Wait for the moment and kill whoever is at it; tell whether it came.
fn kill_at(killer: &mut Client, point: &str) -> bool {
    let limit = Instant::now() + PATIENCE;
    let at = killer.prepare(point).expect("a statement");
    while Instant::now() < limit {
        if let Some(row) = killer.query_opt(&at, &[]).expect("the server is there") {
            process::kill(row.get(0));
            return true;
        }
    }
    process::kill(somebody(killer));
    false
}

/// The process of a writer; between two statements there is none.
fn somebody(killer: &mut Client) -> i32 {
    let limit = Instant::now() + SOMEBODY;
    while Instant::now() < limit {
        if let Some(row) = killer.query_opt(include_str!("points/insert.sql"), &[]).expect("the server is there") {
            return row.get(0);
        }
    }
    panic!("nobody inserts");
}

/// One crash; tell whether it was at the moment that it was meant for.
fn round(cluster: &Cluster, number: u64, point: &str, told: &mut Told) -> bool {
    let ids: Vec<i64> = told.inserted.difference(&told.deleting).step_by(2).copied().collect();
    let mut killer = cluster.connect("app");
    let builds = point.contains("create_index");
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|writer| {
                let client = cluster.connect("app");
                let first = number as i64 * 1_000_000 + 10_000 + writer * 500_000;
                scope.spawn(move || write(client, first))
            })
            .collect();
        let client = cluster.connect("app");
        let eraser = scope.spawn(move || erase(client, &ids));
        // A build waits for those who write, and they for it: only where it is meant.
        let builder = builds.then(|| cluster.connect("app")).map(|client| scope.spawn(move || build(client)));
        let came = kill_at(&mut killer, point);
        for writer in writers {
            told.inserted.extend(writer.join().expect("no panic"));
        }
        told.deleting.extend(eraser.join().expect("no panic"));
        if let Some(builder) = builder {
            builder.join().expect("no panic");
        }
        came
    })
}

#[test]
fn nothing_is_lost_wherever_a_process_is_killed() {
    let cluster = Cluster::start("autovacuum = off\nmax_wal_size = 128MB");
    start(&cluster);
    let mut told = Told { inserted: (1..=6000).collect(), ..Told::default() };
    let mut came = BTreeSet::new();
    for number in 0..rounds(ROUNDS) {
        let (name, point) = POINTS[(number % POINTS.len() as u64) as usize];
        if round(&cluster, number, point, &mut told) {
            came.insert(name);
        }
        let mut client = recovered(&cluster);
        check(&mut client, "t_v");
        // Away before anything is asked: the planner may take one index or the other.
        if client.query_one("SELECT to_regclass('late') IS NOT NULL", &[]).expect("an answer").get(0) {
            check(&mut client, "late");
            run(&mut client, &["DROP INDEX late"]);
        }
        // All lists are visited: the answer is then the exact one.
        run(&mut client, &["SET ivf.recall_target = 1"]);
        let found: BTreeSet<i64> = same(&mut client, "t_v", ALL).into_iter().map(|row| row.0).collect();
        let lost: Vec<_> = told.inserted.difference(&found).filter(|id| !told.deleting.contains(id)).collect();
        assert!(lost.is_empty(), "round {number}, {name}: rows {lost:?} are lost");
        // What is found is all there is: whatever was being written or deleted was, or was not.
        told = Told { inserted: found, ..Told::default() };
    }
    let mut client = cluster.connect("app");
    run(&mut client, &["VACUUM t"]);
    let problems = client.query("SELECT FROM vw_index_check('t_v', true)", &[]).expect("a check");
    assert!(problems.is_empty(), "a vacuum frees what crashes left behind");
    assert!(came.len() * 2 > POINTS.len(), "only at {came:?} was anybody killed");
}
