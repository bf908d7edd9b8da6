//! A running `vw-engine`, as its parent sees it: ended, stopped, owing an answer, or not getting as far as listening. Who starts another one is
//! `supervisor`.
//!
//! Time counts against an engine only while it is watched: of a pause between two looks no more than [`LOOK`]. So a
//! supervisor that was itself stopped, frozen with its container, or not given a processor, finds nothing amiss on waking.

use super::progress::Progress;
use super::pulse::Pulse;
use super::settings::{self, Launch};
use super::supervisor::LOOK;
use crate::pg::install;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The engine's socket, relative to the data directory, which every server process works in.
pub const SOCKET: &str = "vw/engine.sock";

/// The engine goes first when memory runs out: it comes back by itself, a backend does not.
const OOM_SCORE: &str = "800";
/// How long an engine may be stopped, as by SIGSTOP. No load does that to a process, so this is no matter of patience.
const STOPPED: Duration = Duration::from_millis(500);

/// A running engine; dropping it kills it.
pub struct Engine {
    child: Child,
    pulse: Pulse,
    progress: Progress,
    looked: Instant,
    /// For how long it was seen to be stopped, if it is.
    stopped: Option<Duration>,
}

impl Engine {
    /// Start the program, with a pipe on its stdin whose end tells it that we are gone.
    pub fn spawn(launch: &Launch) -> io::Result<Engine> {
        let library = install::library_dir().join("vw");
        let program = library.join("vw-engine");
        let mut command = Command::new(&program);
        command.arg("serve").args(["--socket", SOCKET]);
        command.arg("--models").arg(install::share_dir().join("vw").join("models"));
        command.arg("--onnxruntime").arg(library.join("libonnxruntime.so"));
        if launch.threads > 0 {
            command.arg("--threads").arg(launch.threads.to_string());
        }
        if launch.memory > 0 {
            command.arg("--memory").arg(format!("{}MiB", launch.memory));
        }
        command.stdin(Stdio::piped());
        // SAFETY: between fork and exec only async-signal-safe system calls are made.
        unsafe { command.pre_exec(die_with_parent) };
        let child =
            command.spawn().map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        // A container may forbid this; the engine then competes on equal terms.
        let _ = std::fs::write(format!("/proc/{}/oom_score_adj", child.id()), OOM_SCORE);
        pgrx::log!("vw: engine started with process id {}", child.id());
        let (pulse, progress) = (Pulse::default(), Progress::default());
        Ok(Engine { child, pulse, progress, looked: Instant::now(), stopped: None })
    }

    /// Tell whether the engine died, and say so in the server log.
    pub fn has_ended(&mut self) -> bool {
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

    /// Tell whether the engine was ever ready.
    pub fn came_up(&self) -> bool {
        self.pulse.came_up()
    }

    /// Tell whether the engine has been stopped, has owed an answer or has got nowhere before it listened, each for too
    /// long, and say so in the server log.
    pub fn is_ill(&mut self) -> bool {
        let passed = self.looked.elapsed().min(LOOK);
        self.looked = Instant::now();
        self.stopped = self.is_stopped().then(|| self.stopped.map_or(Duration::ZERO, |before| before + passed));
        let owed = self.pulse.beat(Path::new(SOCKET), passed);
        let pid = self.child.id();
        let idle = if self.pulse.listens() { Duration::ZERO } else { self.progress.look(pid, passed) };
        let Some(limit) = settings::hang_timeout() else { return false };
        if self.stopped.is_some_and(|time| time >= STOPPED.min(limit)) {
            pgrx::log!("vw: engine with process id {pid} is stopped and is killed");
        } else if owed >= limit {
            pgrx::log!("vw: engine with process id {pid} did not answer for {} s and is killed", limit.as_secs_f64());
        } else if idle >= limit {
            let seconds = limit.as_secs_f64();
            pgrx::log!("vw: engine with process id {pid} did nothing for {seconds} s before it listened and is killed");
        } else {
            return false;
        }
        true
    }

    /// Whether the process is stopped at this moment. One that a debugger holds is not: only its tracer is told.
    fn is_stopped(&self) -> bool {
        // SAFETY: all zeros are a valid siginfo_t.
        let mut found: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let flags = libc::WSTOPPED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: `found` has room for what the call writes; the child is left as it is, to be waited for later.
        let status = unsafe { libc::waitid(libc::P_PID, self.child.id(), &mut found, flags) };
        // SAFETY: waitid filled the fields of a child's change of state, or left zeros.
        status == 0 && unsafe { found.si_pid() } != 0
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
