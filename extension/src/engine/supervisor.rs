//! The one background worker: it starts `vw-engine`, starts it again when it dies or no longer answers, and takes it
//! along when it ends. It has a single thread and no database connection, so it also runs on a hot standby.

use super::pulse::Pulse;
use super::settings::{self, Launch};
use crate::autoembed::sweep::Sweep;
use crate::flock;
use crate::pg::{install, worker};
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Our folder and files, relative to the data directory, which every server process works in.
const FOLDER: &str = "vw";
const LOCK: &str = "vw/supervisor.lock";
/// The engine's socket.
pub const SOCKET: &str = "vw/engine.sock";

/// Pause between two looks at an engine that answers, and at one that does not yet.
const LOOK: Duration = Duration::from_millis(500);
const LOOK_EARLY: Duration = Duration::from_millis(50);
/// Deaths in a row of engines that never answered which are followed by an immediate restart.
const PATIENCE: u32 = 3;
/// Longest pause before a restart.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// The engine goes first when memory runs out: it comes back by itself, a backend does not.
const OOM_SCORE: &str = "800";

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
        if engine.as_mut().is_some_and(|engine| engine.has_ended() || engine.hangs()) {
            // Dropping it kills it, if it hangs.
            let came_up = engine.take().is_some_and(|engine| engine.pulse.came_up());
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
            Some(engine) if engine.pulse.came_up() => LOOK,
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

/// A running engine; dropping it kills it.
struct Engine {
    child: Child,
    pulse: Pulse,
}

impl Engine {
    /// Start the program, with a pipe on its stdin whose end tells it that we are gone.
    fn spawn(launch: &Launch) -> io::Result<Engine> {
        let library = install::library_dir().join("vw");
        let program = library.join("vw-engine");
        let mut command = Command::new(&program);
        command.arg("serve").args(["--socket", SOCKET]);
        command.arg("--models").arg(install::share_dir().join("vw").join("models"));
        command.arg("--onnxruntime").arg(library.join("libonnxruntime.so"));
        if launch.threads > 0 {
            command.arg("--threads").arg(launch.threads.to_string());
        }
        command.stdin(Stdio::piped());
        // SAFETY: between fork and exec only async-signal-safe system calls are made.
        unsafe { command.pre_exec(die_with_parent) };
        let child =
            command.spawn().map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        // A container may forbid this; the engine then competes on equal terms.
        let _ = std::fs::write(format!("/proc/{}/oom_score_adj", child.id()), OOM_SCORE);
        pgrx::log!("vw: engine started with process id {}", child.id());
        Ok(Engine { child, pulse: Pulse::default() })
    }

    /// Tell whether the engine died, and say so in the server log.
    fn has_ended(&mut self) -> bool {
        match self.child.try_wait() {
            Ok(None) => false,
            Ok(Some(status)) => {
                pgrx::log!("vw: engine with process id {} ended: {status}", self.child.id());
                true
            }
            Err(error) => {
                pgrx::log!("vw: lost sight of the engine: {error}");
                true
            }
        }
    }

    /// Tell whether the engine has owed an answer for too long, and say so in the server log.
    fn hangs(&mut self) -> bool {
        let owed = self.pulse.beat(Path::new(SOCKET));
        let Some(limit) = settings::hang_timeout().filter(|limit| owed >= *limit) else { return false };
        let (pid, limit) = (self.child.id(), limit.as_secs_f64());
        pgrx::log!("vw: engine with process id {pid} did not answer for {limit} s and is killed");
        true
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ask the kernel to kill this process when the supervisor dies; runs in the forked child.
fn die_with_parent() -> io::Result<()> {
    // SAFETY: a plain system call without pointers.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
