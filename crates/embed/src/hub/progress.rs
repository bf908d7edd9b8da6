//! How far a pull is: one line that changes on a terminal, and one line for each file elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line on a terminal changes.
const BEAT: Duration = Duration::from_millis(200);

/// Bytes that are there, of those that will be.
pub struct Progress {
    terminal: bool,
    total: u64,
    /// Bytes of the files before this one.
    before: u64,
    /// Bytes of this one, which name is shown.
    now: u64,
    name: String,
    begun: Instant,
    /// Bytes that came in since the beginning, for the rate.
    received: u64,
    shown: Option<Instant>,
}

impl Progress {
    /// Show how far a pull of `total` bytes is.
    pub fn new(total: u64) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let (begun, name) = (Instant::now(), String::new());
        Progress { terminal, total, before: 0, now: 0, name, begun, received: 0, shown: None }
    }

    /// There is more to fetch than was known.
    pub fn more(&mut self, bytes: u64) {
        self.total += bytes;
    }

    /// The next file.
    pub fn begin(&mut self, name: &str) {
        self.before += self.now;
        self.now = 0;
        self.name = name.to_owned();
        if !self.terminal {
            eprintln!("vw-engine: {name}");
        }
    }

    /// So many bytes of this file were there before.
    pub fn had(&mut self, bytes: u64) {
        self.now = bytes;
        self.show();
    }

    /// So many bytes of this file are there now.
    pub fn at(&mut self, bytes: u64) {
        self.received += bytes.saturating_sub(self.now);
        self.now = bytes;
        self.show();
    }

    fn show(&mut self) {
        if self.terminal && self.shown.is_none_or(|shown| shown.elapsed() >= BEAT) {
            self.shown = Some(Instant::now());
            let _ = write!(std::io::stderr(), "\r\x1B[K{}", self.line(self.begun.elapsed()));
        }
    }

    /// Remove the line.
    pub fn end(&self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1B[K");
        }
    }

    fn line(&self, elapsed: Duration) -> String {
        let there = self.before + self.now;
        let percent = (there * 100).checked_div(self.total).unwrap_or(0).min(100);
        let rate = self.received as f64 / elapsed.as_secs_f64().max(0.001);
        let left = (self.total.saturating_sub(there) as f64 / rate.max(1.0)).ceil();
        let mib = |bytes: f64| bytes / (1 << 20) as f64;
        let clock = if self.received > 0 {
            format!(", {:.0}:{:02.0} left", (left / 60.0).floor(), left % 60.0)
        } else {
            String::new()
        };
        format!(
            "{percent:>3} % of {:.1} MiB, {:.1} MiB/s{clock}  {}",
            mib(self.total as f64),
            mib(rate),
            self.name.chars().rev().take(40).collect::<Vec<_>>().into_iter().rev().collect::<String>()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_part_rate_and_rest() {
        let mut progress = Progress { terminal: false, ..Progress::new(10 << 20) };
        assert!(progress.line(Duration::from_secs(1)).starts_with("  0 % of 10.0 MiB"));
        progress.begin("config.json");
        progress.at(2 << 20);
        progress.begin("onnx/model.onnx");
        progress.at(3 << 20);
        assert_eq!(progress.line(Duration::from_secs(5)), " 50 % of 10.0 MiB, 1.0 MiB/s, 0:05 left  onnx/model.onnx");
        let nothing = Progress { terminal: false, ..Progress::new(0) };
        assert!(nothing.line(Duration::ZERO).starts_with("  0 %"));
    }

    #[test]
    fn what_was_there_before_does_not_count_for_the_rate() {
        let mut progress = Progress { terminal: false, ..Progress::new(100 << 20) };
        progress.begin("onnx/model.onnx");
        progress.had(90 << 20);
        assert_eq!(progress.received, 0);
        progress.at(91 << 20);
        assert_eq!(progress.received, 1 << 20);
    }
}
