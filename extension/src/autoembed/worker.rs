//! The worker of one database: it works on the queue until that is empty, and a little longer.

use super::marker::{self, Marker};
use crate::engine::supervisor;
use crate::pg::{background, latch};
use std::time::{Duration, Instant};

/// Whether there is anything to do for a worker: the extension may be missing, or of an older version.
const INSTALLED: &str = include_str!("sql/installed.sql");
/// One step of the work.
const STEP: &str = include_str!("sql/step.sql");

/// The pause between looks at a queue that is empty, or where nothing is due.
const LOOK: Duration = Duration::from_millis(250);
/// How long an empty queue is looked at. Shorter than DROP DATABASE waits for other sessions to end (5 s).
const LINGER: Duration = Duration::from_secs(2);
/// The longest pause where entries wait for their time.
const LONGEST: f64 = 1.0;
/// Attempts to take the lock, which whoever asks for us holds for a moment.
const TRIES: u32 = 5;

/// Start a worker for a database; false when the server has no free slot.
pub fn start(database: u32) -> bool {
    background::start("vw autoembed", "vw_autoembed_main", database)
}

/// Work until nothing is left.
pub fn run(database: u32) {
    background::connect(database);
    if background::transaction(INSTALLED).is_none() {
        marker::forget(database);
        return;
    }
    // The supervisor starts a worker again that is killed.
    let _ = supervisor::start();
    while let Some(marker) = claim(database) {
        work();
        if let Err(error) = marker.done() {
            pgrx::log!("vw: could not take the file of a worker away: {error}");
        }
        // Whoever changed a row while the lock was ours has left it to us.
        if background::transaction(STEP).is_none() {
            return;
        }
    }
}

/// Take the database's lock; `None` where another worker has it.
fn claim(database: u32) -> Option<Marker> {
    for _ in 0..TRIES {
        match Marker::take(database) {
            Ok(Some(marker)) => return Some(marker),
            Ok(None) => latch::sleep(LOOK / 5),
            Err(error) => {
                pgrx::log!("vw: could not lock the queue of database {database}: {error}");
                return None;
            }
        }
    }
    None
}

/// Work on the queue until it has been empty for a while.
fn work() {
    let mut idle_since = None;
    loop {
        background::follow_settings();
        match background::transaction(STEP) {
            Some(seconds) if seconds <= 0.0 => {
                idle_since = None;
                latch::check();
            }
            Some(seconds) => {
                idle_since = None;
                latch::sleep(Duration::from_secs_f64(seconds.min(LONGEST)));
            }
            None if idle_since.get_or_insert_with(Instant::now).elapsed() >= LINGER => return,
            None => latch::sleep(LOOK),
        }
    }
}
