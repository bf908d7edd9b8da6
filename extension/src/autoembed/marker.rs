//! One file a database, locked by its worker for as long as that lives: it keeps workers from being two, and a file that
//! nobody holds is that of a worker which did not come to its end.

use crate::flock;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Relative to the data directory, which every server process works in.
const FOLDER: &str = "vw/autoembed";

/// The lock of a database's worker.
pub struct Marker {
    path: PathBuf,
    file: File,
}

fn path_of(database: u32) -> PathBuf {
    Path::new(FOLDER).join(database.to_string())
}

impl Marker {
    /// Take the lock; `None` while another process has it.
    pub fn take(database: u32) -> io::Result<Option<Marker>> {
        flock::make_folder(Path::new(FOLDER))?;
        let path = path_of(database);
        Ok(flock::take(&path)?.map(|file| Marker { path, file }))
    }

    /// Take the file away and give the lock back, as there is nothing left to do.
    pub fn done(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)?;
        drop(self.file);
        Ok(())
    }
}

/// Tell whether a worker of the database is alive. One that is will look at the queue once more before it ends.
pub fn has_worker(database: u32) -> bool {
    flock::is_taken(&path_of(database))
}

/// The databases whose workers did not come to their end.
pub fn orphans() -> Vec<u32> {
    let entries = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let databases = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    databases.filter(|database| !has_worker(*database)).collect()
}

/// Forget the worker of a database that has no work for it.
pub fn forget(database: u32) {
    // It may be gone already; where it cannot be taken away, that is tried again.
    let _ = std::fs::remove_file(path_of(database));
}
