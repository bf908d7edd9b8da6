//! What the supervisor does for the workers: it starts them again when they were killed, and looks once at each database
//! when the server has started, since a queue may have been left by a crash, a shutdown or another server.

use super::{marker, worker};
use crate::pg::background;
use std::path::Path;
use std::time::{Duration, Instant};

/// The pause between looks for workers that were killed.
const PAUSE: Duration = Duration::from_secs(2);

/// What is left to be done.
#[derive(Default)]
pub struct Sweep {
    /// Databases that nobody has looked at since the server started; `None` before it takes changes.
    unseen: Option<Vec<u32>>,
    looked: Option<Instant>,
}

impl Sweep {
    /// Do what is due; at most one worker is started for a look at its database.
    pub fn look(&mut self) {
        if self.looked.is_some_and(|at| at.elapsed() < PAUSE) || background::is_standby() {
            return;
        }
        let unseen = self.unseen.get_or_insert_with(databases);
        match unseen.last() {
            Some(database) if marker::has_worker(*database) || worker::start(*database) => drop(unseen.pop()),
            // No slot is free; later, then.
            Some(_) => self.looked = Some(Instant::now()),
            None => {
                self.looked = Some(Instant::now());
                start_again();
            }
        }
    }
}

/// Start the workers that were killed, but those of databases that were dropped.
fn start_again() {
    let orphans = marker::orphans();
    if orphans.is_empty() {
        return;
    }
    let databases = databases();
    for database in orphans {
        if !databases.contains(&database) {
            marker::forget(database);
        } else if !worker::start(database) {
            return;
        }
    }
}

/// The databases, by the folders that the server keeps them in. (Their table can be read from within one only.)
fn databases() -> Vec<u32> {
    let mut found = numbers(Path::new("base"));
    let spaces = std::fs::read_dir("pg_tblspc").into_iter().flatten().flatten();
    for version in spaces.flat_map(|space| std::fs::read_dir(space.path()).into_iter().flatten().flatten()) {
        found.extend(numbers(&version.path()));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The entries of a folder whose names are numbers.
fn numbers(folder: &Path) -> Vec<u32> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}
