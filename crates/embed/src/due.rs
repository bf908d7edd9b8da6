//! The reply that is due to one request: written once, by whichever thread has it, and never left out.

use std::io::{Error, ErrorKind, Result, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use vw_protocol::{MAX_FRAME, Reply};

use crate::Failure;

/// Bytes of a frame, at most, that are written at once or not at all: a vector of any dimensions that there are.
const SMALL: usize = 96 << 10;

/// What is owed to a connection; dropped without a reply, it says so to the peer.
pub struct Due {
    stream: Arc<UnixStream>,
    paid: bool,
    /// Its end is what [`Answered`] waits for.
    _end: Sender<()>,
}

/// Tells the connection's thread when the reply was written.
pub struct Answered(Receiver<()>);

impl Due {
    /// A reply on `stream`.
    pub fn new(stream: &Arc<UnixStream>) -> (Due, Answered) {
        let (end, ended) = channel();
        (Due { stream: Arc::clone(stream), paid: false, _end: end }, Answered(ended))
    }

    /// Write the reply. Where that fails the connection is shut down, which its thread notices.
    pub fn answer(mut self, reply: &Reply) {
        self.pay(reply);
    }

    fn pay(&mut self, reply: &Reply) {
        self.paid = true;
        let mut frame = reply.encode();
        if frame.len() > MAX_FRAME {
            let message = format!("the reply has {} bytes; {MAX_FRAME} are allowed", frame.len());
            frame = Reply::from(Failure::internal(message)).encode();
        }
        // Many vectors are answered by their connection's own thread, which keeps nobody up.
        let many = frame.len() > SMALL;
        let written = if many { (&*self.stream).write_all(&frame) } else { send(&self.stream, &frame) };
        if written.is_err() {
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        if !self.paid {
            self.pay(&Reply::from(Failure::internal("the request got lost in the engine; its log says why")));
        }
    }
}

impl Answered {
    /// Wait until the reply was written.
    pub fn wait(self) {
        // Nothing is ever sent: the other end is dropped.
        let _ = self.0.recv();
    }
}

/// Write a whole frame at once or fail: a thread that runs batches, or has others to answer, waits for no peer. There is
/// room, since no request is read from a peer that leaves replies unread.
fn send(stream: &UnixStream, frame: &[u8]) -> Result<()> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    loop {
        // SAFETY: the bytes live through the call, and so does the descriptor, which `stream` owns.
        let count = unsafe { libc::send(stream.as_raw_fd(), frame.as_ptr().cast(), frame.len(), flags) };
        match usize::try_from(count) {
            Ok(count) if count == frame.len() => return Ok(()),
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(_) => {}
        }
        let error = Error::last_os_error();
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn pair() -> (UnixStream, Arc<UnixStream>) {
        let (near, far) = UnixStream::pair().expect("a pair can be made");
        (near, Arc::new(far))
    }

    fn reply(mut stream: &UnixStream) -> Reply {
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("there is a frame");
        let mut body = vec![0; vw_protocol::frame_length(length).expect("it is a length")];
        stream.read_exact(&mut body).expect("it is whole");
        Reply::decode(&body).expect("it is a reply")
    }

    #[test]
    fn whoever_has_the_reply_writes_it_and_a_lost_one_is_told() {
        let (near, far) = pair();
        let (due, answered) = Due::new(&far);
        due.answer(&Reply::Pong);
        answered.wait();
        let (due, answered) = Due::new(&far);
        std::thread::spawn(move || due.answer(&Reply::Pong));
        answered.wait();
        drop(Due::new(&far));
        assert!(matches!((reply(&near), reply(&near)), (Reply::Pong, Reply::Pong)));
        assert!(matches!(reply(&near), Reply::Error(refusal) if refusal.message.contains("lost")));
    }

    #[test]
    fn a_peer_that_reads_nothing_is_hung_up_on_and_keeps_no_thread() {
        let (mut near, far) = pair();
        let sent = (0..1_000_000).position(|_| {
            let (due, answered) = Due::new(&far);
            std::thread::scope(|scope| scope.spawn(move || due.answer(&Reply::Models(Vec::new()))).join())
                .expect("it ends");
            answered.wait();
            crate::socket::hung_up(&far)
        });
        assert!(sent.is_some(), "its buffer is full at some time");
        let mut read = Vec::new();
        near.read_to_end(&mut read).expect("there is an end");
    }
}
