//! Guards against queries that wait behind bulk work, work for callers that are gone, a tower that stays broken after
//! one bad input, and a graph that outlives its tower. The tower here is a counting one whose batches wait at a gate.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::spawn;

use super::*;

/// Reports the inputs of each batch, then waits until the test lets it go on; 13 panics, 7 fails.
struct Gated {
    started: Sender<Vec<usize>>,
    go: Receiver<()>,
}

impl Run for Gated {
    type Input = usize;

    fn length(_: &usize) -> usize {
        256
    }

    fn tokens(_: &usize) -> usize {
        100
    }

    fn most(&self, _: usize) -> usize {
        2
    }

    fn run(&mut self, batch: &[&usize], _: &Stop) -> Result<Vec<Vec<f32>>, Failure> {
        let inputs: Vec<usize> = batch.iter().map(|input| **input).collect();
        self.started.send(inputs.clone()).expect("the test listens");
        self.go.recv().expect("the test lets every batch go");
        assert!(!inputs.contains(&13), "an unlucky input");
        if inputs.contains(&7) {
            return Err(Failure::internal("seven"));
        }
        Ok(inputs.into_iter().map(|input| vec![input as f32]).collect())
    }
}

type Answer = JoinHandle<Result<Vec<Ran>, Failure>>;

/// The gate is dropped before the runner, which waits for a batch that stands there.
struct Bench {
    started: Receiver<Vec<usize>>,
    go: Sender<()>,
    runner: Arc<Runner<Gated>>,
    counters: Arc<Counters>,
}

impl Bench {
    fn new() -> Bench {
        let ((report, started), (go, gate)) = (channel(), channel());
        let (counters, graph) = (Arc::<Counters>::default(), Gated { started: report, go: gate });
        let runner = Runner::start(graph, Arc::clone(&counters), false).expect("threads can be started");
        Bench { started, go, runner: Arc::new(runner), counters }
    }

    /// The inputs that were run or refused.
    fn finished(&self) -> u64 {
        let stats = self.counters.stats("", vw_protocol::Modality::Text, true, 0);
        stats.inputs + stats.failed
    }

    /// Send a request from another thread and return once it is queued or its first batch was started.
    fn ask(&self, inputs: Vec<usize>, bulk: bool, alive: Alive) -> Answer {
        let (runner, line) = (Arc::clone(&self.runner), Arc::new(Mutex::new(false)));
        let (asked, alive) = (Arc::clone(&line), alive);
        let noticed: Alive = Arc::new(move || {
            *lock(&asked) = true;
            alive()
        });
        let before = self.runner.waiting();
        let answer = spawn(move || runner.embed(inputs, bulk, noticed));
        while self.runner.waiting() == before && !*lock(&line) {
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

/// What came of the inputs; nothing for those that failed.
fn values(answer: Answer) -> Result<Vec<Option<u32>>, Failure> {
    let ran = answer.join().expect("the asking thread is whole")?;
    Ok(ran.into_iter().map(|one| one.ok().map(|vector| vector[0] as u32)).collect())
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
    assert_eq!(values(query).expect("answered"), [Some(1)], "answered while bulk work waits");
    assert_eq!((bench.step(), bench.step()), (vec![22, 23], vec![24, 25]));
    assert_eq!(values(bulk).expect("answered"), (20..26).map(Some).collect::<Vec<_>>());
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
    assert_eq!(values(stays).expect("answered"), [Some(1)]);
    assert_eq!((bench.runner.waiting(), bench.finished()), (0, 3));
}

#[test]
fn a_panic_or_failure_hits_its_own_input_only_and_the_tower_lives_on() {
    for bad in [13, 7] {
        let bench = Bench::new();
        let first = bench.ask(vec![1], false, always());
        assert_eq!(bench.started.recv().expect("a batch starts"), [1]);
        let (unlucky, neighbour) = (bench.ask(vec![bad, 3], false, always()), bench.ask(vec![2], false, always()));
        bench.go.send(()).expect("the tower waits");
        assert_eq!((bench.step(), bench.step(), bench.step()), (vec![bad, 3], vec![bad], vec![3]));
        assert_eq!(bench.step(), [2]);
        assert_eq!(values(first).expect("answered"), [Some(1)]);
        assert_eq!(values(unlucky).expect("answered"), [None, Some(3)]);
        assert_eq!(values(neighbour).expect("answered"), [Some(2)]);
    }
}

#[test]
fn what_was_done_is_counted() {
    let bench = Bench::new();
    let answer = bench.ask(vec![20, 7, 21], true, always());
    assert_eq!(bench.started.recv().expect("a batch starts"), [20, 7]);
    std::thread::sleep(std::time::Duration::from_millis(20));
    bench.go.send(()).expect("the tower waits");
    assert_eq!((bench.step(), bench.step(), bench.step()), (vec![20], vec![7], vec![21]));
    assert_eq!(values(answer).expect("answered"), [Some(20), None, Some(21)]);
    let stats = bench.counters.stats("m", vw_protocol::Modality::Text, true, 0);
    assert_eq!((stats.inputs, stats.failed, stats.batches, stats.tokens, stats.padding), (2, 1, 2, 200, 0));
    assert!(stats.wait_micros >= 20_000, "21 waited for the batch before it");
}

#[test]
fn a_query_that_finds_the_tower_idle_is_run_by_its_caller() {
    let bench = Bench::new();
    let answer = bench.ask(vec![1], false, always());
    assert_eq!(bench.started.recv().expect("a batch starts"), [1]);
    assert_eq!(bench.runner.waiting(), 0, "it was never queued");
    let other = bench.ask(vec![2], false, always());
    assert_eq!(bench.runner.waiting(), 1, "the tower is busy");
    bench.go.send(()).expect("the tower waits");
    assert_eq!((bench.step(), values(answer).expect("answered")), (vec![2], vec![Some(1)]));
    assert_eq!(values(other).expect("answered"), [Some(2)]);
}

#[test]
fn who_comes_back_while_others_are_answered_is_no_further_caller() {
    let bench = Bench::new();
    let first = bench.ask(vec![1], false, always());
    assert_eq!(bench.started.recv().expect("a batch starts"), [1]);
    let (unlucky, other) = (bench.ask(vec![7], false, always()), bench.ask(vec![2], false, always()));
    bench.go.send(()).expect("the tower waits");
    // The two that run together fail, and then one is answered before the other.
    assert_eq!((bench.step(), bench.step()), (vec![7, 2], vec![7]));
    assert_eq!(values(unlucky).expect("answered"), [None]);
    assert_eq!(bench.started.recv().expect("a batch starts"), [2]);
    let back = bench.ask(vec![3], false, Arc::new(|| false));
    bench.go.send(()).expect("the tower waits");
    assert_eq!((values(first).expect("answered"), values(other).expect("answered")), (vec![Some(1)], vec![Some(2)]));
    values(back).expect_err("it hung up");
    assert_eq!(lock(&bench.runner.shared.desk).crowd.expected(), 2);
}

#[test]
fn nothing_to_do_is_answered_at_once() {
    assert!(Bench::new().runner.embed(Vec::new(), false, always()).expect("answered").is_empty());
}

/// Takes its time to be closed, and then says so.
struct Slow(Sender<()>);

impl Run for Slow {
    type Input = usize;

    fn length(_: &usize) -> usize {
        1
    }

    fn tokens(_: &usize) -> usize {
        1
    }

    fn most(&self, _: usize) -> usize {
        1
    }

    fn run(&mut self, batch: &[&usize], _: &Stop) -> Result<Vec<Vec<f32>>, Failure> {
        Ok(batch.iter().map(|input| vec![**input as f32]).collect())
    }
}

impl Drop for Slow {
    fn drop(&mut self) {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let _ = self.0.send(());
    }
}

#[test]
fn a_graph_is_closed_when_its_runner_is_gone() {
    let (closed, closing) = channel();
    let runner = Runner::start(Slow(closed), Arc::default(), false).expect("threads can be started");
    assert!(runner.embed(vec![1, 2], true, always()).expect("answered").iter().all(Result::is_ok));
    drop(runner);
    closing.try_recv().expect("the graph was closed");
}

#[test]
fn a_job_of_a_caller_that_is_gone_may_hold_the_last_use_of_its_tower() {
    let Bench { started, go, runner, .. } = Bench::new();
    runner.submit(vec![1], true, always(), Box::new(drop));
    started.recv().expect("it is run");
    // Dropped one after the other: the end is told when the runner is gone.
    let (end, ended) = channel::<()>();
    let held = (Arc::clone(&runner), end);
    runner.submit(vec![2], true, Arc::new(|| false), Box::new(move |_| drop(held)));
    drop(runner);
    go.send(()).expect("it stands at the gate");
    let end = ended.recv_timeout(Duration::from_secs(60));
    assert_eq!(end, Err(std::sync::mpsc::RecvTimeoutError::Disconnected), "the tower's thread waits for itself");
}
