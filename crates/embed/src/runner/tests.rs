//! Guards against queries that wait behind bulk work, work for callers that are gone, and a tower that stays broken
//! after one bad input. The tower here is a counting one whose batches wait at a gate.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{JoinHandle, spawn};

use super::*;

/// Reports the inputs of each batch, then waits until the test lets it go on; 13 panics, 7 fails.
struct Gated {
    started: Sender<Vec<usize>>,
    go: Receiver<()>,
}

impl Tower for Gated {
    type Input = usize;

    fn length(_: &usize) -> usize {
        256
    }

    fn run(&mut self, batch: &[&usize]) -> Result<Vec<Embedding>, Failure> {
        let inputs: Vec<usize> = batch.iter().map(|input| **input).collect();
        self.started.send(inputs.clone()).expect("the test listens");
        self.go.recv().expect("the test lets every batch go");
        assert!(!inputs.contains(&13), "an unlucky input");
        if inputs.contains(&7) {
            return Err(Failure::internal("seven"));
        }
        let embedding = |input| Embedding { tokens: input as u32, truncated: false, vector: Vec::new() };
        Ok(inputs.into_iter().map(embedding).collect())
    }
}

type Answer = JoinHandle<Result<Vec<Embedding>, Failure>>;

struct Bench {
    runner: Arc<Runner<usize>>,
    started: Receiver<Vec<usize>>,
    go: Sender<()>,
}

impl Bench {
    fn new() -> Bench {
        let ((report, started), (go, gate)) = (channel(), channel());
        let runner = Arc::new(Runner::start(Gated { started: report, go: gate }).expect("threads can be started"));
        Bench { runner, started, go }
    }

    /// Send a request from another thread and return once it is queued or its first batch was started.
    fn ask(&self, inputs: Vec<usize>, bulk: bool, alive: Alive) -> Answer {
        let (runner, before) = (Arc::clone(&self.runner), self.runner.waiting() as u64 + self.runner.finished());
        let answer = spawn(move || runner.embed(inputs, Gated::length, bulk, alive));
        while self.runner.waiting() as u64 + self.runner.finished() == before {
            std::thread::yield_now();
        }
        answer
    }

    /// Wait for the next batch and let it go on.
    fn step(&self) -> Vec<usize> {
        let batch = self.started.recv().expect("a batch starts");
        self.go.send(()).expect("the tower waits");
        batch
    }
}

fn always() -> Alive {
    Arc::new(|| true)
}

fn values(answer: Answer) -> Result<Vec<u32>, Failure> {
    let embeddings = answer.join().expect("the asking thread is whole")?;
    Ok(embeddings.into_iter().map(|embedding| embedding.tokens).collect())
}

#[test]
fn a_query_overtakes_bulk_work_after_one_batch() {
    let bench = Bench::new();
    let bulk = bench.ask((20..26).collect(), true, always());
    let first = bench.started.recv().expect("the first bulk batch starts");
    let query = bench.ask(vec![1], false, always());
    bench.go.send(()).expect("the tower waits");
    assert_eq!(first, [20, 21]);
    assert_eq!(bench.step(), [1]);
    assert_eq!(values(query).expect("answered"), [1], "answered while bulk work waits");
    assert_eq!((bench.step(), bench.step()), (vec![22, 23], vec![24, 25]));
    assert_eq!(values(bulk).expect("answered"), [20, 21, 22, 23, 24, 25]);
}

#[test]
fn the_rest_of_a_hung_up_callers_work_is_dropped() {
    let bench = Bench::new();
    let line = Arc::new(Mutex::new(true));
    let other = Arc::clone(&line);
    let gone = bench.ask((20..120).collect(), true, Arc::new(move || *lock(&other)));
    let first = bench.started.recv().expect("the first batch starts");
    let stays = bench.ask(vec![1], true, always());
    *lock(&line) = false;
    bench.go.send(()).expect("the tower waits");
    assert_eq!((first, bench.step()), (vec![20, 21], vec![1]));
    assert!(values(gone).expect_err("nobody waits").message.contains("hung up"));
    assert_eq!(values(stays).expect("answered"), [1]);
    assert_eq!((bench.runner.waiting(), bench.runner.finished()), (0, 3));
}

#[test]
fn a_panic_or_failure_hits_its_own_request_only_and_the_tower_lives_on() {
    for bad in [13, 7] {
        let bench = Bench::new();
        let first = bench.ask(vec![1], false, always());
        assert_eq!(bench.started.recv().expect("a batch starts"), [1]);
        let (unlucky, neighbour) = (bench.ask(vec![bad], false, always()), bench.ask(vec![2], false, always()));
        bench.go.send(()).expect("the tower waits");
        assert_eq!((bench.step(), bench.step(), bench.step()), (vec![bad, 2], vec![bad], vec![2]));
        assert_eq!(values(first).expect("answered"), [1]);
        assert_eq!(values(unlucky).expect_err("it cannot be run").code, vw_protocol::ErrorCode::Internal);
        assert_eq!(values(neighbour).expect("answered"), [2]);
    }
}

#[test]
fn nothing_to_do_is_answered_at_once() {
    assert_eq!(Bench::new().runner.embed(Vec::new(), Gated::length, false, always()).expect("answered"), []);
}
