//! Whether the engine still answers: a ping over a connection of the supervisor's own, which never waits.
//!
//! The engine answers each connection on a thread of its own, so that one which is busy answers at once. One that does
//! not is stopped, deadlocked or out of memory to the point where nothing runs.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::connection::Connection;
use vw_protocol::Request;

/// Pause between an answer and the next ping.
const PAUSE: Duration = Duration::from_secs(1);

/// The pings to one engine.
#[derive(Default)]
pub struct Pulse {
    line: Option<Line>,
    /// For how long an answer is owed, if one is.
    owed: Option<Duration>,
    /// When the last answer came.
    answered: Option<Instant>,
}

/// A connection, and whether a ping is under way on it.
struct Line {
    stream: UnixStream,
    pinged: bool,
}

impl Pulse {
    /// Tell whether the engine ever answered.
    pub fn came_up(&self) -> bool {
        self.answered.is_some()
    }

    /// Tell whether the engine was ever seen to listen.
    pub fn listens(&self) -> bool {
        self.line.is_some() || self.owed.is_some() || self.came_up()
    }

    /// Look for an answer `passed` after the last look, and ping again when it is time; gives for how long the engine
    /// owes an answer.
    ///
    /// An engine that does not listen yet owes none: reading large packs takes its time, which `progress` looks after.
    pub fn beat(&mut self, socket: &Path, passed: Duration) -> Duration {
        self.owed = self.owed.map(|owed| owed + passed);
        let kept = self.line.take();
        let line = kept.or_else(|| Some(Line { stream: Connection::open(socket).ok()?.into_stream(), pinged: false }));
        self.line = line.and_then(|line| self.talk(line));
        self.owed.unwrap_or_default()
    }

    /// Read and write what can be at once; gives the line back unless it is broken. A new line does not make an engine
    /// well, so what is owed stays owed.
    fn talk(&mut self, mut line: Line) -> Option<Line> {
        let (count, open) = read_all(&mut line.stream);
        if count > 0 {
            (self.owed, self.answered, line.pinged) = (None, Some(Instant::now()), false);
        }
        if !open {
            return None;
        }
        let time = self.owed.is_some() || self.answered.is_none_or(|at| at.elapsed() >= PAUSE);
        if time && !line.pinged {
            line.stream.write_all(&Request::Ping.encode()).ok()?;
            line.pinged = true;
            self.owed.get_or_insert(Duration::ZERO);
        }
        Some(line)
    }
}

/// Read what has come without waiting for more: how many bytes, any of which are an answer, and whether the line is open.
fn read_all(stream: &mut UnixStream) -> (usize, bool) {
    let mut bytes = [0; 256];
    let mut total = 0;
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return (total, false),
            Ok(count) => total += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return (total, true),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return (total, false),
        }
    }
}
