//! Whether an engine that does not listen yet is getting anywhere. Large packs take their time to be read, so time alone says
//! nothing; but whoever reads is seen to read, and who waits for something or goes round in circles is not.

use std::time::Duration;

/// What an engine did before it listened.
#[derive(Default)]
pub struct Progress {
    /// Bytes read and pages touched, when it was last looked at.
    done: Option<u64>,
    /// For how long they have not grown.
    idle: Duration,
}

impl Progress {
    /// Look at the process `passed` after the last look; gives for how long it has neither read anything nor touched new
    /// memory. One that cannot be looked at counts as busy.
    pub fn look(&mut self, pid: u32, passed: Duration) -> Duration {
        let done = done(pid);
        let idle = done.is_some() && done == self.done;
        (self.done, self.idle) = (done, if idle { self.idle + passed } else { Duration::ZERO });
        self.idle
    }
}

/// Bytes that a process has read by system calls, and pages that it has touched for the first time (proc(5)).
fn done(pid: u32) -> Option<u64> {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let read: u64 = io.lines().find_map(|line| line.strip_prefix("rchar: "))?.trim().parse().ok()?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything; minor and major faults are the eighth and tenth word after it.
    let words: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let faults = [7, 9].map(|at| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0));
    Some(faults.into_iter().fold(read, u64::saturating_add))
}
