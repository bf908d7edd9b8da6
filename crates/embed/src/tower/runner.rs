//! One thread per loaded tower: it takes the next batch, runs it, and answers the jobs that are complete.
//!
//! The queue is looked at again after every batch, so a query waits for one bulk batch at most, and the work of a
//! caller that hung up ends with the batch at hand. A single query that finds the tower idle is run by its caller's own
//! thread, which saves two changes of threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::batch::Load;
use super::cost::Cost;
use super::counters::Counters;
use super::crowd::Crowd;
use super::job::{Alive, Job, Ran, Then};
use super::queue::{Queue, Share};
use super::watch::{Stop, Watch};
use crate::{Failure, lock};

/// A graph that runs batches, one at a time.
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

/// The handle of a tower's thread. Dropping it ends the thread after the batch at hand, and waits for that.
pub struct Runner<T: Run> {
    shared: Arc<Shared<T>>,
    /// Taken by the drop.
    thread: Option<JoinHandle<()>>,
}

struct Shared<T: Run> {
    /// Held by whoever runs batches; taken before the state, never after it.
    desk: Mutex<Desk<T>>,
    state: Mutex<State<T::Input>>,
    wake: Condvar,
    watch: Watch,
    counters: Arc<Counters>,
}

/// The graph, and what is known of its runs and callers.
struct Desk<T> {
    graph: T,
    /// None where every input is run alone.
    cost: Option<Cost>,
    crowd: Crowd,
}

/// Inputs that run together.
type Batch<T> = Vec<Share<Job<<T as Run>::Input>>>;

struct State<I> {
    queue: Queue<Job<I>>,
    /// Single requests for which the next batch is held up; fewer do not wake the thread.
    awaited: usize,
    closed: bool,
}

impl<T: Run> Runner<T> {
    /// Start a thread for `graph`; `measured` says whether what runs cost bounds its batches, too.
    pub fn start(graph: T, counters: Arc<Counters>, measured: bool) -> Result<Runner<T>, Failure> {
        let desk = Mutex::new(Desk { graph, cost: measured.then(Cost::default), crowd: Crowd::default() });
        let state = Mutex::new(State { queue: Queue::default(), awaited: 0, closed: false });
        let shared = Arc::new(Shared { desk, state, wake: Condvar::new(), watch: Watch::start()?, counters });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("tower".to_owned()).spawn(move || own.work());
        let thread = thread.map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
        Ok(Runner { shared, thread: Some(thread) })
    }

    /// Run `inputs` and wait for what comes of each, in the order given.
    pub fn embed(&self, inputs: Vec<T::Input>, bulk: bool, alive: Alive) -> Result<Vec<Ran>, Failure> {
        let (reply, answer) = sync_channel(1);
        let then = move |ran| {
            let _ = reply.send(ran);
        };
        self.submit(inputs, bulk, alive, Box::new(then));
        answer.recv().map_err(|_| Failure::internal("the caller hung up"))
    }

    /// Run `inputs` and give what comes of each to `then`; a single query may be run before this returns.
    pub fn submit(&self, inputs: Vec<T::Input>, bulk: bool, alive: Alive, then: Then) {
        if inputs.is_empty() {
            return then(Vec::new());
        }
        let lengths: Vec<usize> = inputs.iter().map(T::length).collect();
        let job = Arc::new(Job::new(inputs, alive, then));
        let at_once = !bulk && lengths.len() == 1 && self.shared.run_at_once(&job);
        if !at_once && self.shared.line_up(job, bulk, lengths) {
            self.shared.wake.notify_one();
        }
    }

    /// The inputs that wait for their batch.
    pub fn waiting(&self) -> usize {
        lock(&self.shared.state).queue.waiting()
    }
}

impl<T: Run> Drop for Runner<T> {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.wake.notify_all();
        // A thread that outlived this would close its graph while the program exits, when the libraries for CUDA have
        // taken down what they close it with: the program then crashes. The thread itself cannot wait for its own end.
        let other = |thread: &JoinHandle<()>| thread.thread().id() != std::thread::current().id();
        if let Some(thread) = self.thread.take().filter(other) {
            let _ = thread.join();
        }
    }
}

impl<T: Run> Shared<T> {
    /// The tower's thread.
    fn work(&self) {
        loop {
            let mut state = lock(&self.state);
            while !state.closed && state.queue.waiting() == 0 {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.closed {
                return;
            }
            drop(state);
            let mut desk = lock(&self.desk);
            while let Some((batch, gone)) = self.next(&mut desk) {
                self.serve(&mut desk, &batch, gone);
            }
        }
    }

    /// Put a job into the queue; tells whether the tower's thread is to be woken for it.
    fn line_up(&self, job: Arc<Job<T::Input>>, bulk: bool, lengths: Vec<usize>) -> bool {
        let mut state = lock(&self.state);
        state.queue.push(job, bulk, lengths.into_iter());
        state.queue.singles() >= state.awaited
    }

    /// Run a job of one input on this thread, if nobody else runs, waits or is about to come; tells whether it was run.
    fn run_at_once(&self, job: &Arc<Job<T::Input>>) -> bool {
        let desk = match self.desk.try_lock() {
            Ok(desk) => Some(desk),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        let Some(mut desk) = desk.filter(|_| lock(&self.state).queue.waiting() == 0) else { return false };
        let length = job.inputs.first().map_or(0, T::length);
        let free = desk.wait(1, length).is_none() && job.wanted();
        if free {
            desk.crowd.taken();
            self.serve(&mut desk, &[(Arc::clone(job), 0)], 1);
        }
        free
    }

    /// Run a batch, with which `gone` single requests left the queue, and answer.
    fn serve(&self, desk: &mut Desk<T>, batch: &[Share<Job<T::Input>>], gone: usize) {
        for (job, _) in batch {
            self.counters.waited(micros(job.came));
        }
        let ran = self.run(desk, batch);
        // Before anybody is answered: whoever comes back while others are still being answered is counted already.
        let there = lock(&self.state).queue.singles();
        match ran {
            Ok(vectors) => batch.iter().zip(vectors).for_each(|(share, vector)| self.settle(share, Ok(vector))),
            // One bad input must not fail those that only shared its batch.
            Err(_) if batch.len() > 1 => batch.iter().filter(|(job, _)| job.wanted()).for_each(|share| {
                let one = self.run(desk, std::slice::from_ref(share));
                self.settle(share, one.map(|vectors| vectors.into_iter().next().unwrap_or_default()));
            }),
            Err(failure) => batch.iter().for_each(|share| self.settle(share, Err(failure.clone()))),
        }
        desk.crowd.answered(gone, there, Instant::now());
    }

    /// Wait for those who may yet join the next batch, and take it; none when nothing waits. Gives how many single
    /// requests left the queue, too.
    fn next(&self, desk: &mut Desk<T>) -> Option<(Batch<T>, usize)> {
        // Dropped after the lock is given back: with a job may end the last use of this tower, which takes the lock.
        let _gone;
        let mut state = lock(&self.state);
        while let Some(wait) = desk.wait(state.queue.singles(), state.queue.head()).filter(|_| !state.closed) {
            state.awaited = desk.crowd.expected();
            state = self.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            state.awaited = 0;
        }
        _gone = state.queue.retain(Job::wanted);
        let there = state.queue.singles();
        let batch = state.queue.next(&|now, next| desk.joins(now, next));
        if state.closed || batch.is_empty() {
            return None;
        }
        desk.crowd.taken();
        Some((batch, there.saturating_sub(state.queue.singles())))
    }

    /// Run a batch and learn what it costs; a panic, or a result of the wrong length, is a failure like any other.
    fn run(&self, desk: &mut Desk<T>, batch: &[Share<Job<T::Input>>]) -> Result<Vec<Vec<f32>>, Failure> {
        let inputs: Vec<&T::Input> = batch.iter().filter_map(|(job, at)| job.inputs.get(*at)).collect();
        // The inputs of one job lie side by side.
        let jobs = batch.chunk_by(|(one, _), (next, _)| Arc::ptr_eq(one, next)).filter_map(<[_]>::first);
        let callers = jobs.map(|(job, _)| Alive::clone(&job.alive)).collect();
        let begun = Instant::now();
        let work = |stop: &Stop| catch_unwind(AssertUnwindSafe(|| desk.graph.run(&inputs, stop)));
        let outcome = self.watch.over(callers, work);
        let took = micros(begun);
        let vectors = outcome.unwrap_or_else(|_| Err(Failure::internal("the model's thread panicked")))?;
        if vectors.len() != batch.len() {
            return Err(Failure::internal(format!("{} results for {} inputs", vectors.len(), batch.len())));
        }
        let lengths = || inputs.iter().map(|input| T::length(input));
        let longest = lengths().max().unwrap_or(0);
        self.counters.ran(lengths().map(|length| longest - length).sum(), took);
        if let Some(cost) = &mut desk.cost {
            cost.learn(batch.len(), longest, took as f64);
        }
        Ok(vectors)
    }

    /// Count what came of one input, and give it to its job.
    fn settle(&self, (job, at): &Share<Job<T::Input>>, ran: Ran) {
        match &ran {
            Ok(_) => self.counters.embedded(job.inputs.get(*at).map_or(0, T::tokens)),
            Err(_) => self.counters.failed(),
        }
        job.settle(*at, ran);
    }
}

impl<T: Run> Desk<T> {
    /// How long to wait for more than the single requests that are `there`, the first of which has this length.
    fn wait(&mut self, there: usize, length: usize) -> Option<Duration> {
        let saved = self.cost.as_ref().map_or(0.0, |cost| cost.saved(length));
        self.crowd.wait(there, saved, Instant::now())
    }

    /// Whether a batch may grow.
    fn joins(&self, now: Load, next: Load) -> bool {
        let fits = next.count <= self.graph.most(next.longest);
        fits && self.cost.as_ref().is_none_or(|cost| cost.joins(now, next))
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
