//! One decoder process, as the engine sees it: it is handed a job and watched until it answers or its time is over.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::sandbox::frame::{Answer, MAX_ANSWER};
use crate::sandbox::limits::Allowance;

/// How often a job is looked at.
const TICK: Duration = Duration::from_millis(25);

/// A decoder that waits for a job; dropping it kills it.
pub struct Process {
    child: Child,
    jobs: ChildStdin,
    answers: ChildStdout,
}

/// Why a decoder gave no answer. Whatever it was, the process is of no more use.
#[derive(Debug)]
pub enum End {
    /// The job's time, which this is, is over.
    Late(Duration),
    /// So much time went by on the wall, and the process spent little of it on a processor.
    Starved(Duration),
    /// The caller does not wait any longer.
    HungUp,
    /// The process ended by itself, by a signal, or by a fence.
    Died(ExitStatus),
    /// Somebody stopped the process, as SIGSTOP does.
    Stopped,
    /// What it wrote is not an answer.
    Garbled,
    /// The system refused what watching it takes.
    Lost(std::io::Error),
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> End {
        End::Lost(error)
    }
}

impl Process {
    /// Start the command `decoder` of `program`, which may take `memory` bytes.
    ///
    /// The process ends with the thread that called this. It inherits no variable, and no descriptor but its pipes.
    pub fn start(program: &Path, memory: u64) -> std::io::Result<Process> {
        let mut command = Command::new(program);
        command.arg0("vw-engine").arg("decoder").arg("--memory").arg(memory.to_string());
        // With one arena, and large blocks mapped each by itself, what a job used goes back to the system after it.
        command.env_clear().env("MALLOC_ARENA_MAX", "1").env("MALLOC_MMAP_THRESHOLD_", "262144");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (jobs, answers) = pipes.ok_or_else(|| std::io::Error::other("a decoder has no pipes"))?;
        let process = Process { child, jobs, answers };
        do_not_block(process.jobs.as_raw_fd())?;
        do_not_block(process.answers.as_raw_fd())?;
        Ok(process)
    }

    /// Have a job done: its head, then its file. After an error the process must be dropped.
    pub fn exchange(
        &mut self,
        head: &[u8],
        file: &[u8],
        allowance: Allowance,
        alive: &dyn Fn() -> bool,
    ) -> Result<Answer, End> {
        let begun = self.processor_time()?;
        let watch = Watch { begun: (Instant::now(), begun), allowance, alive };
        for mut unsent in [head, file] {
            while !unsent.is_empty() {
                self.wait(self.jobs.as_raw_fd(), libc::POLLOUT, &watch)?;
                match self.jobs.write(unsent) {
                    Ok(count) => unsent = unsent.get(count..).unwrap_or_default(),
                    Err(error) if passes(&error) => {}
                    Err(_) => return Err(self.end()),
                }
            }
        }
        let mut word = [0; 4];
        self.read(&mut word, &watch)?;
        let length = u32::from_le_bytes(word) as usize;
        let mut body = Vec::new();
        if length > MAX_ANSWER || body.try_reserve_exact(length).is_err() {
            return Err(End::Garbled);
        }
        body.resize(length, 0);
        self.read(&mut body, &watch)?;
        Answer::decode(&body).ok_or(End::Garbled)
    }

    /// Fill `place` with what the process writes.
    fn read(&mut self, place: &mut [u8], watch: &Watch) -> Result<(), End> {
        let mut filled = 0;
        while let Some(rest) = place.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            self.wait(self.answers.as_raw_fd(), libc::POLLIN, watch)?;
            match self.answers.read(rest) {
                Ok(0) => return Err(self.end()),
                Ok(count) => filled += count,
                Err(error) if passes(&error) => {}
                Err(_) => return Err(self.end()),
            }
        }
        Ok(())
    }

    /// Wait until `pipe` can be read or written without blocking, for as long as the job may go on.
    fn wait(&self, pipe: RawFd, event: libc::c_short, watch: &Watch) -> Result<(), End> {
        loop {
            let mut polled = libc::pollfd { fd: pipe, events: event, revents: 0 };
            let tick = TICK.as_millis() as libc::c_int;
            // SAFETY: one entry is passed, which lives through the call.
            let ready = unsafe { libc::poll(&mut polled, 1, tick) };
            let (wall, allowance) = (watch.begun.0.elapsed(), watch.allowance);
            if ready > 0 && wall < allowance.wall {
                return Ok(());
            }
            let processor = self.processor_time()?.saturating_sub(watch.begun.1);
            if processor >= allowance.processor {
                return Err(End::Late(allowance.processor));
            }
            if wall >= allowance.wall {
                let starved = processor < allowance.processor / 2;
                return Err(if starved { End::Starved(allowance.wall) } else { End::Late(allowance.wall) });
            }
            if self.changed(libc::WSTOPPED) {
                return Err(End::Stopped);
            }
            if !(watch.alive)() {
                return Err(End::HungUp);
            }
        }
    }

    /// Whether the process can be given a job: it neither ended nor was stopped.
    pub fn is_ready(&self) -> bool {
        !self.changed(libc::WEXITED | libc::WSTOPPED)
    }

    /// The time that the process spent on a processor so far.
    fn processor_time(&self) -> std::io::Result<Duration> {
        let mut clock = 0;
        // SAFETY: `clock` has room for what the call writes; the process was not waited for, so its id is still its own.
        let status = unsafe { libc::clock_getcpuclockid(self.child.id() as libc::pid_t, &mut clock) };
        if status != 0 {
            return Err(std::io::Error::from_raw_os_error(status));
        }
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `time` has room for what the call writes.
        if unsafe { libc::clock_gettime(clock, &mut time) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32))
    }

    /// Whether one of the `states` came about; nobody but us waits for the process.
    fn changed(&self, states: libc::c_int) -> bool {
        // SAFETY: all zeros are a valid siginfo_t.
        let mut found: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let flags = states | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: `found` has room for what the call writes; the child is left as it is.
        let status = unsafe { libc::waitid(libc::P_PID, self.child.id(), &mut found, flags) };
        // SAFETY: waitid filled the fields of a child's change of state, or left zeros.
        status == 0 && unsafe { found.si_pid() } != 0
    }

    /// Learn how the process ended, after it closed a pipe.
    fn end(&mut self) -> End {
        // One that is ending already keeps its own status; one that only closed the pipe must not be waited for.
        let _ = self.child.kill();
        self.child.wait().map_or_else(End::Lost, End::Died)
    }

    /// Bytes of memory that the process holds now.
    pub fn resident(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap_or_default();
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        // SAFETY: sysconf has no conditions.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        pages.unwrap_or(u64::MAX).saturating_mul(u64::try_from(page).unwrap_or(4096))
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// When a job must be over.
struct Watch<'a> {
    /// On the wall, and on the process's own clock.
    begun: (Instant, Duration),
    allowance: Allowance,
    alive: &'a dyn Fn() -> bool,
}

/// Whether a pipe is to be tried again.
fn passes(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn do_not_block(pipe: RawFd) -> std::io::Result<()> {
    // SAFETY: the descriptor is open; F_GETFL takes no argument.
    let flags = unsafe { libc::fcntl(pipe, libc::F_GETFL) };
    // SAFETY: the descriptor is open; F_SETFL takes flags.
    if flags < 0 || unsafe { libc::fcntl(pipe, libc::F_SETFL, flags | libc::O_NONBLOCK) } < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok(())
}
