//! Long-running children: how they are ended, and what they said last.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How many lines of a log are shown.
const TAIL: usize = 15;

/// Send `signal` and wait up to `patience`; true when the child has ended.
pub fn end(child: &mut Child, signal: Signal, patience: Duration) -> Result<bool> {
    if child.try_wait()?.is_some() {
        return Ok(true);
    }
    // A child that ended a moment ago cannot be signalled, which the next look at it tells.
    let _ = kill(Pid::from_raw(i32::try_from(child.id())?), signal);
    let begun = Instant::now();
    while begun.elapsed() < patience {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(false)
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_child_is_ended() {
        let mut child = Command::new("sleep").arg("100").spawn().expect("sleep starts");
        assert!(end(&mut child, Signal::SIGTERM, Duration::from_secs(20)).expect("it can be signalled"));
        assert!(end(&mut child, Signal::SIGTERM, Duration::ZERO).expect("it has ended"));
    }
}
