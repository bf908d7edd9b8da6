//! Guards against an engine that is killed, stopped, or out of memory: no connection is lost, no vector is wrong, and calls
//! are answered again soon.
//!
//! VW_CHAOS_ROUNDS sets how many times the engine is hurt; 10 if it is not set. Memory runs out in a control group, where
//! the kernel ends the engine; who cannot make one (not root) has it killed instead.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::Client;
use postgres::error::SqlState;
use vw_tests::cage::Cage;
use vw_tests::cluster::Cluster;
use vw_tests::flag::Raise;
use vw_tests::process::{self, kill, stop};

/// Texts whose vectors are known.
const TEXTS: i32 = 40;
/// Clients that embed all the time.
const CLIENTS: i32 = 8;
/// Memory that an engine in a cage may ask for, in bytes; the text that it is then sent takes more.
const CAGE: u64 = 1 << 20;

/// What is done to an engine.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Harm {
    Kill,
    Stop,
    Starve,
}

/// A small generator (splitmix64), so that a run can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// Keep the right vectors in a table.
fn remember(client: &mut Client) {
    client
        .batch_execute(
            "CREATE TABLE known AS SELECT n, 'text number ' || n || repeat(' and more', n % 7) AS body
                 FROM generate_series(0, 39) n;
             ALTER TABLE known ADD right_one vector;
             UPDATE known SET right_one = vw_embed_text(body)",
        )
        .expect("known vectors");
}

/// Embed a known text; gives how far the vector is from the right one.
fn distance(client: &mut Client, n: i32) -> Result<f64, postgres::Error> {
    let query = "SELECT right_one <-> vw_embed_text(body) FROM known WHERE n = $1";
    Ok(client.query_one(query, &[&(n % TEXTS)])?.get(0))
}

/// Embed known texts until told to end; whatever happens, the connection stays and no vector is wrong.
fn work(cluster: &Cluster, seed: i32, over: &AtomicBool, answered: &AtomicU32, failed: &AtomicU32) {
    let mut client = cluster.connect("app");
    let own: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a backend").get(0);
    let mut n = seed;
    while !over.load(Ordering::Relaxed) {
        n += 1;
        match distance(&mut client, n) {
            Ok(distance) => {
                assert!(distance < 1e-5, "text {n} is off by {distance}");
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                assert_eq!(error.code(), Some(&SqlState::SYSTEM_ERROR), "{error:?}");
                failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let now: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("the connection lives").get(0);
    assert_eq!(own, now);
}

/// How long until a call is answered again.
fn back(client: &mut Client, n: i32) -> Duration {
    let hurt = Instant::now();
    while distance(client, n).is_err() {
        assert!(hurt.elapsed() < Duration::from_secs(60), "the engine does not come back");
    }
    hurt.elapsed()
}

/// Wait for the engine; give its process.
fn engine(cluster: &Cluster) -> i32 {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        if let [pid] = process::engines(&cluster.data()).as_slice() {
            return *pid;
        }
        assert!(Instant::now() < limit, "there is no engine");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Hurt the engine, and tell how long it is until a call is answered again.
fn hurt(cluster: &Cluster, client: &mut Client, harm: Harm, round: i32) -> Duration {
    let pid = engine(cluster);
    match harm {
        Harm::Kill => kill(pid),
        Harm::Stop => stop(pid),
        Harm::Starve => return starve(cluster, client, pid, round),
    }
    back(client, round)
}

/// Leave an engine no memory and ask it for more than it has; the kernel must end it.
fn starve(cluster: &Cluster, client: &mut Client, pid: i32, round: i32) -> Duration {
    let Some(cage) = Cage::new(CAGE) else {
        kill(pid);
        return back(client, round);
    };
    cage.close_in(pid);
    // A text of 28 MB: the engine has to hold it, whatever it held before.
    let strain = "SELECT vw_embed_text(repeat('many words of text ', 1500000))";
    std::thread::scope(|scope| {
        // It is asked once more when the engine has ended, and then answered by the next one.
        let asked = scope.spawn(move || cluster.connect("app").batch_execute(strain));
        let limit = Instant::now() + Duration::from_secs(60);
        while process::engines(&cluster.data()).contains(&pid) {
            assert!(Instant::now() < limit, "the engine lives without memory");
            std::thread::sleep(Duration::from_millis(2));
        }
        let time = back(client, round);
        if let Err(error) = asked.join().expect("the connection is whole") {
            assert_eq!(error.code(), Some(&SqlState::SYSTEM_ERROR), "{error:?}");
        }
        assert_eq!(cage.kills(), 1, "it was the kernel that ended it");
        time
    })
}

#[test]
fn an_engine_that_is_killed_stopped_or_starved_is_replaced() {
    let rounds = std::env::var("VW_CHAOS_ROUNDS").map_or(10, |text| text.parse().expect("a number of rounds"));
    let cluster = Cluster::start("shared_preload_libraries = 'vw'");
    let mut client = cluster.with_vw("app");
    remember(&mut client);
    let (over, answered, failed) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let mut times = Vec::new();
    let mut random = Random(20_260_101);
    std::thread::scope(|scope| {
        let end = Raise(&over);
        let work = || |seed| work(&cluster, seed, &over, &answered, &failed);
        let threads: Vec<_> = (0..CLIENTS).map(|seed| scope.spawn(move || work()(seed * 5))).collect();
        for round in 0..rounds {
            std::thread::sleep(Duration::from_millis(random.below(700)));
            let harm = [Harm::Kill, Harm::Stop, Harm::Starve][random.below(3) as usize];
            times.push((harm, hurt(&cluster, &mut client, harm, round)));
        }
        drop(end);
        threads.into_iter().for_each(|thread| thread.join().expect("no connection is lost, no vector is wrong"));
    });
    println!("{} calls answered, {} failed", answered.into_inner(), failed.into_inner());
    for harm in [Harm::Kill, Harm::Stop, Harm::Starve] {
        let mut times: Vec<Duration> = times.iter().filter(|(done, _)| *done == harm).map(|(_, time)| *time).collect();
        times.sort();
        let (half, most) = (times.get(times.len() / 2), times.last());
        println!("{harm:?}, {} times: back in {half:?} by half, in {most:?} at the most", times.len());
    }
    assert!(!cluster.log().contains("reinitializing"), "no backend was reset:\n{}", cluster.log());
}

#[test]
fn an_engine_that_is_stopped_for_a_moment_goes_on() {
    let cluster = Cluster::start("shared_preload_libraries = 'vw'");
    let mut client = cluster.with_vw("app");
    remember(&mut client);
    let pid = engine(&cluster);
    for round in 0..10 {
        stop(pid);
        std::thread::sleep(Duration::from_millis(50));
        process::go_on(pid);
        assert!(distance(&mut client, round).expect("it goes on") < 1e-5);
        // The supervisor only looks now and then; an engine that is stopped most of the time would seem stopped to it.
        std::thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(engine(&cluster), pid, "{}", cluster.log());
}

/// Keep engines from listening: each of them takes a lock on this folder before.
struct Barrier {
    /// Gives the lock back when it is closed.
    _folder: std::fs::File,
}

impl Barrier {
    fn new(cluster: &Cluster) -> Barrier {
        let folder = std::fs::File::open(cluster.data().join("vw")).expect("the engine's folder is there");
        folder.lock().expect("no engine is starting");
        Barrier { _folder: folder }
    }
}

#[test]
fn an_engine_that_hangs_before_it_listens_is_replaced() {
    let settings = "vw.engine_hang_timeout = '1s'\nvw.engine_start_timeout = '2s'\nshared_preload_libraries = 'vw'";
    let cluster = Cluster::start(settings);
    let mut client = cluster.with_vw("app");
    remember(&mut client);
    let own: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a backend").get(0);
    let barrier = Barrier::new(&cluster);
    kill(engine(&cluster));
    let started = Instant::now();
    let error = distance(&mut client, 0).expect_err("no engine listens");
    let fault = error.as_db_error().expect("the server says so");
    println!("told after {:?}: {}", started.elapsed(), fault.message());
    assert_eq!((fault.code(), fault.message()), (&SqlState::SYSTEM_ERROR, "the embedding engine cannot be reached"));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let limit = Instant::now() + Duration::from_secs(60);
    while cluster.log().matches("before it listened and is killed").count() < 2 {
        assert!(Instant::now() < limit, "an engine that hangs is left alone:\n{}", cluster.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(barrier);
    let time = back(&mut client, 1);
    println!("back {time:?} after the next one could start");
    assert!(distance(&mut client, 1).expect("it is there") < 1e-5);
    let now: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("the connection lives").get(0);
    assert_eq!(own, now);
    assert!(!cluster.log().contains("reinitializing"), "no backend was reset:\n{}", cluster.log());
}

#[test]
fn a_call_to_an_engine_that_hangs_can_be_cancelled() {
    let cluster = Cluster::start("vw.engine_hang_timeout = 0\nshared_preload_libraries = 'vw'");
    let mut client = cluster.with_vw("app");
    remember(&mut client);
    let pid = engine(&cluster);
    stop(pid);
    client.batch_execute("SET statement_timeout = '100ms'").expect("a setting");
    let started = Instant::now();
    let error = distance(&mut client, 0).expect_err("a timeout");
    println!("a timeout of 100 ms took {:?}", started.elapsed());
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED));
    assert!(started.elapsed() < Duration::from_secs(2));
    process::go_on(pid);
    client.batch_execute("RESET statement_timeout").expect("a setting");
    assert!(distance(&mut client, 0).expect("it was left alone, as the setting says") < 1e-5);
    assert_eq!(engine(&cluster), pid);
}
