//! One non-blocking connection to an engine. Dropping it hangs up, which cancels the request at the other end.

use crate::pg::error::Fault;
use crate::pg::latch::{Readable, check, wait_to_write};
use std::io::{self, Read, Write};
use std::mem::{offset_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Bytes read at once; interrupts are served in between.
const CHUNK: usize = 256 * 1024;

/// Why an exchange failed.
pub enum Failure {
    /// The engine hung up or could not be reached; asking again may help.
    Broken(io::Error),
    /// It will not get better by asking again.
    Fatal(Fault),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Broken(error)
    }
}

/// An open connection, idle between exchanges.
pub struct Connection {
    /// Made for the first wait; dropped before the stream.
    readable: Option<Readable>,
    stream: UnixStream,
    path: PathBuf,
}

impl Connection {
    /// Connect without ever blocking; a full queue at the other end is `WouldBlock`.
    pub fn open(path: &Path) -> io::Result<Connection> {
        // SAFETY: all-zero bytes are a valid socket address of this kind.
        let mut address: libc::sockaddr_un = unsafe { zeroed() };
        address.sun_family = libc::AF_UNIX as libc::sa_family_t;
        let name = path.as_os_str().as_bytes();
        if name.len() >= address.sun_path.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path of the socket is too long"));
        }
        for (target, byte) in address.sun_path.iter_mut().zip(name) {
            *target = *byte as libc::c_char;
        }
        let length = offset_of!(libc::sockaddr_un, sun_path) + name.len() + 1;
        // SAFETY: a plain system call; its result is checked below.
        let socket =
            unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0) };
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and nobody else's; from here on it is closed when dropped.
        let stream = unsafe { UnixStream::from_raw_fd(socket) };
        // SAFETY: the address is initialised, terminated, and at least `length` bytes long.
        let done = unsafe { libc::connect(socket, (&raw const address).cast(), length as libc::socklen_t) };
        if done == 0 {
            Ok(Connection { readable: None, stream, path: path.into() })
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// The bare stream, which never blocks.
    pub fn into_stream(self) -> UnixStream {
        self.stream
    }

    /// The socket this connection was made to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Send one frame and wait for the reply, given without its length. Cancellable at every point.
    pub fn exchange(&mut self, frame: &[u8]) -> Result<Vec<u8>, Failure> {
        self.send(frame)?;
        // No engine has answered yet.
        self.wait_to_read();
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let length = vw_protocol::frame_length(length)
            .map_err(|error| Failure::Fatal(Fault::internal(format!("malformed reply of the engine: {error}"))))?;
        let mut body = Vec::new();
        body.try_reserve_exact(length).map_err(|_| Failure::Fatal(Fault::out_of_memory()))?;
        body.resize(length, 0);
        for chunk in body.chunks_mut(CHUNK) {
            self.fill(chunk)?;
        }
        Ok(body)
    }

    fn send(&mut self, mut rest: &[u8]) -> io::Result<()> {
        while !rest.is_empty() {
            match self.stream.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_to_write(self.stream.as_raw_fd()),
                Err(error) => again(error)?,
            }
            check();
        }
        Ok(())
    }

    fn fill(&mut self, mut rest: &mut [u8]) -> io::Result<()> {
        while !rest.is_empty() {
            match self.stream.read(rest) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => rest = rest.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_to_read(),
                Err(error) => again(error)?,
            }
            check();
        }
        Ok(())
    }

    /// Wait until the engine may have sent something.
    fn wait_to_read(&mut self) {
        let socket = self.stream.as_raw_fd();
        self.readable.get_or_insert_with(|| Readable::new(socket)).wait();
    }
}

/// Pass an error on, unless it says to try again.
fn again(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) }
}
