//! The unix socket itself: taken without stealing it from a live engine, never open to other users.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How long an engine that is about to end, since its supervisor did, is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Listen on `path`, with mode 0600 from the first moment; a socket that nobody answers on is replaced.
pub fn claim(path: &Path) -> Result<UnixListener> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Two engines that start at once must not both find the socket stale; the lock ends with this function.
    let guard = File::open(folder).with_context(|| format!("cannot open the folder {}", folder.display()))?;
    guard.lock().with_context(|| format!("cannot lock the folder {}", folder.display()))?;
    let limit = Instant::now() + PATIENCE;
    while answers(path)? {
        if Instant::now() >= limit {
            bail!("an engine answers on {} already; stop it, or name another socket", path.display());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove the stale socket {}", path.display()));
        }
        _ => {}
    }
    // SAFETY: umask has no conditions and cannot fail; no other thread makes files while the socket is made.
    let mask = unsafe { libc::umask(0o177) };
    let listener = UnixListener::bind(path);
    // SAFETY: as above.
    unsafe { libc::umask(mask) };
    listener.with_context(|| format!("cannot listen on {}", path.display()))
}

/// Tell whether somebody listens on `path`; an error where there is something else than a socket.
fn answers(path: &Path) -> Result<bool> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", path.display())),
        Ok(found) if !found.file_type().is_socket() => bail!("{} exists and is not a socket", path.display()),
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => Ok(false),
        Err(error) => {
            Err(error).with_context(|| format!("cannot tell whether an engine answers on {}", path.display()))
        }
    }
}

/// Wait until there are bytes to read, or the end of them.
///
/// Linux wakes who waits inside of a read on a unix socket when the peer takes bytes out, too, which it does with every reply;
/// who waits in poll is woken for what it waits for only.
pub fn await_bytes(stream: &UnixStream) -> std::io::Result<()> {
    wait(stream, libc::POLLIN)
}

/// Wait until the peer has read most of what was written: three quarters of the socket's buffer are free, of 208 KiB unless
/// the system says otherwise.
pub fn await_room(stream: &UnixStream) -> std::io::Result<()> {
    wait(stream, libc::POLLOUT)
}

/// Wait for one of `events`, or the peer's end.
fn wait(stream: &UnixStream, events: libc::c_short) -> std::io::Result<()> {
    let mut wanted = libc::pollfd { fd: stream.as_raw_fd(), events, revents: 0 };
    loop {
        // SAFETY: `wanted` is one whole entry that lives through the call; its descriptor is open.
        let count = unsafe { libc::poll(&raw mut wanted, 1, -1) };
        let error = std::io::Error::last_os_error();
        if count >= 0 {
            return Ok(());
        }
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// Tell whether the peer closed its end; waiting bytes are left in place.
pub fn hung_up(stream: &UnixStream) -> bool {
    let mut byte = 0u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the buffer is one byte long and lives through the call; the descriptor is open.
    let count = unsafe { libc::recv(stream.as_raw_fd(), (&raw mut byte).cast(), 1, flags) };
    count == 0 || count < 0 && std::io::Error::last_os_error().kind() == ErrorKind::ConnectionReset
}

/// Whether the process at the other end runs as the user that we run as.
pub fn same_user(stream: &UnixStream) -> Result<bool> {
    let mut credentials = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    let place = (&raw mut credentials).cast();
    // SAFETY: `place` has room for the `length` bytes that SO_PEERCRED writes; the descriptor is open.
    let status =
        unsafe { libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, place, &mut length) };
    if status != 0 {
        return Err(std::io::Error::last_os_error()).context("cannot tell the peer's user");
    }
    // SAFETY: geteuid has no conditions and cannot fail.
    Ok(credentials.uid == unsafe { libc::geteuid() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// One test for both, since the mask of new files, which the socket is made under, holds for the whole process.
    #[test]
    fn only_a_stale_socket_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("engine.sock");
        let first = claim(&path).expect("nobody is there");
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let error = claim(&path).expect_err("somebody is there").to_string();
        assert!(error.contains("answers on") && error.contains("engine.sock"), "{error}");
        drop(first);
        claim(&path).expect("the first one ended and left its socket");
        let file = folder.path().join("notes.txt");
        std::fs::write(&file, "mine").expect("it can be written");
        assert!(claim(&file).expect_err("it is a file").to_string().contains("not a socket"));
        assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "mine");
    }

    #[test]
    fn hanging_up_is_noticed_and_waiting_bytes_stay() {
        let (mut near, far) = UnixStream::pair().expect("a pair can be made");
        assert!(same_user(&near).expect("it can be told"));
        assert!(!hung_up(&far));
        std::io::Write::write_all(&mut near, b"x").expect("it is open");
        assert!(!hung_up(&far));
        await_bytes(&far).expect("there is one");
        let mut byte = [0];
        std::io::Read::read_exact(&mut &far, &mut byte).expect("the byte is still there");
        drop(near);
        await_bytes(&far).expect("the end counts");
        assert!(hung_up(&far));
    }
}
