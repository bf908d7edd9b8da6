//! `vw_autoembed_wake`: a worker for what the running transaction has queued, once it has committed.

use super::{marker, worker};
use crate::engine::supervisor;
use crate::pg::background;
use crate::pg::datum::Value;
use crate::pg::error::Result;
use crate::pg::function::pg_functions;

pg_functions! {
    /// vw_autoembed_wake() -> void.
    fn vw_autoembed_wake(_args) {
        if !background::is_standby() {
            background::after_commit(wake);
        }
        Result::Ok(Value::void())
    }
}

/// Start a worker where there is none. Where no slot is free, the supervisor or the next change of a row tries again.
fn wake() {
    let database = background::database();
    if !marker::has_worker(database) && !worker::start(database) {
        let _ = supervisor::start();
    }
}
