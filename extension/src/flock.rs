//! Locks on files of ours, by which one process knows of another: the kernel gives them back when a process is gone,
//! however it went, and no user of a database can take them.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Make a folder that is ours alone, and those above it.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Take the lock of a file, which is made where it is missing; `None` while another process has it.
pub fn take(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    Ok(lock(&file, libc::LOCK_EX)?.then_some(file))
}

/// Tell whether a process has the lock of a file.
pub fn is_taken(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| lock(&file, libc::LOCK_SH).is_ok_and(|free| !free))
}

/// Lock without waiting; false where another process is in the way.
fn lock(file: &File, kind: i32) -> io::Result<bool> {
    // SAFETY: the descriptor is open for the call.
    if unsafe { libc::flock(file.as_raw_fd(), kind | libc::LOCK_NB) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::WouldBlock { Ok(false) } else { Err(error) }
}
