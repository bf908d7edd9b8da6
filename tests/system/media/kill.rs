//! kill -9 in the middle of indexing, of the service, of the database and of the object store: what was acknowledged is
//! there with its files, what was not is absent or whole, and after a sweep every file has an item.
//!
//! VW_KILL_ROUNDS sets how often; 4 times without it. The store that can be killed is the one of `bucket`.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vw_tests::process::{at_work_in, is_there, kill, kill_if_there};

use super::Studio;
use super::bucket::Bucket;
use super::ledger::{BATCH, Batch, Ledger, Tally, ids, items};

const WRITERS: usize = 3;

/// How long anything may take that must come back by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// What those who write at the same time are told.
#[derive(Default)]
struct Signs {
    /// From now on a request may fail.
    killed: AtomicBool,
    /// Nobody begins another request.
    over: AtomicBool,
    /// Requests that were answered.
    answered: AtomicUsize,
}

impl Signs {
    fn is(sign: &AtomicBool) -> bool {
        sign.load(Ordering::SeqCst)
    }

    fn give(sign: &AtomicBool) {
        sign.store(true, Ordering::SeqCst);
    }
}

/// Lets everybody stop at the end of a round, also where the round fails.
struct Round<'a>(&'a Signs);

impl Drop for Round<'_> {
    fn drop(&mut self) {
        Signs::give(&self.0.killed);
        Signs::give(&self.0.over);
    }
}

/// One who indexes batches, replaces some and deletes some, until told to stop.
struct Writer<'a> {
    studio: &'a Studio,
    path: &'a str,
    signs: &'a Signs,
    ledger: Ledger,
}

impl Writer<'_> {
    fn work(mut self, round: usize, writer: usize) -> Ledger {
        let mut sure: Vec<(Batch, u32)> = Vec::new();
        for number in 0.. {
            if Signs::is(&self.signs.over) {
                break;
            }
            let batch = (round, writer, number);
            if self.index(batch, None, 0) {
                sure.push((batch, 0));
            }
            let older = if number % 3 == 0 { None } else { sure.pop() };
            match older {
                Some((batch, version)) if number % 3 == 1 => {
                    let replaced = self.index(batch, Some(version), version + 1);
                    sure.splice(0..0, replaced.then_some((batch, version + 1)));
                }
                Some((batch, version)) => {
                    let gone = self.send("DELETE", "items", json!({"ids": ids(batch)}), "deleted");
                    self.ledger.note(batch, if gone { vec![None] } else { vec![Some(version), None] });
                }
                None => {}
            }
        }
        self.ledger
    }

    /// Send a batch; what it was before, it may still be where no answer comes.
    fn index(&mut self, batch: Batch, before: Option<u32>, version: u32) -> bool {
        let indexed = self.send("POST", "index", json!({"items": items(batch, version)}), "indexed");
        self.ledger.note(batch, if indexed { vec![Some(version)] } else { vec![before, Some(version)] });
        indexed
    }

    /// Send a request about a batch; whether it was acknowledged.
    fn send(&self, method: &str, tail: &str, body: Value, counts: &str) -> bool {
        let path = format!("{}/{tail}", self.path);
        match self.studio.service.try_send(method, &path, &self.studio.key, &body) {
            Some(report) if report[counts] == json!(BATCH) => {
                self.signs.answered.fetch_add(1, Ordering::SeqCst);
                true
            }
            Some(report) => panic!("a batch was taken by halves: {report}"),
            None if Signs::is(&self.signs.killed) => {
                thread::sleep(Duration::from_millis(20));
                false
            }
            None => panic!("a batch failed before anything was killed"),
        }
    }
}

/// Sweep again and again, as services do beside one another; the last sweep is killed in the middle.
fn sweep(studio: &Studio, signs: &Signs) {
    while !Signs::is(&signs.over) {
        let mut child = studio.sweeper().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("vw-api starts");
        while child.try_wait().expect("a child").is_none() && !Signs::is(&signs.over) {
            thread::sleep(Duration::from_millis(5));
        }
        // It has ended already, unless this is the end.
        let _ = child.kill();
        child.wait().expect("a child");
    }
}

/// Kill in each round at some other place of the work, then hold everything to the ledger.
///
/// `strike` kills, and brings back what does not come back by itself; `revive` does so where it takes the studio itself.
fn rounds(studio: &mut Studio, name: &str, strike: impl Fn(&Studio, usize) + Sync, revive: impl Fn(&mut Studio)) {
    let rounds: usize = std::env::var("VW_KILL_ROUNDS").map_or(4, |text| text.parse().expect("a number"));
    let path = studio.collection("c");
    let (mut ledger, mut sum) = (Ledger::default(), Tally::default());
    for round in 0..rounds {
        let signs = Signs::default();
        thread::scope(|scope| {
            let (studio, path, signs) = (&*studio, path.as_str(), &signs);
            let write = |writer| move || Writer { studio, path, signs, ledger: Ledger::default() }.work(round, writer);
            let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(write(writer))).collect();
            let sweeper = scope.spawn(move || sweep(studio, signs));
            let end = Round(signs);
            until("a first answer", || signs.answered.load(Ordering::SeqCst) > 0);
            // 97 has no common factor with the length of a batch's work.
            thread::sleep(Duration::from_millis((round as u64 * 97) % 400));
            Signs::give(&signs.killed);
            strike(studio, round);
            drop(end);
            for writer in writers {
                ledger.extend(writer.join().expect("a writer"));
            }
            sweeper.join().expect("a sweeper");
        });
        revive(studio);
        settle_down(studio);
        sum = sum + ledger.settle(studio, round);
    }
    println!("{name} killed {rounds} times: {sum:?} batches of {BATCH}");
    for item in studio.items(&path).iter().filter(|item| item["content_type"] == json!("image")) {
        let content = studio.service.read("GET", item["content_url"].as_str().expect("a URL"), &[]);
        assert_eq!(content.status, 200, "{item}");
    }
}

/// Wait until nothing that was begun goes on, and sweep.
fn settle_down(studio: &Studio) {
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vw-api' AND state = 'active'";
    let mut client = studio.database();
    while client.query_one(idle, &[]).expect("a count").get::<_, i64>(0) > 0 {
        thread::sleep(Duration::from_millis(20));
    }
    drop(client);
    // A store may still write a file that nobody waits for any more.
    let mut before = None;
    while before.as_ref() != Some(&studio.stored().len()) {
        before = Some(studio.stored().len());
        thread::sleep(Duration::from_millis(50));
    }
    studio.sweep();
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < limit, "{what}: not after {PATIENCE:?}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Wait until requests are served again, and let some more come.
fn serving(studio: &Studio) {
    let list = || studio.service.send("GET", super::COLLECTIONS, &studio.key, &Value::Null).status == 200;
    until("the service answers", || list() && studio.service.read("GET", "/readyz", &[]).status == 200);
    thread::sleep(Duration::from_millis(200));
}

#[test]
fn the_service_is_killed() {
    let mut studio = Studio::open();
    let strike = |studio: &Studio, _| kill(studio.service.pid());
    rounds(&mut studio, "the service", strike, |studio| {
        studio.service.kill();
        studio.restart();
    });
}

/// All its processes at once, as by a loss of power; the first one alone; one of its backends; an immediate stop.
#[test]
fn the_database_is_killed() {
    let strike = |studio: &Studio, round| {
        let cluster = &studio.cluster;
        let backend = "SELECT pid FROM pg_stat_activity WHERE application_name = 'vw-api' ORDER BY state, pid LIMIT 1";
        let postmaster = cluster.postmaster();
        match round % 4 {
            0 => {
                kill(postmaster);
                at_work_in(&cluster.data()).into_iter().for_each(kill_if_there);
            }
            1 => kill(postmaster),
            2 => kill_if_there(studio.database().query_one(backend, &[]).expect("a connection of the service").get(0)),
            _ => cluster.stop("immediate"),
        }
        if round % 4 != 2 {
            until("the server is gone", || at_work_in(&cluster.data()).is_empty() && !is_there(postmaster));
            cluster.resume();
        }
        until("the server is back", || cluster.try_connect("app").is_some());
        serving(studio);
    };
    rounds(&mut Studio::open(), "the database", strike, |_| {});
}

#[test]
fn the_store_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(mut bucket) = Bucket::serve(folder.path()) else { return };
    let settings = bucket.settings();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut studio = Studio::open_in(&settings, bucket.objects());
    let bucket = std::sync::Mutex::new(&mut bucket);
    let strike = |studio: &Studio, round: usize| {
        let mut bucket = bucket.lock().expect("one at a time");
        bucket.kill();
        thread::sleep(Duration::from_millis(round as u64 % 5 * 100));
        bucket.resume();
        serving(studio);
    };
    rounds(&mut studio, "the store", strike, |_| {});
}
