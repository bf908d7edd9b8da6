//! Guards replay: a replica's pages are the primary's to the last byte, and searches there are right while pages are
//! emptied and used again under them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;
use vw_tests::cluster::Cluster;

use super::{ALL, SOME, agree, check, fill, rows, same, stats, table, use_index, use_table};

/// Wait until the replica has replayed all that the primary has written.
fn catch_up(primary: &mut Client, replica: &mut Client) {
    let written: String = primary.query_one("SELECT pg_current_wal_lsn()::text", &[]).expect("a place").get(0);
    let limit = Instant::now() + Duration::from_secs(60);
    let replayed = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn";
    while !replica.query_one(replayed, &[&written]).expect("a place").get::<_, bool>(0) {
        assert!(Instant::now() < limit, "the replica does not follow");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Search under one snapshot with the index and without, until `done`; the answers are the same. Gives their number.
fn search(mut client: Client, done: &AtomicBool) -> usize {
    let mut searches = 0;
    while !done.load(Ordering::Relaxed) {
        client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").expect("a transaction");
        use_index(&mut client, "t_v", ALL);
        let found = rows(&mut client, ALL);
        use_table(&mut client, ALL);
        agree(&found, &rows(&mut client, ALL), ALL);
        client.batch_execute("COMMIT").expect("its end");
        searches += 1;
    }
    searches
}

/// Inserts, updates, deletions, vacuums and rebuilds, on whole pages and on parts of them.
fn churn(client: &mut Client) {
    for round in 0..8_i64 {
        let first = round * 10_000 + 20_001;
        fill(client, first, first + 5999);
        client.execute("DELETE FROM t WHERE id < $1", &[&(first - 5000)]).expect("a deletion");
        client.execute("UPDATE t SET v = vec(id + 1) WHERE id % 10 = $1", &[&round]).expect("an update");
        client.batch_execute("VACUUM t").expect("a vacuum");
    }
    client.batch_execute("REINDEX INDEX CONCURRENTLY t_v").expect("an index");
    fill(client, 900_001, 903_000);
}

/// While the primary does nothing but vacuum, no row changes: every answer on either side is the one of before.
#[test]
fn a_replica_answers_as_the_primary_does_while_that_one_vacuums() {
    let settings = "autovacuum = off\nhot_standby_feedback = off\nmax_standby_streaming_delay = -1";
    let primary = Cluster::start(settings);
    let mut client = table(&primary, 3000);
    let replica = primary.replica();
    let mut reader = replica.connect("app");
    let mut searches = 0;
    for round in 1..=6_i64 {
        let first = round * 10_000;
        fill(&mut client, first, first + 2999);
        client.execute("DELETE FROM t WHERE id < $1 AND id % 7 <> 0", &[&first]).expect("a deletion");
        let expected = same(&mut client, "t_v", ALL);
        catch_up(&mut client, &mut reader);
        use_index(&mut reader, "t_v", ALL);
        std::thread::scope(|scope| {
            let mut own = primary.connect("app");
            let vacuum = scope.spawn(move || {
                for _ in 0..3 {
                    own.batch_execute("VACUUM t").expect("a vacuum");
                }
            });
            while !vacuum.is_finished() {
                agree(&rows(&mut reader, ALL), &expected, ALL);
                searches += 1;
            }
            vacuum.join().expect("vacuums");
        });
        catch_up(&mut client, &mut reader);
        agree(&rows(&mut reader, ALL), &expected, ALL);
        agree(&same(&mut client, "t_v", ALL), &expected, ALL);
    }
    assert!(searches >= 6, "only {searches} searches beside vacuums");
}

#[test]
fn a_replica_has_the_same_pages_and_answers() {
    let settings = "autovacuum = off\nwal_consistency_checking = 'all'\nmax_standby_streaming_delay = -1";
    let primary = Cluster::start(settings);
    let mut client = table(&primary, 5000);
    let replica = primary.replica();
    let mut reader = replica.connect("app");
    let done = AtomicBool::new(false);
    let searches = std::thread::scope(|scope| {
        let own = replica.connect("app");
        let searcher = scope.spawn(|| search(own, &done));
        churn(&mut client);
        catch_up(&mut client, &mut reader);
        done.store(true, Ordering::Relaxed);
        searcher.join().expect("the same answers")
    });
    assert!(searches > 3, "only {searches} searches");
    let expected = same(&mut client, "t_v", ALL);
    catch_up(&mut client, &mut reader);
    agree(&same(&mut reader, "t_v", ALL), &expected, ALL);
    same(&mut reader, "t_v", SOME);
    check(&mut reader, "t_v");
    assert_eq!(stats(&mut reader, "t_v"), stats(&mut client, "t_v"));
    let recall = reader.query_one("SELECT recall FROM vw_index_recall('t_v', 20)", &[]).expect("a measurement");
    assert!(recall.get::<_, f64>(0) > 0.8);
    assert!(!replica.log().contains("inconsistent page"), "{}", replica.log());
}
