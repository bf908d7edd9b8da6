//! One line about how far an import or export is: redrawn on a terminal, now and then in a log.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Pauses between two lines.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const IN_LOG: Duration = Duration::from_secs(10);

/// Counts, and when they were last shown.
pub struct Progress {
    total: u64,
    /// Done by an earlier run.
    before: u64,
    done: u64,
    failed: u64,
    began: Instant,
    shown: Option<Instant>,
    /// Whether the last line tells all there is to tell.
    current: bool,
    terminal: bool,
}

impl Progress {
    /// Begin at `before` of `total`.
    pub fn new(total: u64, before: u64) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        Progress { total, before, done: 0, failed: 0, began: Instant::now(), shown: None, current: false, terminal }
    }

    /// Count more, and show it if it is time to.
    pub fn add(&mut self, done: u64, failed: u64) {
        (self.done, self.failed) = (self.done + done, self.failed + failed);
        let pause = if self.terminal { ON_TERMINAL } else { IN_LOG };
        self.current = self.shown.is_none_or(|shown| shown.elapsed() >= pause);
        if self.current {
            self.shown = Some(Instant::now());
            self.show(if self.terminal { "\r\x1b[K" } else { "" }, if self.terminal { "" } else { "\n" });
        }
    }

    /// Show the last state on a line of its own.
    pub fn finish(&self) {
        if self.current && !self.terminal {
            return;
        }
        self.show(if self.terminal { "\r\x1b[K" } else { "" }, "\n");
    }

    /// Say something beside the line.
    pub fn say(&self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{}{text}", if self.terminal { "\r\x1b[K" } else { "" });
    }

    fn show(&self, before: &str, after: &str) {
        // Nobody is hurt by a progress line that cannot be written.
        let _ = write!(std::io::stderr(), "{before}{}{after}", self.line(self.began.elapsed()));
    }

    fn line(&self, elapsed: Duration) -> String {
        let rate = (self.done + self.failed) as f64 / elapsed.as_secs_f64().max(1e-3);
        let at = self.before + self.done;
        let share = (at + self.failed) as f64 * 100.0 / self.total.max(1) as f64;
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        format!("{at} of {} ({share:.0} %){failed}, {rate:.0} a second", self.total)
    }
}

#[cfg(test)]
mod tests {
    //! Guards the counts that a user decides by whether to run an import again.
    use super::*;

    #[test]
    fn the_line_says_what_is_done_and_what_failed() {
        let mut progress = Progress::new(200, 50);
        (progress.done, progress.failed) = (40, 10);
        assert_eq!(progress.line(Duration::from_secs(5)), "90 of 200 (50 %), 10 failed, 10 a second");
        assert_eq!(Progress::new(0, 0).line(Duration::ZERO), "0 of 0 (0 %), 0 a second");
    }
}
