//! One thread per loaded tower: it takes the next batch, runs it, and answers the jobs that are complete.
//!
//! The queue is looked at again after every batch, so a query waits for one bulk batch at most, and the work of a
//! caller that hung up ends with the batch at hand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::cost::Cost;
use super::counters::Counters;
use super::queue::{Queue, Share};
use super::watch::{Stop, Watch};
use crate::{Failure, lock};

/// A graph that runs batches; only its runner's thread touches it.
pub trait Run: Send + 'static {
    /// An input that is ready to be run.
    type Input: Send + Sync + 'static;

    /// The input's length, which its batch pads others to.
    fn length(input: &Self::Input) -> usize;

    /// The tokens of an input, for the statistics.
    fn tokens(input: &Self::Input) -> usize;

    /// How many inputs of one length fit in a batch, whatever they cost; 1 where they must not share.
    fn most(&self, length: usize) -> usize;

    /// Embed a batch, in the order given; the vectors are as the graph gives them.
    /// `stop` ends it early where nobody waits any more.
    fn run(&mut self, batch: &[&Self::Input], stop: &Stop) -> Result<Vec<Vec<f32>>, Failure>;
}

/// Tells whether a caller still waits; asked between batches, on the runner's thread.
pub type Alive = Arc<dyn Fn() -> bool + Send + Sync>;

/// What came of one input: a vector as the graph gives it.
pub type Ran = Result<Vec<f32>, Failure>;

/// The handle of a tower's thread. Dropping it ends the thread after the batch at hand.
pub struct Runner<I> {
    shared: Arc<Shared<I>>,
}

struct Shared<I> {
    state: Mutex<State<I>>,
    wake: Condvar,
    counters: Arc<Counters>,
}

struct State<I> {
    queue: Queue<Job<I>>,
    closed: bool,
}

/// A request at work.
struct Job<I> {
    inputs: Vec<I>,
    alive: Alive,
    came: Instant,
    results: Mutex<Results>,
}

struct Results {
    done: Vec<Option<Ran>>,
    left: usize,
    /// Taken by the answer.
    reply: Option<SyncSender<Vec<Ran>>>,
}

impl<I: Send + Sync + 'static> Runner<I> {
    /// Start a thread for `graph`; `measured` says whether what runs cost bounds its batches, too.
    pub fn start<T>(graph: T, counters: Arc<Counters>, measured: bool) -> Result<Runner<I>, Failure>
    where
        T: Run<Input = I>,
    {
        let state = Mutex::new(State { queue: Queue::default(), closed: false });
        let shared = Arc::new(Shared { state, wake: Condvar::new(), counters });
        let (own, watch) = (Arc::clone(&shared), Watch::start()?);
        let thread = std::thread::Builder::new()
            .name("tower".to_owned())
            .spawn(move || own.work(graph, &watch, measured.then(Cost::default)));
        thread.map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
        Ok(Runner { shared })
    }

    /// Run `inputs` and wait for what comes of each, in the order given; `length` as in [`Run::length`].
    pub fn embed(
        &self,
        inputs: Vec<I>,
        length: impl Fn(&I) -> usize,
        bulk: bool,
        alive: Alive,
    ) -> Result<Vec<Ran>, Failure> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let lengths: Vec<usize> = inputs.iter().map(length).collect();
        let (reply, answer) = sync_channel(1);
        let done = inputs.iter().map(|_| None).collect();
        let results = Results { done, left: inputs.len(), reply: Some(reply) };
        let job = Arc::new(Job { inputs, alive, came: Instant::now(), results: Mutex::new(results) });
        lock(&self.shared.state).queue.push(job, bulk, lengths.into_iter());
        self.shared.wake.notify_one();
        answer.recv().map_err(|_| Failure::internal("the caller hung up"))
    }

    /// The inputs that wait for their batch.
    pub fn waiting(&self) -> usize {
        lock(&self.shared.state).queue.waiting()
    }
}

impl<I> Drop for Runner<I> {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.wake.notify_all();
    }
}

impl<I> Shared<I> {
    fn work<T: Run<Input = I>>(&self, mut graph: T, watch: &Watch, mut cost: Option<Cost>) {
        let paid = |cost: &Option<Cost>, length| cost.as_ref().map_or(usize::MAX, |cost| cost.most(length));
        while let Some(batch) = self.next(|length| graph.most(length).min(paid(&cost, length)).max(1)) {
            for (job, _) in &batch {
                self.counters.waited(micros(job.came));
            }
            match self.run(&mut graph, &batch, watch, &mut cost) {
                Ok(vectors) => {
                    batch.iter().zip(vectors).for_each(|(share, vector)| self.settle::<T>(share, Ok(vector)));
                }
                // One bad input must not fail those that only shared its batch.
                Err(_) if batch.len() > 1 => batch.iter().filter(|(job, _)| job.wanted()).for_each(|share| {
                    let one = self.run(&mut graph, std::slice::from_ref(share), watch, &mut cost);
                    self.settle::<T>(share, one.map(|vectors| vectors.into_iter().next().unwrap_or_default()));
                }),
                Err(failure) => batch.iter().for_each(|share| self.settle::<T>(share, Err(failure.clone()))),
            }
        }
    }

    /// Wait for a batch; none when the runner is closed.
    fn next(&self, most: impl Fn(usize) -> usize) -> Option<Vec<Share<Job<I>>>> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            state.queue.retain(Job::wanted);
            let batch = state.queue.next(&most);
            if !batch.is_empty() {
                return Some(batch);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Run a batch and learn what it costs; a panic, or a result of the wrong length, is a failure like any other.
    fn run<T: Run<Input = I>>(
        &self,
        graph: &mut T,
        batch: &[Share<Job<I>>],
        watch: &Watch,
        cost: &mut Option<Cost>,
    ) -> Result<Vec<Vec<f32>>, Failure> {
        let inputs: Vec<&I> = batch.iter().filter_map(|(job, at)| job.inputs.get(*at)).collect();
        // The inputs of one job lie side by side.
        let jobs = batch.chunk_by(|(one, _), (next, _)| Arc::ptr_eq(one, next)).filter_map(<[_]>::first);
        let callers = jobs.map(|(job, _)| Alive::clone(&job.alive)).collect();
        let begun = Instant::now();
        let work = |stop: &Stop| catch_unwind(AssertUnwindSafe(|| graph.run(&inputs, stop)));
        let outcome = watch.over(callers, work);
        let took = micros(begun);
        let vectors = outcome.unwrap_or_else(|_| Err(Failure::internal("the model's thread panicked")))?;
        if vectors.len() != batch.len() {
            return Err(Failure::internal(format!("{} results for {} inputs", vectors.len(), batch.len())));
        }
        let lengths = || inputs.iter().map(|input| T::length(input));
        let longest = lengths().max().unwrap_or(0);
        self.counters.ran(lengths().map(|length| longest - length).sum(), took);
        if let Some(cost) = cost {
            cost.learn(batch.len(), longest, took as f64);
        }
        Ok(vectors)
    }

    /// Store what came of one input, and answer its job if it is complete.
    fn settle<T: Run<Input = I>>(&self, (job, at): &Share<Job<I>>, ran: Ran) {
        match &ran {
            Ok(_) => self.counters.embedded(job.inputs.get(*at).map_or(0, T::tokens)),
            Err(_) => self.counters.failed(),
        }
        let mut results = lock(&job.results);
        if let Some(slot) = results.done.get_mut(*at) {
            *slot = Some(ran);
            results.left = results.left.saturating_sub(1);
        }
        if results.left == 0
            && let Some(reply) = results.reply.take()
        {
            let left_out = || Err(Failure::internal("an input was left out of its batch"));
            let done = std::mem::take(&mut results.done).into_iter();
            let _ = reply.send(done.map(|ran| ran.unwrap_or_else(left_out)).collect());
        }
    }
}

impl<I> Job<I> {
    /// Whether somebody waits for an answer that was not given yet.
    fn wanted(&self) -> bool {
        lock(&self.results).reply.is_some() && (self.alive)()
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
