//! The folder of packs: what is being fetched lies in `.pull`, out of the engine's sight, and goes to its place whole.
//!
//! ```text
//! MODELS/NAME              the pack in place
//! MODELS/.pull/NAME.lock   held by the one pull of that name
//! MODELS/.pull/NAME/from   which repository and commit is being fetched
//! MODELS/.pull/NAME/parts  files of which some is there, by their paths
//! MODELS/.pull/NAME/whole  files that are there and were held to their hashes
//! MODELS/.pull/NAME/old    what was in place before
//! ```

use std::ffi::CString;
use std::fs::{File, TryLockError, create_dir_all, remove_dir_all, rename};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::listing::{Listing, is_plain};
use super::record::{FILE, Record};

/// A pull's place on disk, which no other pull uses meanwhile.
pub struct Stage {
    target: PathBuf,
    folder: PathBuf,
    whole: PathBuf,
    _lock: File,
}

impl Stage {
    /// Take the stage for the pack `name` of the folder `models`; waits while another pull has it.
    pub fn open(models: &Path, name: &str) -> Result<Stage> {
        let hidden = models.join(".pull");
        create_dir_all(&hidden).with_context(|| format!("cannot make {}", hidden.display()))?;
        let path = hidden.join(format!("{name}.lock"));
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.with_context(|| format!("cannot make {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("vw-engine: another pull of {name} is at work; waiting for it");
                lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let folder = hidden.join(name);
        Ok(Stage { target: models.join(name), whole: folder.join("whole"), folder, _lock: lock })
    }

    /// Where the pack will be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The folder of the files that are there.
    pub fn whole(&self) -> &Path {
        &self.whole
    }

    /// What the pack in place was pulled from; an error where it was not pulled, and must not be replaced.
    pub fn placed(&self) -> Result<Option<Record>> {
        if !self.target.try_exists()? {
            return Ok(None);
        }
        match std::fs::read(self.target.join(FILE)) {
            Ok(text) => Record::read(&text).with_context(|| self.target.join(FILE).display().to_string()).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("{} is there and was not pulled; say --name for another folder", self.target.display())
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.target.join(FILE).display())),
        }
    }

    /// Keep what an interrupted pull of the same commit left, and nothing else.
    pub fn begin(&self, listing: &Listing) -> Result<()> {
        let from = format!("{} {}\n", listing.id, listing.commit);
        let path = self.folder.join("from");
        if std::fs::read_to_string(&path).ok().as_deref() != Some(from.as_str()) {
            remove(&self.folder)?;
        }
        for folder in [&self.whole, &self.folder.join("parts")] {
            create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        std::fs::write(&path, from).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Where a part of a file is written.
    pub fn part(&self, path: &str) -> Result<PathBuf> {
        below(&self.folder.join("parts"), path)
    }

    /// Where a file lies that is there.
    pub fn file(&self, path: &str) -> Result<PathBuf> {
        below(&self.whole, path)
    }

    /// Put everything into place at once.
    pub fn finish(&self, record: &Record) -> Result<()> {
        record.write(&self.whole.join(FILE))?;
        self.tidy(record)?;
        let into = || format!("cannot put the pack into place as {}", self.target.display());
        if self.target.try_exists()? {
            let old = self.folder.join("old");
            remove(&old)?;
            exchange(&self.whole, &self.target, &old).with_context(into)?;
        } else {
            rename(&self.whole, &self.target).with_context(into)?;
        }
        remove(&self.folder)
    }

    /// Remove files that an earlier choice of the same commit left.
    fn tidy(&self, record: &Record) -> Result<()> {
        let mut folders = vec![self.whole.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let path = entry?.path();
                let name = path.strip_prefix(&self.whole).unwrap_or(&path).to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if name != FILE && !record.files.contains_key(&name) {
                    std::fs::remove_file(&path)?;
                }
            }
        }
        Ok(())
    }
}

/// Join a path of the listing, and make its folder.
fn below(folder: &Path, path: &str) -> Result<PathBuf> {
    if !is_plain(path) {
        bail!("\"{}\" leaves the pack", path.escape_debug());
    }
    let whole = folder.join(path);
    if let Some(parent) = whole.parent() {
        create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    Ok(whole)
}

/// Remove a folder that need not be there.
fn remove(folder: &Path) -> Result<()> {
    match remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Replace the folder `there` by `new`; in one step where the file system can, else in two over `old`.
fn exchange(new: &Path, there: &Path, old: &Path) -> Result<()> {
    let name = |path: &Path| CString::new(path.as_os_str().as_bytes());
    let (from, to) = (name(new)?, name(there)?);
    // SAFETY: both are strings that end with a zero and live through the call.
    let status =
        unsafe { libc::renameat2(libc::AT_FDCWD, from.as_ptr(), libc::AT_FDCWD, to.as_ptr(), libc::RENAME_EXCHANGE) };
    if status == 0 {
        return Ok(rename(new, old)?);
    }
    rename(there, old)?;
    Ok(rename(new, there)?)
}
