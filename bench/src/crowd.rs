//! Clients that are slow on purpose: they send a header or a body byte by byte, or read an answer so.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};

/// How long each client waits before its next byte.
const PAUSE: Duration = Duration::from_millis(200);

/// What a client that reads slowly has room for, in bytes, so that the service keeps the rest of the answer.
const WINDOW: usize = 2048;

/// The longest time in which all of them are there.
const GATHERING: Duration = Duration::from_secs(30);

/// Which part of an exchange is slow.
#[derive(Clone, Copy, PartialEq)]
enum Slow {
    Header,
    Body,
    Answer,
}

/// What the clients say: where, and the beginning of each kind of request.
pub struct Script {
    pub address: SocketAddr,
    /// A header without an end.
    pub header: String,
    /// A whole header of a request with a body.
    pub body: String,
    /// A whole request with a large answer.
    pub answer: String,
}

/// Many slow clients, driven by one thread; gone when dropped.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    there: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

struct Slowpoke {
    kind: Slow,
    stream: TcpStream,
}

impl Crowd {
    /// Connect so many clients and let each begin.
    pub fn gather(script: Script, count: usize) -> Result<Crowd> {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, hard.min(soft.max(2 * count as u64)), hard)?;
        let (stop, there) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopping, counting) = (stop.clone(), there.clone());
        let thread = std::thread::spawn(move || drive(&script, count, &stopping, &counting));
        let crowd = Crowd { stop, there, thread: Some(thread) };
        let begun = Instant::now();
        while crowd.there() < count {
            if begun.elapsed() > GATHERING {
                bail!("only {} of {count} slow clients are connected after {GATHERING:?}", crowd.there());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(crowd)
    }

    /// How many are connected at this moment.
    pub fn there(&self) -> usize {
        self.there.load(Ordering::SeqCst)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // What went wrong in it has been seen in the count.
            let _ = thread.join();
        }
    }
}

/// Give every client its next byte, again and again.
fn drive(script: &Script, count: usize, stop: &AtomicBool, there: &AtomicUsize) {
    let mut all: Vec<Option<Slowpoke>> = (0..count).map(|_| None).collect();
    while !stop.load(Ordering::SeqCst) {
        let round = Instant::now();
        for (at, place) in all.iter_mut().enumerate() {
            let kind = [Slow::Header, Slow::Body, Slow::Answer].get(at % 3).copied().unwrap_or(Slow::Header);
            // One that the service has turned away comes back at once.
            if !place.as_mut().is_some_and(Slowpoke::step) {
                *place = Slowpoke::come(script, kind).ok();
            }
        }
        there.store(all.iter().flatten().count(), Ordering::SeqCst);
        std::thread::sleep(PAUSE.saturating_sub(round.elapsed()));
    }
}

impl Slowpoke {
    fn come(script: &Script, kind: Slow) -> Result<Slowpoke> {
        let socket = Socket::new(Domain::for_address(script.address), Type::STREAM, None)?;
        if kind == Slow::Answer {
            socket.set_recv_buffer_size(WINDOW)?;
        }
        socket.connect(&script.address.into())?;
        let mut stream = TcpStream::from(socket);
        let beginning = match kind {
            Slow::Header => &script.header,
            Slow::Body => &script.body,
            Slow::Answer => &script.answer,
        };
        stream.write_all(beginning.as_bytes())?;
        stream.set_nonblocking(true)?;
        Ok(Slowpoke { kind, stream })
    }

    /// Send or read one byte; false where the service has ended it.
    fn step(&mut self) -> bool {
        let mut byte = [b' '];
        if self.kind != Slow::Answer && self.stream.write_all(&byte).is_err() {
            return false;
        }
        match self.stream.read(&mut byte) {
            Ok(0) => false,
            Ok(_) => self.kind == Slow::Answer,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}

/// The address in a URL of the form `http://host:port`.
pub fn address(base: &str) -> Result<SocketAddr> {
    let host = base.strip_prefix("http://").ok_or_else(|| anyhow!("{base} is no address"))?;
    host.parse().with_context(|| format!("{base} is no address"))
}
