//! Tables with a past: rows that come, change and go in transactions that commit, abort and interleave, and vacuums.

use std::sync::atomic::{AtomicBool, Ordering};

use postgres::Client;
use vw_tests::cluster::Cluster;
use vw_tests::flag::Raise;

use super::{COLUMNS, POOL, check, prepare};

const TABLES: [&str; 3] = ["t0", "t1", "t2"];

/// A seeded source of numbers (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound) as usize
    }
}

fn make(client: &mut Client) {
    for table in TABLES {
        let columns = ["CREATE TABLE ", table, COLUMNS, "; CREATE INDEX ON ", table, " (k)"].concat();
        client.batch_execute(&columns).expect("a table");
    }
}

fn done(client: &mut Client, words: &[&str]) {
    let statement = words.concat();
    client.batch_execute(&statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
}

/// Change a table: rows are added, updated, or deleted.
fn change(client: &mut Client, random: &mut Random, table: &str) {
    let first = 1 + random.below(POOL as u64);
    let (from, to) = (first.to_string(), (first + random.below(12)).to_string());
    let part = [" WHERE k % 7 = ", &random.below(7).to_string(), " AND id <> ", &from].concat();
    match random.below(8) {
        0..=4 => done(client, &["INSERT INTO ", table, " SELECT * FROM pool WHERE id BETWEEN ", &from, " AND ", &to]),
        5 => {
            let other = ["UPDATE ", table, " SET h = other.h FROM (SELECT h FROM pool WHERE id = ", &from, ") other"];
            done(client, &[&other.concat(), &part]);
        }
        6 => done(
            client,
            &["UPDATE ", table, " SET v = (fill(id, dim(", &from, "))).v, s = '{1:1}/3' ", &part, " AND k < 200"],
        ),
        _ => done(client, &["DELETE FROM ", table, &part]),
    }
}

/// One step of one session: changes that stay, that go, and that go in part; what tidies a table; and what makes it anew.
fn step(client: &mut Client, random: &mut Random, table: &str) {
    match random.below(16) {
        0..=5 => change(client, random, table),
        6 | 7 => {
            done(client, &["BEGIN"]);
            change(client, random, table);
            check(client, table);
            done(client, &["ROLLBACK"]);
        }
        8..=10 => {
            done(client, &["BEGIN"]);
            change(client, random, table);
            done(client, &["SAVEPOINT one"]);
            change(client, random, table);
            check(client, table);
            done(client, &["ROLLBACK TO one"]);
            change(client, random, table);
            check(client, table);
            done(client, &["COMMIT"]);
        }
        11..=13 => done(client, &["VACUUM ", table]),
        14 => done(client, &["VACUUM FULL ", table]),
        _ => {
            done(client, &["BEGIN; CLUSTER ", table, " USING ", table, "_k_idx"]);
            check(client, table);
            done(client, &["DELETE FROM ", table, " WHERE k % 3 = 0; COMMIT"]);
        }
    }
}

#[test]
fn a_table_with_a_past_has_the_values_that_the_server_fetches() {
    let cluster = Cluster::start("autovacuum = off");
    let (mut one, mut other) = (prepare(&cluster), cluster.connect("postgres"));
    make(&mut one);
    let mut random = Random(1);
    for _ in 0..25 {
        // The other session's transaction is open while this one changes and vacuums, and ends either way.
        done(&mut other, &["BEGIN"]);
        for table in TABLES {
            change(&mut other, &mut random, table);
        }
        let table = TABLES[random.below(3)];
        done(&mut one, &["INSERT INTO ", table, " SELECT * FROM pool WHERE id % 31 = 0"]);
        done(&mut one, &["VACUUM ", table]);
        change(&mut other, &mut random, table);
        for table in TABLES {
            check(&mut one, table);
            check(&mut other, table);
        }
        done(&mut other, &[if random.below(2) == 0 { "COMMIT" } else { "ROLLBACK" }]);
        for table in TABLES {
            step(&mut one, &mut random, table);
            check(&mut one, table);
            check(&mut other, table);
        }
    }
    for table in TABLES {
        let rows = check(&mut one, table);
        assert!(rows > 30, "{rows} rows of {table} are left, too few to say anything");
    }
}

/// Pages are emptied, filled again and cut off under whoever reads; a reader's values are those of its snapshot.
#[test]
fn values_are_right_while_others_change_and_vacuum() {
    let cluster = Cluster::start("autovacuum = off");
    let mut client = prepare(&cluster);
    make(&mut client);
    let finished = AtomicBool::new(false);
    let (cluster, finished) = (&cluster, &finished);
    std::thread::scope(|scope| {
        let readers = [(); 2].map(|()| {
            scope.spawn(move || {
                let mut reader = cluster.connect("postgres");
                let mut checks = 0;
                while !finished.load(Ordering::Relaxed) {
                    for table in TABLES {
                        check(&mut reader, table);
                        checks += 1;
                    }
                }
                checks
            })
        });
        let raise = Raise(finished);
        let mut random = Random(2);
        for _ in 0..100 {
            let table = TABLES[random.below(3)];
            step(&mut client, &mut random, table);
        }
        drop(raise);
        for reader in readers {
            assert!(reader.join().expect("all values are right") > 0, "nothing was read");
        }
    });
}
