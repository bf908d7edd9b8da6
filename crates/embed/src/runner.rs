//! One thread per loaded tower: it takes the next batch, runs it, and answers the jobs that are complete.
//!
//! The queue is looked at again after every batch, so a query waits for one bulk batch at most, and the work of a
//! caller that hung up ends with the batch at hand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use vw_protocol::Embedding;

use crate::queue::{Queue, Share};
use crate::{Failure, lock};

/// A model that runs batches; only its runner's thread touches it.
pub trait Tower: Send + 'static {
    /// An input that is ready to be run.
    type Input: Send + Sync + 'static;

    /// The input's length, which its batch pads others to.
    fn length(input: &Self::Input) -> usize;

    /// Embed a batch, in the order given.
    fn run(&mut self, batch: &[&Self::Input]) -> Result<Vec<Embedding>, Failure>;
}

/// Tells whether a caller still waits; asked between batches, on the runner's thread.
pub type Alive = Arc<dyn Fn() -> bool + Send + Sync>;

/// The handle of a tower's thread. Dropping it ends the thread after the batch at hand.
pub struct Runner<I> {
    shared: Arc<Shared<I>>,
}

struct Shared<I> {
    state: Mutex<State<I>>,
    wake: Condvar,
    finished: AtomicU64,
}

struct State<I> {
    queue: Queue<Job<I>>,
    closed: bool,
}

/// A request at work.
struct Job<I> {
    inputs: Vec<I>,
    alive: Alive,
    results: Mutex<Results>,
}

struct Results {
    done: Vec<Option<Embedding>>,
    left: usize,
    /// Taken by the answer.
    reply: Option<SyncSender<Result<Vec<Embedding>, Failure>>>,
}

impl<I: Send + Sync + 'static> Runner<I> {
    /// Start a thread for `tower`.
    pub fn start<T: Tower<Input = I>>(tower: T) -> Result<Runner<I>, Failure> {
        let state = Mutex::new(State { queue: Queue::default(), closed: false });
        let shared = Arc::new(Shared { state, wake: Condvar::new(), finished: AtomicU64::new(0) });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("tower".to_owned()).spawn(move || own.work(tower));
        thread.map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
        Ok(Runner { shared })
    }

    /// Embed `inputs` and wait for the result, in the order given; `length` as in [`Tower::length`].
    pub fn embed(
        &self,
        inputs: Vec<I>,
        length: impl Fn(&I) -> usize,
        bulk: bool,
        alive: Alive,
    ) -> Result<Vec<Embedding>, Failure> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let lengths: Vec<usize> = inputs.iter().map(length).collect();
        let (reply, answer) = sync_channel(1);
        let results = Results { done: vec![None; inputs.len()], left: inputs.len(), reply: Some(reply) };
        let job = Arc::new(Job { inputs, alive, results: Mutex::new(results) });
        lock(&self.shared.state).queue.push(job, bulk, lengths.into_iter());
        self.shared.wake.notify_one();
        answer.recv().unwrap_or_else(|_| Err(Failure::internal("the caller hung up")))
    }

    /// The inputs that wait for their batch.
    pub fn waiting(&self) -> usize {
        lock(&self.shared.state).queue.waiting()
    }

    /// The inputs that were run since the start.
    pub fn finished(&self) -> u64 {
        self.shared.finished.load(Ordering::Relaxed)
    }
}

impl<I> Drop for Runner<I> {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.wake.notify_all();
    }
}

impl<I> Shared<I> {
    fn work<T: Tower<Input = I>>(&self, mut tower: T) {
        while let Some(batch) = self.next() {
            self.finished.fetch_add(batch.len() as u64, Ordering::Relaxed);
            match run(&mut tower, &batch) {
                Ok(embeddings) => settle(&batch, embeddings),
                // One bad input must not fail those that only shared its batch.
                Err(_) if batch.len() > 1 => batch.iter().for_each(|share| {
                    let one = std::slice::from_ref(share);
                    run(&mut tower, one).map_or_else(|failure| fail(share, failure), |done| settle(one, done));
                }),
                Err(failure) => batch.iter().for_each(|share| fail(share, failure.clone())),
            }
        }
    }

    /// Wait for a batch; none when the runner is closed.
    fn next(&self) -> Option<Vec<Share<Job<I>>>> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            state.queue.retain(Job::wanted);
            let batch = state.queue.next();
            if !batch.is_empty() {
                return Some(batch);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<I> Job<I> {
    /// Whether somebody waits for an answer that was not given yet.
    fn wanted(&self) -> bool {
        lock(&self.results).reply.is_some() && (self.alive)()
    }
}

/// Run a batch; a panic, or a result of the wrong length, is a failure like any other.
fn run<T: Tower>(tower: &mut T, batch: &[Share<Job<T::Input>>]) -> Result<Vec<Embedding>, Failure> {
    let inputs: Vec<&T::Input> = batch.iter().filter_map(|(job, at)| job.inputs.get(*at)).collect();
    let outcome = catch_unwind(AssertUnwindSafe(|| tower.run(&inputs)));
    let embeddings = outcome.unwrap_or_else(|_| Err(Failure::internal("the model's thread panicked")))?;
    if embeddings.len() != batch.len() {
        return Err(Failure::internal(format!("{} results for {} inputs", embeddings.len(), batch.len())));
    }
    Ok(embeddings)
}

/// Store a batch's results and answer the jobs that are complete.
fn settle<I>(batch: &[Share<Job<I>>], embeddings: Vec<Embedding>) {
    for ((job, at), embedding) in batch.iter().zip(embeddings) {
        let mut results = lock(&job.results);
        if let Some(slot) = results.done.get_mut(*at) {
            *slot = Some(embedding);
            results.left = results.left.saturating_sub(1);
        }
        if results.left == 0
            && let Some(reply) = results.reply.take()
        {
            let whole: Option<Vec<Embedding>> = std::mem::take(&mut results.done).into_iter().collect();
            let _ = reply.send(whole.ok_or_else(|| Failure::internal("an input was left out of its batch")));
        }
    }
}

/// Answer a job with a failure; the rest of its work is dropped from the queue by [`Job::wanted`].
fn fail<I>((job, _): &Share<Job<I>>, failure: Failure) {
    if let Some(reply) = lock(&job.results).reply.take() {
        let _ = reply.send(Err(failure));
    }
}

#[cfg(test)]
mod tests;
