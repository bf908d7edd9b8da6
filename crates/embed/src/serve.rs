//! The socket: one thread per connection reads a frame, waits for its tower and writes the reply.
//!
//! Only processes of the same user are answered. A caller that hangs up is noticed before each batch.

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use vw_protocol::{ErrorCode, Reply, Request, frame_length};

use crate::Failure;
use crate::engine::Engine;

/// Listen on `socket` until standard input ends, which is how the supervisor's death is noticed.
pub fn serve(engine: Arc<Engine>, socket: &Path) -> Result<()> {
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket).with_context(|| format!("cannot listen on {}", socket.display()))?;
    std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o600))?;
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    for stream in listener.incoming() {
        let (engine, stream) = (Arc::clone(&engine), stream?);
        std::thread::spawn(move || {
            if let Err(error) = converse(&engine, stream) {
                eprintln!("vw-engine: {error:#}");
            }
        });
    }
    Ok(())
}

/// Answer one connection's requests until it ends.
fn converse(engine: &Engine, mut stream: UnixStream) -> Result<()> {
    if peer(&stream)? != own_user() {
        bail!("refused a connection of another user");
    }
    let mut word = [0; 4];
    while stream.read_exact(&mut word).is_ok() {
        let mut body = Vec::new();
        let length = frame_length(word)?;
        body.try_reserve_exact(length)?;
        (&mut stream).take(length as u64).read_to_end(&mut body)?;
        let reply = match Request::decode(&body) {
            Ok(request) => engine.answer(&request, &|| !hung_up(&stream)),
            Err(error) => Reply::from(Failure::new(ErrorCode::BadInput, error.to_string())),
        };
        if hung_up(&stream) {
            return Ok(());
        }
        stream.write_all(&reply.encode())?;
    }
    Ok(())
}

/// Tell whether the peer closed its end; waiting bytes are left in place.
fn hung_up(stream: &UnixStream) -> bool {
    let mut byte = 0u8;
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the buffer is one byte long and lives through the call; the descriptor is open.
    let count = unsafe { libc::recv(stream.as_raw_fd(), (&raw mut byte).cast(), 1, flags) };
    count == 0
}

/// The user id of the process at the other end.
fn peer(stream: &UnixStream) -> Result<u32> {
    let mut credentials = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    let place = (&raw mut credentials).cast();
    // SAFETY: `place` has room for the `length` bytes that SO_PEERCRED writes; the descriptor is open.
    let status =
        unsafe { libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, place, &mut length) };
    if status != 0 {
        return Err(std::io::Error::last_os_error()).context("cannot tell the peer's user");
    }
    Ok(credentials.uid)
}

fn own_user() -> u32 {
    // SAFETY: geteuid has no conditions and cannot fail.
    unsafe { libc::geteuid() }
}
