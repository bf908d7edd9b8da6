//! A request at work: its inputs wait for their batches one by one, and whoever completes it answers the caller. No thread
//! of the caller's is needed for that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::{Failure, lock};

/// Tells whether a caller still waits; asked between batches, on the runner's thread.
pub type Alive = Arc<dyn Fn() -> bool + Send + Sync>;

/// What came of one input: a vector as the graph gives it.
pub type Ran = Result<Vec<f32>, Failure>;

/// Takes what came of a job's inputs, in the order given, on the thread that completes the job; dropped uncalled where the
/// caller hung up.
pub type Then = Box<dyn FnOnce(Vec<Ran>) + Send>;

/// A request at work.
pub struct Job<I> {
    pub inputs: Vec<I>,
    pub alive: Alive,
    pub came: Instant,
    results: Mutex<Results>,
}

struct Results {
    done: Vec<Option<Ran>>,
    left: usize,
    /// Taken by the answer.
    then: Option<Then>,
}

impl<I> Job<I> {
    /// A job that came just now, of at least one input.
    pub fn new(inputs: Vec<I>, alive: Alive, then: Then) -> Job<I> {
        let results = Results { done: inputs.iter().map(|_| None).collect(), left: inputs.len(), then: Some(then) };
        Job { inputs, alive, came: Instant::now(), results: Mutex::new(results) }
    }

    /// Whether somebody waits for an answer that was not given yet.
    pub fn wanted(&self) -> bool {
        lock(&self.results).then.is_some() && (self.alive)()
    }

    /// Take in what came of one input, and answer if that was the last.
    pub fn settle(&self, at: usize, ran: Ran) {
        let mut results = lock(&self.results);
        if let Some(slot) = results.done.get_mut(at) {
            *slot = Some(ran);
            results.left = results.left.saturating_sub(1);
        }
        if results.left > 0 {
            return;
        }
        let (then, done) = (results.then.take(), std::mem::take(&mut results.done));
        drop(results);
        let left_out = || Err(Failure::internal("an input was left out of its batch"));
        let done = done.into_iter().map(|ran| ran.unwrap_or_else(left_out)).collect();
        // The others of the batch are answered whatever becomes of this one.
        let _ = catch_unwind(AssertUnwindSafe(|| then.map(|then| then(done))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_job_is_answered_once_by_whoever_brings_the_last_of_its_results() {
        let (answer, answered) = channel();
        let then = Box::new(move |ran: Vec<Ran>| answer.send(ran).expect("the test listens"));
        let job = Job::new(vec![0; 3], Arc::new(|| true), then);
        job.settle(2, Ok(vec![2.0]));
        job.settle(0, Err(Failure::internal("broken")));
        assert!(answered.try_recv().is_err() && job.wanted());
        std::thread::scope(|scope| drop(scope.spawn(|| job.settle(1, Ok(vec![1.0])))));
        let ran = answered.try_recv().expect("it is complete");
        let vectors: Vec<_> = ran.into_iter().map(Result::ok).collect();
        assert_eq!(vectors, [None, Some(vec![1.0]), Some(vec![2.0])]);
        assert!(!job.wanted());
        job.settle(1, Ok(vec![9.0]));
        assert!(answered.try_recv().is_err(), "it was answered already");
    }

    #[test]
    fn an_answer_that_panics_harms_nobody_else() {
        let job = Job::new(vec![0], Arc::new(|| true), Box::new(|_| panic!("an unlucky answer")));
        job.settle(0, Ok(Vec::new()));
        assert!(!job.wanted());
    }
}
