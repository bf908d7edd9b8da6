//! Guards the wall between projects with random walks: two projects, each with keys of every scope, work at the same time over
//! all routes and try each other's ids, cursors, content URLs, idempotency keys and item ids wherever one fits. Each walker
//! knows what it stored and holds every answer to that; and whatever is answered to one project's keys is searched, headers
//! and all, for the words and ids of the other.
//!
//! VW_WALK_CALLS is the number of requests (2,000 without it), VW_WALK_SEED where the walks begin (1).

#[path = "walks/board.rs"]
mod board;
#[path = "walks/foreign.rs"]
mod foreign;
#[path = "walks/own.rs"]
mod own;
#[path = "walks/walker.rs"]
mod walker;

use std::sync::atomic::{AtomicUsize, Ordering};

use board::{Board, Rng};
use vw_tests::cluster::Cluster;
use vw_tests::service::{Service, key};
use walker::{Keys, Walker};

/// The projects; each one's word is in every text, name, description and file that it stores.
const PROJECTS: [(&str, &str); 2] = [("red", "redbird8261"), ("blue", "bluefish3917")];

/// Walkers of each project, at the same time.
const WALKERS: usize = 2;

/// How often something was done or tried, by its name.
type Steps = std::collections::BTreeMap<&'static str, usize>;

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

/// The keys of a project, one of each scope.
fn keys(cluster: &Cluster, project: &str) -> Keys {
    let make = |scope: &str| key(cluster, "app", &["create", "--project", project, "--scopes", scope]);
    Keys { read: make("read"), write: make("write"), admin: make("admin") }
}

#[test]
fn two_projects_never_meet() {
    let (calls, seed) = (number("VW_WALK_CALLS", 2000), number("VW_WALK_SEED", 1) as u64);
    let cluster = Cluster::start("");
    drop(cluster.with_vw("app"));
    let service = Service::start_with(&cluster, "app", &["--auth-failures", "0"]);
    let keys = PROJECTS.map(|(project, _)| keys(&cluster, project));
    let (board, done) = (Board::default(), AtomicUsize::new(0));
    let mut steps = Steps::new();
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..WALKERS * PROJECTS.len() {
            let side = number % PROJECTS.len();
            let rng = Rng::new(seed * 1000 + number as u64);
            let mut walker = Walker::new(&service, &keys[side], side, number, &board, &done, rng);
            threads.push(scope.spawn(move || walker.walk(calls)));
        }
        for thread in threads {
            for (name, count) in thread.join().expect("a walker ends well") {
                *steps.entry(name).or_default() += count;
            }
        }
    });
    println!("{} requests: {steps:?}", done.load(Ordering::SeqCst));
    let log = service.log();
    for (_, word) in PROJECTS {
        assert!(!log.contains(word), "{word} is in the log");
    }
    for secret in keys.iter().flat_map(|keys| [&keys.read, &keys.write, &keys.admin]) {
        assert!(!log.contains(&secret[13..]), "a secret is in the log");
    }
    assert!(!log.contains("ERROR"), "{}", log.lines().filter(|line| line.contains("ERROR")).collect::<String>());
}
