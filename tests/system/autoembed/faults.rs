//! What goes wrong: workers, engines and servers are killed, rows cannot be embedded, tables change under the work.

use super::{settle, status, table, until, wrong};
use std::time::Duration;

use postgres::Client;
use vw_tests::cluster::Cluster;
use vw_tests::process;

/// The worker of a database, if it is there.
fn worker(client: &mut Client) -> Option<i32> {
    let query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'vw autoembed' AND datname = current_database()";
    client.query_opt(query, &[]).expect("a list of processes").map(|row| row.get(0))
}

#[test]
fn ten_thousand_rows_survive_whatever_is_killed() {
    let cluster = Cluster::start("shared_preload_libraries = 'vw'");
    let mut client = table(&cluster, 10_000);
    for round in 1..=3 {
        until(&mut client, "work goes on", |status| status.done >= round * 500);
        process::engines(&cluster.data()).into_iter().for_each(process::kill);
        until(&mut client, "it goes on without that engine", |status| status.done >= round * 500 + 300);
        // A worker that is told to end by hand, which nobody but the supervisor knows of.
        client
            .batch_execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'vw autoembed'")
            .expect("an end");
    }
    until(&mut client, "the worker came back", |status| status.done >= 2_000);
    // A crash: the server ends all other processes and starts again.
    let pid = worker(&mut client).expect("a worker");
    process::kill(pid);
    let mut client = reconnect(&cluster);
    until(&mut client, "work goes on after a crash", |status| status.done >= 3_000);
    drop(client);
    cluster.stop("immediate");
    cluster.resume();
    let mut client = cluster.connect("app");
    let status = settle(&mut client);
    assert_eq!((status.failed, wrong(&mut client)), (0, 0), "{status:?}");
    assert_eq!(status.done, 10_000, "each row was done once: what was lost had not been committed");
}

/// Connect once the server takes connections again.
fn reconnect(cluster: &Cluster) -> Client {
    let address = cluster.address("postgres", "app");
    for _ in 0..200 {
        std::thread::sleep(Duration::from_millis(50));
        let Ok(mut client) = Client::connect(&address, postgres::NoTls) else { continue };
        if client.batch_execute("SELECT count(*) FROM doc").is_ok() {
            return client;
        }
    }
    panic!("the server does not come back");
}

#[test]
fn a_bad_row_harms_no_other_and_is_reported() {
    let cluster = Cluster::start(
        "vw.autoembed_attempts = 2\nvw.autoembed_retry_delay = '100ms'\nshared_preload_libraries = 'vw'",
    );
    let mut client = cluster.with_vw("app");
    // As a text, the bytes of some rows are not UTF-8.
    client
        .batch_execute(
            "CREATE TABLE doc (id int PRIMARY KEY, raw bytea, e vector(1024));
             INSERT INTO doc SELECT i, CASE WHEN i % 70 = 7 THEN '\\xff00'::bytea ELSE convert_to('text ' || i, 'UTF8') END
                 FROM generate_series(1, 300) i;
             SELECT vw_autoembed('doc', 'raw', 'e')",
        )
        .expect("a table");
    let bad = settle(&mut client);
    assert_eq!((bad.done, bad.failed), (295, 5), "{bad:?}");
    assert!(bad.error.as_ref().is_some_and(|error| error.contains("UTF-8")), "{bad:?}");
    let rows = client
        .query("SELECT key->>0, attempts, error_code FROM vw_autoembed_failed('doc') ORDER BY (key->>0)::int", &[])
        .expect("rows that failed");
    let first = rows.first().expect("five rows");
    assert_eq!((first.get(0), first.get(1), first.get(2)), ("7", 2, "22023"));
    client.batch_execute("UPDATE doc SET raw = 'good' WHERE id = 7").expect("a better row");
    let again: i64 = client.query_one("SELECT vw_autoembed_retry('doc', 'e')", &[]).expect("another try").get(0);
    assert_eq!(again, 5);
    let status = until(&mut client, "they fail again", |status| status.pending == 0 && status.failed == 4);
    assert!(status.done >= 296, "{status:?}");
}

#[test]
fn a_check_of_the_table_that_fails_is_that_rows_matter() {
    let cluster = Cluster::start("vw.autoembed_attempts = 2\nvw.autoembed_retry_delay = '100ms'");
    let mut client = table(&cluster, 20);
    settle(&mut client);
    client
        .batch_execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE OF e ON doc FOR EACH ROW WHEN (NEW.id = 103) EXECUTE FUNCTION refuse();
             INSERT INTO doc SELECT i, 'text number ' || i FROM generate_series(100, 110) i",
        )
        .expect("rows");
    let status = settle(&mut client);
    assert_eq!((status.failed, wrong(&mut client)), (1, 1), "{status:?}");
    assert_eq!(status.error.as_deref(), Some("not this one"));
}

#[test]
fn writers_are_never_held_up_and_nothing_stale_stays() {
    let cluster = Cluster::start("shared_preload_libraries = 'vw'\ndeadlock_timeout = '100ms'");
    let mut client = table(&cluster, 600);
    let mut other = cluster.connect("app");
    let mut idle = other.transaction().expect("a transaction");
    idle.batch_execute("UPDATE doc SET body = 'slow change' WHERE id BETWEEN 10 AND 20").expect("locked rows");
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let mut writer = cluster.connect("app");
            scope.spawn(move || {
                for round in 0..60 {
                    // Every writer takes rows in another order; none may be the victim of a deadlock with a worker.
                    let id = i64::from(100 + (seed * 131 + round * 37) % 500);
                    let text = format!("version {round} of {seed}");
                    writer.execute("UPDATE doc SET body = $1 WHERE id = $2", &[&text, &id]).expect("no deadlock");
                }
            });
        }
    });
    until(&mut client, "only what is locked waits", |status| status.pending <= 11 && !status.queueing);
    idle.commit().expect("it is committed");
    let status = settle(&mut client);
    assert_eq!((status.failed, wrong(&mut client)), (0, 0), "{status:?}");
}

#[test]
fn an_engine_that_is_down_costs_no_attempt() {
    let cluster = Cluster::start("vw.autoembed_attempts = 1\nshared_preload_libraries = 'vw'");
    let mut client = table(&cluster, 10);
    settle(&mut client);
    client.batch_execute("ALTER SYSTEM SET vw.engine_address = '/nonexistent/engine.sock'").expect("a setting");
    client.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    std::thread::sleep(Duration::from_millis(500));
    client.batch_execute("INSERT INTO doc SELECT i, 'text ' || i FROM generate_series(101, 120) i").expect("rows");
    let held = until(&mut client, "it is noticed", |status| status.error.is_some());
    assert_eq!((held.pending, held.failed), (20, 0), "{held:?}");
    client.batch_execute("ALTER SYSTEM RESET vw.engine_address").expect("a setting");
    client.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    let status = settle(&mut client);
    assert_eq!((status.failed, status.error.is_none(), wrong(&mut client)), (0, true, 0), "{status:?}");
}

#[test]
fn a_standby_does_what_waits_when_it_is_promoted() {
    let cluster = Cluster::start("shared_preload_libraries = 'vw'");
    let mut client = table(&cluster, 10);
    settle(&mut client);
    client.batch_execute("ALTER SYSTEM SET vw.engine_address = '/nonexistent/engine.sock'").expect("a setting");
    client.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    std::thread::sleep(Duration::from_millis(500));
    client.batch_execute("INSERT INTO doc SELECT i, 'text ' || i FROM generate_series(101, 120) i").expect("rows");
    until(&mut client, "the engine is missed", |status| status.error.is_some());
    let standby = cluster.replica();
    cluster.stop("immediate");
    let mut client = standby.connect("app");
    client.batch_execute("ALTER SYSTEM RESET vw.engine_address").expect("a setting");
    client.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    client.batch_execute("SELECT vw_autoembed_status()").expect("a standby may be asked");
    client.batch_execute("SELECT pg_promote()").expect("a promotion");
    // Not by vw_autoembed_status, which would start a worker.
    let waits = "SELECT count(*) FROM vw.autoembed_queue";
    for _ in 0..2_000 {
        if client.query_one(waits, &[]).expect("a count").get::<_, i64>(0) == 0 {
            assert_eq!(wrong(&mut client), 0);
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nobody works on the queue: {:?}", status(&mut client));
}

#[test]
fn tables_and_columns_may_go() {
    let cluster = Cluster::start("shared_preload_libraries = 'vw'");
    let mut client = table(&cluster, 2_000);
    client.batch_execute("ALTER TABLE doc RENAME COLUMN e TO f").expect("a column goes");
    let held = until(&mut client, "the column is missed", |status| status.error.is_some());
    assert!(held.error.as_ref().is_some_and(|error| error.contains("e does not exist")), "{held:?}");
    client.batch_execute("INSERT INTO doc VALUES (5000, 'can be written all the same')").expect("a row");
    client.batch_execute("ALTER TABLE doc RENAME COLUMN f TO e; SELECT vw_autoembed_retry()").expect("it is back");
    until(&mut client, "work goes on", |status| status.error.is_none() && status.done > 200);
    client.batch_execute("ALTER TABLE doc RENAME COLUMN id TO number").expect("the key goes");
    client.batch_execute("INSERT INTO doc VALUES (5001, 'a warning, no error')").expect("a row");
    client.batch_execute("ALTER TABLE doc RENAME COLUMN number TO id; DROP TABLE doc").expect("the table goes");
    client.batch_execute("SELECT vw_autoembed_retry()").expect("a worker");
    for _ in 0..200 {
        let left: i64 = client.query_one("SELECT count(*) FROM vw_autoembed_status()", &[]).expect("a count").get(0);
        if left == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the dropped table is not forgotten: {:?}", status(&mut client));
}
