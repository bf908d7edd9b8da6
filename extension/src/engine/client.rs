//! A backend's way to the engine: one kept connection, one retry, and starting our own engine when it is not there.
//! What the frames say is in `functions`.

use super::connection::{Connection, Failure};
use super::{process, settings, supervisor};
use crate::pg::error::{Code, Fault, Result};
use crate::pg::latch;
use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Pause between two attempts to connect.
const RETRY_PAUSE: Duration = Duration::from_millis(25);
/// Pause before a request is sent once more: an engine that was killed may still take connections while it ends.
const LAST_WORDS: Duration = Duration::from_millis(50);
/// Pause between two requests for a supervisor.
const START_PAUSE: Duration = Duration::from_secs(3);

thread_local! {
    /// The idle connection. It is taken out for an exchange and put back after a whole reply only,
    /// so that an ERROR in between drops it, and with it the request.
    static IDLE: Cell<Option<Connection>> = const { Cell::new(None) };
}

/// Send one frame and return the reply's body. Raises when the statement is cancelled.
pub fn exchange(frame: &[u8]) -> Result<Vec<u8>> {
    let own = settings::address().is_none();
    let path = settings::address().unwrap_or_else(|| PathBuf::from(process::SOCKET));
    let mut retries = 1;
    loop {
        let idle = IDLE.take().filter(|connection| connection.path() == path);
        let stale_at_worst = idle.is_some();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&path, own)?,
        };
        match connection.exchange(frame) {
            Ok(body) => {
                IDLE.set(Some(connection));
                return Ok(body);
            }
            // The engine may have been restarted since the connection was last used.
            Err(Failure::Broken(_)) if stale_at_worst => {}
            Err(Failure::Broken(_)) if retries > 0 => {
                retries -= 1;
                latch::sleep(LAST_WORDS);
            }
            Err(Failure::Broken(error)) => {
                return Err(Fault::new(Code::ERRCODE_SYSTEM_ERROR, "the embedding engine ended while it was at work")
                    .detail(error.to_string())
                    .hint("The server log has the engine's last words."));
            }
            Err(Failure::Fatal(fault)) => return Err(fault),
        }
    }
}

/// Connect; bring our own engine up first when it is down.
fn connect(path: &Path, own: bool) -> Result<Connection> {
    let limit = Instant::now() + settings::start_timeout();
    let mut ask_again = Instant::now();
    let mut worker_slot = true;
    loop {
        let error = match Connection::open(path) {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        let down = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused);
        let busy = error.kind() == ErrorKind::WouldBlock;
        if !(busy || down && own) || Instant::now() >= limit {
            return Err(unreachable(&error, own, worker_slot));
        }
        if down && Instant::now() >= ask_again {
            worker_slot = supervisor::start();
            ask_again = Instant::now() + START_PAUSE;
        }
        latch::sleep(RETRY_PAUSE);
    }
}

/// Say why there is no engine.
fn unreachable(error: &Error, own: bool, worker_slot: bool) -> Fault {
    let hint = match (own, worker_slot) {
        (false, _) => "Check vw.engine_address and the engine at that address.",
        (true, false) => "No background worker slot is free: raise max_worker_processes.",
        (true, true) => "See the server log; vw.engine_start_timeout limits how long is waited.",
    };
    Fault::new(Code::ERRCODE_SYSTEM_ERROR, "the embedding engine cannot be reached")
        .detail(error.to_string())
        .hint(hint)
}
