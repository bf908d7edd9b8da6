//! The one background worker: it starts `vw-engine`, starts it again when it dies, is stopped or no longer answers, and
//! takes it along when it ends. It has a single thread and no database connection, so it also runs on a hot standby.
//! What a running engine is, and how it is seen to be ill, is in `process`.

use super::process::Engine;
use super::settings;
use crate::autoembed::sweep::Sweep;
use crate::flock;
use crate::pg::worker;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Our folder and files, relative to the data directory, which every server process works in.
const FOLDER: &str = "vw";
const LOCK: &str = "vw/supervisor.lock";

/// Pause between two looks at an engine that answers, and at one that does not yet.
pub const LOOK: Duration = Duration::from_millis(250);
const LOOK_EARLY: Duration = Duration::from_millis(50);
/// Deaths in a row of engines that never answered which are followed by an immediate restart.
const PATIENCE: u32 = 3;
/// Longest pause before a restart.
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// Describe the worker to the postmaster.
fn builder() -> BackgroundWorkerBuilder {
    BackgroundWorkerBuilder::new("vw supervisor")
        .set_library("vw")
        .set_function("vw_supervisor_main")
        .set_start_time(BgWorkerStartTime::ConsistentState)
        .set_restart_time(Some(Duration::from_secs(1)))
}

/// Register the worker that starts with the server; only while libraries are preloaded.
pub fn register() {
    builder().load();
}

/// Start a worker now, unless there is one; false when the server has no free worker slot.
pub fn start() -> bool {
    flock::is_taken(Path::new(LOCK)) || builder().load_dynamic().is_ok()
}

/// Watch the engine until told to stop; answers the worker's exit status.
pub fn run() -> i32 {
    let signals = SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM | SignalWakeFlags::SIGCHLD;
    BackgroundWorker::attach_signal_handlers(signals);
    match claim() {
        Ok(Some(lock)) => {
            watch();
            drop(lock);
            1
        }
        // Another supervisor is at work; this one is not needed again.
        Ok(None) => 0,
        Err(error) => {
            pgrx::log!("vw: could not prepare the folder of the engine: {error}");
            1
        }
    }
}

/// Make our folder and take the lock that only one supervisor can hold; `None` when it is taken.
fn claim() -> io::Result<Option<File>> {
    flock::make_folder(Path::new(FOLDER))?;
    flock::take(Path::new(LOCK))
}

/// Keep one engine running until SIGTERM or the end of the postmaster.
fn watch() {
    let mut engine: Option<Engine> = None;
    let mut early_deaths = 0u32;
    let mut not_before = Instant::now();
    let mut sweep = Sweep::default();
    loop {
        sweep.look();
        let launch = settings::launch();
        if engine.as_mut().is_some_and(|engine| engine.has_ended() || engine.is_ill()) {
            // Dropping it kills it, if it is ill.
            let came_up = engine.take().is_some_and(|engine| engine.came_up());
            early_deaths = if came_up { 0 } else { early_deaths.saturating_add(1) };
            not_before = Instant::now() + pause(early_deaths);
        }
        let due = not_before.saturating_duration_since(Instant::now());
        if engine.is_none() && due.is_zero() {
            match Engine::spawn(&launch) {
                Ok(started) => engine = Some(started),
                Err(error) => {
                    pgrx::log!("vw: could not start the engine: {error}");
                    not_before = Instant::now() + MAX_PAUSE;
                }
            }
        }
        let idle = match &engine {
            Some(engine) if engine.came_up() => LOOK,
            Some(_) => LOOK_EARLY,
            None => due.clamp(LOOK_EARLY, MAX_PAUSE),
        };
        if !BackgroundWorker::wait_latch(Some(idle)) {
            return;
        }
        // Reading the flag clears it; the wait itself already ended because of the signal.
        let _ = BackgroundWorker::sigchld_received();
        if BackgroundWorker::sighup_received() {
            worker::reload_settings();
            if settings::launch() != launch {
                engine = None;
            }
        }
    }
}

/// The time to wait after so many early deaths in a row.
fn pause(early_deaths: u32) -> Duration {
    let beyond = early_deaths.saturating_sub(PATIENCE);
    if beyond == 0 { Duration::ZERO } else { Duration::from_millis(50 << beyond.min(5)).min(MAX_PAUSE) }
}
