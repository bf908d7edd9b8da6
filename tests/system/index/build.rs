//! Guards the build: in several processes as in one, within its memory, seen in the progress view, and gone without a
//! trace when it is cancelled or killed.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::SqlState;
use vw_tests::cluster::Cluster;
use vw_tests::process;

use super::{check, database, rows, run, stats, use_index};

/// Dimensions of the vectors: enough for codes, and a row of the table is still stored in place.
const DIMENSIONS: usize = 128;
/// How long a cancelled build may go on. What is promised is half of it; the rest is for machines that have more to do.
const PATIENCE: Duration = Duration::from_millis(1000);
/// The parts of a build that take time.
const PHASES: [&str; 5] =
    ["sampling the table", "finding centroids", "sorting codes by list", "writing lists", "measuring recall"];

/// Numbers that look like chance, the same each time.
struct Random(u64);

impl Random {
    /// A number from -1 to 1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Make the table `t` of `rows` rows of clustered vectors; every hundredth is NULL.
fn wide(client: &mut Client, rows: u32) {
    client.batch_execute("CREATE TABLE t (id bigint, mark int, v vector(128))").expect("a table");
    let mut random = Random(1);
    let centres: Vec<f32> = (0..200 * DIMENSIONS).map(|_| random.next()).collect();
    let mut copy = client.copy_in("COPY t FROM STDIN (FORMAT binary)").expect("a copy");
    copy.write_all(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0").expect("a header");
    for id in 0..rows {
        let mut row = 3_i16.to_be_bytes().to_vec();
        row.extend([8_i32.to_be_bytes().as_slice(), &i64::from(id).to_be_bytes()].concat());
        row.extend([4_i32.to_be_bytes(), (id as i32 % 1000).to_be_bytes()].concat());
        if id % 100 == 99 {
            row.extend((-1_i32).to_be_bytes());
        } else {
            row.extend((4 + 4 * DIMENSIONS as i32).to_be_bytes());
            row.extend([(DIMENSIONS as i16).to_be_bytes(), [0, 0]].concat());
            let centre = &centres[id as usize % 200 * DIMENSIONS..][..DIMENSIONS];
            row.extend(centre.iter().flat_map(|value| (value + random.next() / 2.0).to_be_bytes()));
        }
        copy.write_all(&row).expect("a row");
    }
    copy.write_all(&(-1_i16).to_be_bytes()).expect("a trailer");
    assert_eq!(copy.finish().expect("rows"), u64::from(rows));
}

/// A cluster that has workers to give, whatever the size of a table, and the table `t` in it. Autovacuum never comes round;
/// where it is off, a build does not count the table's rows from version 18 on.
fn prepared(settings: &str, rows: u32) -> (Cluster, Client) {
    let common = "autovacuum_naptime = 1d\nmin_parallel_table_scan_size = 0\nlog_min_messages = debug1\n";
    let cluster = Cluster::start(&[common, settings].concat());
    let mut client = database(&cluster);
    wide(&mut client, rows);
    (cluster, client)
}

/// What is in the build's way to an index of the table `t`.
const CREATE: &str = "CREATE INDEX t_v ON t USING ivf (v vector_l2_ops)";
/// Rows of `t` that an index of `rows` rows has: those that are not NULL.
fn indexed(rows: u32) -> i64 {
    i64::from(rows - rows / 100)
}

/// Assert that a whole search finds each row once.
fn whole(client: &mut Client, rows_there: i64) {
    client.batch_execute("SET ivf.recall_target = 1").expect("a setting");
    let query = "SELECT id, v <-> (SELECT v FROM t WHERE id = 7) FROM t ORDER BY 2";
    use_index(client, "t_v", query);
    let ids: BTreeSet<i64> = rows(client, query).into_iter().map(|row| row.0).collect();
    assert_eq!(ids.len() as i64, rows_there);
}

#[test]
fn several_processes_build_what_one_builds() {
    let (cluster, mut client) = prepared("", 20_000);
    let mut built = Vec::new();
    for workers in ["0", "1", "3"] {
        let before = cluster.log().len();
        run(&mut client, &["SET max_parallel_maintenance_workers = 4"]);
        run(&mut client, &[&["ALTER TABLE t SET (parallel_workers = ", workers, ")"].concat(), CREATE]);
        let log = cluster.log().split_off(before);
        let told = ["using ", workers, " parallel workers"].concat();
        assert_eq!(log.contains(&told), workers != "0", "{workers} workers:\n{log}");
        check(&mut client, "t_v");
        whole(&mut client, indexed(20_000));
        let (members, pages) = stats(&mut client, "t_v");
        let tuples = "SELECT reltuples::bigint FROM pg_class WHERE relname IN ('t', 't_v') ORDER BY relname";
        let tuples: Vec<i64> = client.query(tuples, &[]).expect("counts").iter().map(|row| row.get(0)).collect();
        assert_eq!(tuples, [20_000, indexed(20_000)]);
        built.push((members, pages));
        run(&mut client, &["DROP INDEX t_v"]);
    }
    assert_eq!(built, vec![built[0]; 3]);
    assert_eq!(built[0].0, indexed(20_000));
}

/// Without a worker to be had, the leader does all of it.
#[test]
fn a_server_without_workers_builds() {
    let (_cluster, mut client) = prepared("max_worker_processes = 1\nmax_parallel_workers = 0", 5_000);
    run(&mut client, &["ALTER TABLE t SET (parallel_workers = 2)", CREATE]);
    check(&mut client, "t_v");
    whole(&mut client, indexed(5_000));
}

/// What the progress view says of the one build there is.
fn progress(client: &mut Client) -> Option<(i32, String, i64, i64)> {
    let view = "SELECT pid, phase, blocks_total, tuples_total FROM pg_stat_progress_create_index";
    let row = client.query_opt(view, &[]).expect("the view")?;
    let phase: String = row.get(1);
    let phase = phase.strip_prefix("building index: ").unwrap_or(&phase).to_owned();
    Some((row.get(0), phase, row.get(2), row.get(3)))
}

/// Build while `watch` is called over and over with the progress. Gives the error, if any, and when it came.
fn watched(
    cluster: &Cluster,
    mut watch: impl FnMut(&mut Client, (i32, String, i64, i64)),
) -> Option<(SqlState, Instant)> {
    let (mut client, mut other) = (cluster.connect("app"), cluster.connect("app"));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let build = scope.spawn(|| {
            let result = client.batch_execute(CREATE);
            let end = Instant::now();
            done.store(true, Ordering::Relaxed);
            result.err().map(|error| (error.code().expect("an error of the server's").clone(), end))
        });
        while !done.load(Ordering::Relaxed) {
            if let Some(progress) = progress(&mut other) {
                watch(&mut other, progress);
            }
        }
        build.join().expect("no panic")
    })
}

#[test]
fn the_progress_view_shows_each_phase() {
    let (cluster, mut client) = prepared("", 20_000);
    run(&mut client, &["ALTER TABLE t SET (parallel_workers = 1)"]);
    let mut seen = BTreeSet::new();
    // A phase may be over before anybody looks.
    for _ in 0..10 {
        let error = watched(&cluster, |_, (_, phase, blocks, tuples)| {
            if phase == "sorting codes by list" && blocks > 0 {
                assert!(blocks > 1000, "all of the table is read: {blocks} blocks");
                seen.insert("blocks".to_owned());
            }
            if phase == "writing lists" && tuples > 0 {
                assert_eq!(tuples, indexed(20_000));
                seen.insert("tuples".to_owned());
            }
            seen.insert(phase);
        });
        assert!(error.is_none(), "{error:?}");
        run(&mut client, &["DROP INDEX t_v"]);
        if PHASES.iter().chain(&["blocks", "tuples"]).all(|phase| seen.contains(*phase)) {
            return;
        }
    }
    panic!("seen: {seen:?}");
}

/// Count the files of tables and indexes, and those of sorts.
fn files(cluster: &Cluster, client: &mut Client) -> usize {
    let oid = "SELECT oid::text FROM pg_database WHERE datname = 'app'";
    let oid: String = client.query_one(oid, &[]).expect("a number").get(0);
    let base = cluster.data().join("base");
    // What a drop leaves for the checkpoint, and the server's own catalogs, are of no interest.
    client.batch_execute("CHECKPOINT").expect("a checkpoint");
    let ours =
        |name: &str| name.split(['_', '.']).next().is_some_and(|number| number.parse().is_ok_and(|n: u32| n >= 16_384));
    let names = |folder: std::path::PathBuf| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    names(base.join(oid)).iter().filter(|name| ours(name)).count() + names(base.join("pgsql_tmp")).len()
}

#[test]
fn a_build_is_cancelled_at_once_in_each_phase() {
    let (cluster, mut client) = prepared("", 20_000);
    // Some memory, so that sorts have files.
    let settings = "ALTER DATABASE app SET maintenance_work_mem = '2MB'; ALTER TABLE t SET (parallel_workers = 1)";
    client.batch_execute(settings).expect("settings");
    let before = files(&cluster, &mut client);
    for wanted in PHASES {
        let mut tries = 0;
        loop {
            let mut asked = None;
            let error = watched(&cluster, |other, (pid, phase, ..)| {
                if phase == wanted && asked.is_none() {
                    asked = Some(Instant::now());
                    other.query("SELECT pg_cancel_backend($1)", &[&pid]).expect("a cancellation");
                }
            });
            if let (Some((code, end)), Some(asked)) = (error, asked) {
                assert_eq!(code, SqlState::QUERY_CANCELED, "{wanted}");
                let took = end.duration_since(asked);
                assert!(took < PATIENCE, "{wanted}: {took:?}");
                break;
            }
            run(&mut client, &["DROP INDEX t_v"]);
            tries += 1;
            assert!(tries < 20, "nobody sees the phase \"{wanted}\"");
        }
        let index = "SELECT FROM pg_class WHERE relname = 't_v'";
        assert!(client.query(index, &[]).expect("the catalog").is_empty(), "{wanted}");
        // The last files and workers go a moment after the error is told.
        let limit = Instant::now() + Duration::from_secs(10);
        let workers = "SELECT FROM pg_stat_activity WHERE backend_type = 'parallel worker'";
        while files(&cluster, &mut client) > before || !client.query(workers, &[]).expect("processes").is_empty() {
            assert!(Instant::now() < limit, "{wanted}: files or workers are left");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    run(&mut client, &["SET statement_timeout = '20ms'"]);
    let error = client.batch_execute(CREATE).expect_err("no time");
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    run(&mut client, &["SET statement_timeout = 0", CREATE]);
    check(&mut client, "t_v");
    whole(&mut client, indexed(20_000));
}

/// Kilobytes that processes have to themselves.
fn private(pids: &[i32]) -> u64 {
    let of = |pid: &i32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes")
    };
    pids.iter().map(of).sum()
}

/// All processes of a build together take no more than they may, and a little.
#[test]
fn a_build_stays_within_its_memory() {
    let (cluster, mut client) = prepared("", 100_000);
    let settings = "ALTER DATABASE app SET maintenance_work_mem = '4MB'; ALTER TABLE t SET (parallel_workers = 1)";
    client.batch_execute(settings).expect("settings");
    let (mut most, mut together) = (0, 0);
    let error = watched(&cluster, |other, (pid, ..)| {
        let workers = "SELECT pid FROM pg_stat_activity WHERE leader_pid = $1 AND pid <> $1";
        let mut pids: Vec<i32> =
            other.query(workers, &[&pid]).expect("processes").iter().map(|row| row.get(0)).collect();
        pids.push(pid);
        together = together.max(pids.len());
        most = most.max(private(&pids));
    });
    assert!(error.is_none(), "{error:?}");
    assert_eq!(together, 2, "a worker was seen");
    assert!(most > 4 * 1024 && most <= (4 + 16) * 1024, "{most} kB");
    check(&mut client, "t_v");
}

/// Rows come, go and change while an index is built.
#[test]
fn a_concurrent_build_misses_no_row() {
    let (cluster, mut client) = prepared("", 20_000);
    run(&mut client, &["ALTER TABLE t SET (parallel_workers = 2)"]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mut writer = cluster.connect("app");
        let done = &done;
        scope.spawn(move || {
            for id in 0_i64.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let insert = "INSERT INTO t SELECT 100000 + $1::bigint, 1, v FROM t WHERE id = $1 % 20000";
                writer.execute(insert, &[&id]).expect("a row");
                writer.execute("UPDATE t SET mark = 1 WHERE id = $1", &[&(id * 7 % 20_000)]).expect("a change");
                writer.execute("DELETE FROM t WHERE id = $1", &[&(id * 11 % 20_000)]).expect("a row less");
            }
        });
        let result = client.batch_execute("CREATE INDEX CONCURRENTLY t_v ON t USING ivf (v vector_l2_ops)");
        done.store(true, Ordering::Relaxed);
        result.expect("an index");
    });
    assert!(cluster.log().contains("using 2 parallel workers"));
    check(&mut client, "t_v");
    run(&mut client, &["REINDEX INDEX CONCURRENTLY t_v", "VACUUM t"]);
    check(&mut client, "t_v");
}

/// Expressions and predicates hold for the sample and for workers as well.
#[test]
fn parts_and_expressions_of_a_table_are_built_in_parallel() {
    let (cluster, mut client) = prepared("", 20_000);
    run(&mut client, &["ALTER TABLE t SET (parallel_workers = 2)"]);
    run(&mut client, &["CREATE INDEX part ON t USING ivf (v vector_l2_ops) WHERE mark < 100"]);
    run(&mut client, &["CREATE INDEX normal ON t USING ivf ((l2_normalize(v)::vector(128)) vector_ip_ops)"]);
    run(&mut client, &["CREATE INDEX few ON t USING ivf (v vector_l2_ops) WHERE mark = 5"]);
    assert_eq!(cluster.log().matches("using 2 parallel workers").count(), 3);
    for (index, members) in [("part", 1980), ("normal", 19_800), ("few", 20)] {
        check(&mut client, index);
        assert_eq!(stats(&mut client, index).0, members, "{index}");
    }
}

/// There is nothing to learn from, and yet an index comes of it that takes rows.
#[test]
fn tables_without_vectors_are_indexed() {
    let (_cluster, mut client) = prepared("", 0);
    run(&mut client, &["ALTER TABLE t SET (parallel_workers = 2)"]);
    let values = "INSERT INTO t SELECT i, 0, array_fill(i, ARRAY[128])::vector FROM generate_series(1, 50) i";
    for nulls in ["0", "3000"] {
        let fill = ["TRUNCATE t; INSERT INTO t (id) SELECT i FROM generate_series(1, ", nulls, ") i"].concat();
        run(&mut client, &[&fill, CREATE]);
        assert_eq!(stats(&mut client, "t_v").0, 0);
        check(&mut client, "t_v");
        run(&mut client, &[values]);
        check(&mut client, "t_v");
        assert_eq!(stats(&mut client, "t_v").0, 50);
        run(&mut client, &["DROP INDEX t_v"]);
    }
    run(&mut client, &["CREATE INDEX alike ON t USING ivf (v vector_l2_ops)", "DROP INDEX alike"]);
    // One point, many times over, is one list longer than a plan would have it.
    let same = "INSERT INTO t SELECT i, 0, array_fill(1, ARRAY[128])::vector FROM generate_series(1, 5000) i";
    run(&mut client, &[same, CREATE]);
    check(&mut client, "t_v");
    assert_eq!(stats(&mut client, "t_v").0, 5050);
}

/// A row that has no place in the index stops the build, whichever process comes upon it.
#[test]
fn a_build_refuses_other_dimensions() {
    let (cluster, mut client) = prepared("", 20_000);
    run(&mut client, &["CREATE TABLE u AS SELECT id, v::vector AS v FROM t", "INSERT INTO u VALUES (0, '[1,2,3]')"]);
    run(&mut client, &["ALTER TABLE u SET (parallel_workers = 2)"]);
    let before = files(&cluster, &mut client);
    for (column, code, words) in [
        ("v", SqlState::INVALID_PARAMETER_VALUE, "column does not have dimensions"),
        ("(v::vector(128))", SqlState::DATA_EXCEPTION, "expected 128 dimensions, not 3"),
    ] {
        let create = ["CREATE INDEX u_v ON u USING ivf (", column, " vector_l2_ops)"].concat();
        let error = client.batch_execute(&create).expect_err("an index of nothing");
        let error = error.as_db_error().expect("an error of the server's");
        assert_eq!((error.code(), error.message()), (&code, words));
        assert_eq!(files(&cluster, &mut client), before);
    }
    run(&mut client, &["CREATE INDEX u_v ON u USING ivf ((v::vector(128)) vector_l2_ops) WHERE id > 0"]);
    check(&mut client, "u_v");
}

/// Build by `create`, and kill the backend in a phase; gives false where the phase was over before anybody saw it.
fn killed(cluster: &Cluster, create: &str, phase: &str) -> bool {
    let (mut builder, mut other) = (cluster.connect("app"), cluster.connect("app"));
    std::thread::scope(|scope| {
        let build = scope.spawn(move || builder.batch_execute(create));
        while !build.is_finished() {
            if let Some((pid, seen, ..)) = progress(&mut other)
                && seen == phase
            {
                process::kill(pid);
                break;
            }
        }
        build.join().expect("no panic").is_err()
    })
}

/// After a crash in the middle of a build there is no index, or one that is marked as of no use.
#[test]
fn a_killed_build_leaves_nothing_in_the_way() {
    let (cluster, mut client) = prepared("", 20_000);
    run(&mut client, &["ALTER TABLE t SET (parallel_workers = 1)", "CHECKPOINT"]);
    let concurrently = CREATE.replace("INDEX", "INDEX CONCURRENTLY");
    for (phase, create) in [
        ("sorting codes by list", CREATE),
        ("writing lists", CREATE),
        ("measuring recall", CREATE),
        ("writing lists", &concurrently),
    ] {
        let mut tries = 0;
        while !killed(&cluster, create, phase) {
            run(&mut client, &["DROP INDEX t_v"]);
            tries += 1;
            assert!(tries < 20, "nobody sees the phase \"{phase}\"");
        }
        client = super::crash::recovered(&cluster);
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('t_v')";
        let valid: Vec<bool> = client.query(valid, &[]).expect("the catalog").iter().map(|row| row.get(0)).collect();
        assert_eq!(valid, vec![false; usize::from(create != CREATE)]);
        run(&mut client, &["DROP INDEX IF EXISTS t_v", CREATE]);
        check(&mut client, "t_v");
        run(&mut client, &["DROP INDEX t_v"]);
    }
}
