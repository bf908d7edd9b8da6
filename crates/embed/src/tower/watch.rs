//! Ends a run of the graph that nobody waits for any more: a long text takes seconds, and its caller may be gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use ort::logging::LogLevel;
use ort::session::RunOptions;

use super::job::Alive;
use crate::{Failure, lock};

/// How often the callers of a run are asked. Shorter runs are never looked at.
const PAUSE: Duration = Duration::from_millis(100);

/// The switch of one run.
#[derive(Default)]
pub struct Stop {
    ended: AtomicBool,
    options: Mutex<Option<Arc<RunOptions>>>,
}

impl Stop {
    /// Options for a run that this switch ends.
    pub fn options(&self) -> Result<Arc<RunOptions>, Failure> {
        let mut options = RunOptions::new().map_err(Failure::internal)?;
        // What fails is told to whoever asked; the runtime would log it, too.
        options.set_log_level(LogLevel::Fatal).map_err(Failure::internal)?;
        let options = Arc::new(options);
        *lock(&self.options) = Some(Arc::clone(&options));
        if self.ended() {
            options.terminate().map_err(Failure::internal)?;
        }
        Ok(options)
    }

    /// Whether the run was ended.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(options) = lock(&self.options).as_ref() {
            // A run that cannot be ended ends by itself.
            let _ = options.terminate();
        }
    }
}

/// The thread that looks after the runs of one tower. It sleeps while there are none.
pub struct Watch {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    run: Option<(Vec<Alive>, Arc<Stop>)>,
    asleep: bool,
    closed: bool,
}

impl Watch {
    /// Start the thread.
    pub fn start() -> Result<Watch, Failure> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(move || own.look());
        thread.map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
        Ok(Watch { shared })
    }

    /// Look after a run while `work` does it; when none of `callers` waits any more, the switch is used.
    pub fn over<T>(&self, callers: Vec<Alive>, work: impl FnOnce(&Stop) -> T) -> T {
        let stop = Arc::new(Stop::default());
        {
            let mut state = lock(&self.shared.state);
            state.run = Some((callers, Arc::clone(&stop)));
            if state.asleep {
                self.shared.wake.notify_one();
            }
        }
        let done = work(&stop);
        lock(&self.shared.state).run = None;
        done
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn look(&self) {
        let mut state = lock(&self.state);
        while !state.closed {
            let Some((_, begun)) = &state.run else {
                state.asleep = true;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.asleep = false;
                continue;
            };
            let begun = Arc::clone(begun);
            state = self.wake.wait_timeout(state, PAUSE).unwrap_or_else(PoisonError::into_inner).0;
            if let Some((callers, stop)) = &state.run
                && Arc::ptr_eq(stop, &begun)
                && callers.iter().all(|alive| !alive())
            {
                stop.end();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_run_is_ended_when_all_of_its_callers_are_gone_and_not_before() {
        let watch = Watch::start().expect("threads can be started");
        let caller = |waits: bool| Arc::new(move || waits) as Alive;
        let callers = |waits: &[bool]| waits.iter().map(|waits| caller(*waits)).collect::<Vec<_>>();
        let wait = |stop: &Stop, limit: Duration| {
            let begun = Instant::now();
            while !stop.ended() && begun.elapsed() < limit {
                std::thread::sleep(Duration::from_millis(1));
            }
            stop.ended()
        };
        assert!(!watch.over(callers(&[false, true]), |stop| wait(stop, 3 * PAUSE)), "one still waits");
        assert!(watch.over(callers(&[false, false]), |stop| wait(stop, Duration::from_secs(60))));
        assert!(!watch.over(callers(&[false, true]), |stop| wait(stop, 3 * PAUSE)), "the next run is another one");
    }
}
