//! The service: one thread per connection reads a frame, has the engine answer it and writes the reply.
//!
//! Only processes of the same user are answered. Nothing that one connection does ends the service.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use vw_protocol::{ErrorCode, ProtocolError, Reply, Request, frame_length};

use crate::Alive;
use crate::Failure;
use crate::due::{Answered, Due};
use crate::engine::Engine;
use crate::socket::{await_bytes, await_room, claim, hung_up, same_user};

/// Connections at the most, each with a thread; also what bounds the requests that wait.
const MAX_CONNECTIONS: usize = 1024;

/// Pause after a failed accept, which most often means that descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listen on `socket` until standard input ends, which is how the supervisor's death is noticed.
pub fn serve(engine: Arc<Engine>, socket: &Path) -> Result<()> {
    let listener = claim(socket)?;
    engine.broken().for_each(|failure| eprintln!("vw-engine: a pack is left out: {}", failure.told()));
    std::thread::Builder::new().name("supervisor".to_owned()).spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        // An ordinary exit would take the libraries for CUDA down under the towers that are at work.
        // SAFETY: _exit has no conditions; nothing of this process is run any more, and nothing waits to be written.
        unsafe { libc::_exit(0) }
    })?;
    accept(&engine, &listener)
}

/// Answer every connection that comes; does not return.
pub fn accept(engine: &Arc<Engine>, listener: &UnixListener) -> Result<()> {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                eprintln!("vw-engine: cannot accept a connection: {error}");
                std::thread::sleep(ACCEPT_PAUSE);
                continue;
            }
        };
        let Some(seat) = Seat::take(&open, MAX_CONNECTIONS) else {
            refuse(&stream, format!("{MAX_CONNECTIONS} connections to the embedding engine are open already"));
            continue;
        };
        let engine = Arc::clone(engine);
        let thread = std::thread::Builder::new().name("connection".to_owned()).spawn(move || {
            let _seat = seat;
            if let Err(error) = converse(&engine, stream) {
                eprintln!("vw-engine: {error:#}");
            }
        });
        if let Err(error) = thread {
            eprintln!("vw-engine: cannot start a connection's thread: {error}");
            std::thread::sleep(ACCEPT_PAUSE);
        }
    }
}

/// One of a limited number of connections; given back on drop.
struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(open: &Arc<AtomicUsize>, limit: usize) -> Option<Seat> {
        let next = |count: usize| (count < limit).then_some(count + 1);
        open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok().map(|_| Seat(Arc::clone(open)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Say why a connection is closed at once, as far as its buffer takes it.
fn refuse(mut stream: &UnixStream, message: String) {
    eprintln!("vw-engine: {message}");
    let failure = Failure::new(ErrorCode::Overloaded, message).hint("Try again later.");
    let _ = stream.set_nonblocking(true).and_then(|()| stream.write_all(&Reply::from(failure).encode()));
}

/// Answer one connection's requests until it ends.
fn converse(engine: &Engine, stream: UnixStream) -> Result<()> {
    if !same_user(&stream)? {
        bail!("refused a connection of another user");
    }
    let stream = Arc::new(stream);
    let line = Arc::clone(&stream);
    let alive: Alive = Arc::new(move || !hung_up(&line));
    let mut word = [0; 4];
    let mut last: Option<Answered> = None;
    loop {
        // A reply is often written by another thread, and this one waits for the next request meanwhile.
        let more = await_bytes(&stream).is_ok();
        // Replies have the order of their requests, and no request outlives its connection's thread.
        last.take().into_iter().for_each(Answered::wait);
        if !more || await_room(&stream).is_err() || (&*stream).read_exact(&mut word).is_err() {
            return Ok(());
        }
        let mut body = Vec::new();
        let (due, answered) = Due::new(&stream);
        last = Some(answered);
        let length = match frame_length(word) {
            Ok(length) => length,
            Err(error) => {
                // What follows cannot be told apart from a frame, so the connection ends with the reply.
                due.answer(&bad_input(error));
                return Ok(());
            }
        };
        body.try_reserve_exact(length)?;
        (&*stream).take(length as u64).read_to_end(&mut body)?;
        answer(engine, body, &alive, due);
    }
}

/// Have a request answered, whatever happens on the way.
fn answer(engine: &Engine, body: Vec<u8>, alive: &Alive, due: Due) {
    let request = Request::decode(&body);
    drop(body);
    match request {
        // A panic is logged, and what was due tells of it.
        Ok(request) => {
            drop(catch_unwind(AssertUnwindSafe(|| engine.answer(&request, alive, |reply| due.answer(&reply)))))
        }
        Err(error) => due.answer(&bad_input(error)),
    }
}

fn bad_input(error: ProtocolError) -> Reply {
    Reply::from(Failure::new(ErrorCode::BadInput, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_limited_and_given_back() {
        let open = Arc::new(AtomicUsize::new(0));
        let (first, second) = (Seat::take(&open, 2), Seat::take(&open, 2));
        assert!(first.is_some() && second.is_some() && Seat::take(&open, 2).is_none());
        drop(first);
        assert!(Seat::take(&open, 2).is_some());
    }

    #[test]
    fn a_refused_connection_is_told_why() {
        let (near, far) = UnixStream::pair().expect("a pair can be made");
        refuse(&far, "full".to_owned());
        drop(far);
        let mut frame = Vec::new();
        (&near).read_to_end(&mut frame).expect("it can be read");
        let reply = Reply::decode(&frame[4..]).expect("it is a frame");
        assert!(matches!(&reply, Reply::Error(refusal) if refusal.code == ErrorCode::Overloaded), "{reply:?}");
    }
}
