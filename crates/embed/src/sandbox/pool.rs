//! The decoders of one engine, and the line of callers who wait for one: first come, first served.
//!
//! A decoder is started when somebody waits and fewer run than may, and ended when it was idle for long. One thread,
//! the keeper, does both, since a decoder ends with the thread that started it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use vw_protocol::{ErrorCode, MAX_FRAME, Modality};

use crate::media::{Features, Prepare};
use crate::sandbox::frame::{Answer, head};
use crate::sandbox::limits::{Allowance, Limits};
use crate::sandbox::process::Process;
use crate::sandbox::verdict::{Verdict, crashed, hung_up, judge};
use crate::{Failure, lock};

/// How often a caller in the line is asked whether it still waits.
const TICK: Duration = Duration::from_millis(50);
/// How many decoders may fail a file that is not at fault.
const ATTEMPTS: usize = 3;

/// Decoders that are started when they are needed.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    program: PathBuf,
    limits: Limits,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// The one that was used last is at the back, with the moment it came back.
    idle: VecDeque<(Process, Instant)>,
    line: VecDeque<(u64, SyncSender<Result<Process, Failure>>)>,
    next_ticket: u64,
    /// The decoders that are idle or at work, by their process numbers.
    living: Vec<u32>,
    /// Decoders that the keeper is to start.
    wanted: usize,
    has_keeper: bool,
    closed: bool,
}

impl Pool {
    /// Decoders of this very program; none is started yet.
    pub fn new(limits: Limits) -> Pool {
        // The name of the running image stays right when the program's file is replaced.
        Pool::of_program(Path::new("/proc/self/exe"), limits)
    }

    /// Decoders of the `vw-engine` at `program`; none is started yet.
    pub fn of_program(program: &Path, limits: Limits) -> Pool {
        let (state, wake) = (Mutex::new(State::default()), Condvar::new());
        Pool { shared: Arc::new(Shared { program: program.to_owned(), limits, state, wake }) }
    }

    /// The process numbers of the decoders, idle ones and those at work.
    pub fn processes(&self) -> Vec<u32> {
        lock(&self.shared.state).living.clone()
    }

    /// How many callers wait for a decoder.
    pub fn waiting(&self) -> usize {
        lock(&self.shared.state).line.len()
    }

    /// Have one decoder do one file, and put it back if it is of further use.
    fn attempt(
        &self,
        modality: Modality,
        tower: &Path,
        file: &[u8],
        alive: &dyn Fn() -> bool,
    ) -> Result<Features, Verdict> {
        let allowance = self.shared.limits.of_file(file.len());
        let head = job(modality, tower, file, allowance).map_err(Verdict::Answer)?;
        let mut process = self.shared.lease(alive).map_err(Verdict::Answer)?;
        match process.exchange(&head, file, allowance, alive) {
            Ok(answer) => {
                self.shared.give_back(process);
                read(answer, modality).map_err(Verdict::Answer)
            }
            Err(end) => {
                let number = process.id();
                self.shared.forget(process);
                eprintln!(
                    "vw-engine: decoder {number} ended over {} of {} bytes: {end:?}",
                    modality.name(),
                    file.len()
                );
                Err(judge(end, modality, allowance))
            }
        }
    }
}

impl Prepare for Pool {
    fn prepare(&self, modality: Modality, tower: &Path, file: &[u8]) -> Result<Features, Failure> {
        self.prepare_while(modality, tower, file, &|| true)
    }

    /// A caller that hangs up leaves the line at once, and takes the decoder along that works for it alone.
    fn prepare_while(
        &self,
        modality: Modality,
        tower: &Path,
        file: &[u8],
        alive: &dyn Fn() -> bool,
    ) -> Result<Features, Failure> {
        let mut causes = Vec::new();
        while causes.len() < ATTEMPTS {
            match self.attempt(modality, tower, file, alive) {
                Ok(features) => return Ok(features),
                Err(Verdict::Answer(failure)) => return Err(failure),
                Err(Verdict::Again(cause)) => causes.push(cause),
            }
        }
        let message = format!("no decoder could finish this {}: {}", modality.name(), causes.join("; "));
        Err(Failure::internal(message).hint("Decoders are killed from outside, or the machine has no memory left."))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.wake.notify_all();
    }
}

/// Lay out a job's head.
fn job(modality: Modality, tower: &Path, file: &[u8], allowance: Allowance) -> Result<Vec<u8>, Failure> {
    if file.len() > MAX_FRAME {
        let message = format!("the {} file has {} bytes; at most {MAX_FRAME} are read", modality.name(), file.len());
        return Err(Failure::new(ErrorCode::BadInput, message).hint("Send a smaller file."));
    }
    let seconds = allowance.processor.as_secs() + 1;
    head(modality, allowance.memory, seconds, tower, file.len())
        .ok_or_else(|| Failure::pack(format!("{}: the path is too long", tower.display())))
}

/// Turn a decoder's answer into the caller's; what a panic said is for the log, not for the caller.
fn read(answer: Answer, modality: Modality) -> Result<Features, Failure> {
    match answer {
        Answer::Features(features) => Ok(features),
        Answer::Refusal(refusal) => Err(Failure { code: refusal.code, message: refusal.message, hint: refusal.hint }),
        Answer::Panic(cause) => {
            eprintln!("vw-engine: a decoder panicked: {cause}");
            Err(crashed(modality))
        }
    }
}

impl Shared {
    /// Take an idle decoder, or wait in the line for one. There are no idle ones while anybody waits.
    fn lease(self: &Arc<Self>, alive: &dyn Fn() -> bool) -> Result<Process, Failure> {
        let mut state = lock(&self.state);
        self.need_keeper(&mut state)?;
        while let Some((process, _)) = state.idle.pop_back() {
            if process.is_ready() {
                return Ok(process);
            }
            state.strike_out(&process);
        }
        let (sender, receiver) = sync_channel(1);
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        state.line.push_back((ticket, sender));
        self.call_for_more(&mut state);
        drop(state);
        loop {
            match receiver.recv_timeout(TICK) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) if alive() => {}
                Err(RecvTimeoutError::Timeout) => return Err(self.leave(ticket, &receiver)),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::internal("the decoders were closed")),
            }
        }
    }

    /// Leave the line; a decoder that was handed over at this very moment goes to the next one.
    fn leave(&self, ticket: u64, receiver: &Receiver<Result<Process, Failure>>) -> Failure {
        let mut state = lock(&self.state);
        state.line.retain(|(other, _)| *other != ticket);
        match receiver.try_recv() {
            Ok(Ok(process)) => state.place(process),
            Ok(Err(_)) | Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        hung_up()
    }

    /// Put a decoder back, unless it holds so much memory that a new one is better.
    fn give_back(&self, process: Process) {
        if process.resident() > self.limits.keep {
            return self.forget(process);
        }
        lock(&self.state).place(process);
        // The keeper has to learn when this one was idle for long.
        self.wake.notify_one();
    }

    /// End a decoder, and have another one started if somebody waits.
    fn forget(&self, process: Process) {
        let mut state = lock(&self.state);
        state.strike_out(&process);
        self.call_for_more(&mut state);
    }

    /// Have as many decoders started as callers wait, within the limit.
    fn call_for_more(&self, state: &mut State) {
        let room = self.limits.count().saturating_sub(state.living.len());
        state.wanted = state.wanted.max(state.line.len().min(room));
        self.wake.notify_one();
    }

    fn need_keeper(self: &Arc<Self>, state: &mut State) -> Result<(), Failure> {
        if !state.has_keeper {
            let own = Arc::clone(self);
            let thread = std::thread::Builder::new().name("decoders".to_owned()).spawn(move || own.keep());
            thread.map_err(|error| Failure::internal(format!("cannot start a thread: {error}")))?;
            state.has_keeper = true;
        }
        Ok(())
    }

    /// The keeper: start decoders that are wanted, end those that were idle for long.
    fn keep(&self) {
        let mut state = lock(&self.state);
        while !state.closed {
            if state.wanted > 0 {
                drop(state);
                let outcome = Process::start(&self.program, self.limits.memory);
                state = lock(&self.state);
                state.wanted = state.wanted.saturating_sub(1);
                self.settle(&mut state, outcome);
            } else if let Some(wait) = self.end_idle(&mut state) {
                state = self.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
            } else {
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        state.line.clear();
        state.idle.clear();
    }

    /// Place a decoder that was started, or tell who waited longest that it cannot be.
    fn settle(&self, state: &mut State, outcome: std::io::Result<Process>) {
        match outcome {
            Ok(process) => {
                state.living.push(process.id());
                state.place(process);
            }
            Err(error) => {
                let message = format!("cannot start a decoder: {error}");
                let failure = Failure::new(ErrorCode::Overloaded, message).hint("Try again later.");
                if let Some((_, caller)) = state.line.pop_front() {
                    let _ = caller.send(Err(failure));
                }
                // Those behind it are told by the next attempts.
                self.call_for_more(state);
            }
        }
    }

    /// End the decoders that were idle for long; tell when the next one will have been.
    fn end_idle(&self, state: &mut State) -> Option<Duration> {
        while let Some((_, since)) = state.idle.front() {
            let left = self.limits.idle.saturating_sub(since.elapsed());
            if !left.is_zero() {
                return Some(left);
            }
            if let Some((process, _)) = state.idle.pop_front() {
                state.strike_out(&process);
            }
        }
        None
    }
}

impl State {
    /// Forget a decoder that is about to be ended.
    fn strike_out(&mut self, process: &Process) {
        self.living.retain(|number| *number != process.id());
    }

    /// Hand a decoder to who waits longest, or keep it for who comes.
    fn place(&mut self, mut process: Process) {
        if self.closed {
            return;
        }
        while let Some((_, caller)) = self.line.pop_front() {
            match caller.send(Ok(process)) {
                Ok(()) => return,
                Err(error) => match error.0 {
                    Ok(back) => process = back,
                    Err(_) => return,
                },
            }
        }
        self.idle.push_back((process, Instant::now()));
    }
}
