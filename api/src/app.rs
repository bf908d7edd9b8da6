//! What all requests share. Holds no state of any one request.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::db::Db;
use crate::guesses::Guesses;
use crate::limits::Limits;
use crate::media::Media;
use crate::metrics::Metrics;
use crate::settings::Settings;

/// The memory that request bodies may take at one time, in KiB: about four of the largest.
const BODY_ROOM: usize = 256 * 1024;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub media: Media,
    pub limits: Arc<Limits>,
    pub guesses: Arc<Guesses>,
    pub metrics: Arc<Metrics>,
    /// One permit is one KiB of request bodies in memory.
    pub body_room: Arc<Semaphore>,
    /// How long a client may take to send a body.
    pub body_time: Duration,
}

impl App {
    /// Make the shared state over a database.
    pub fn new(db: Db, media: Media, metrics: Arc<Metrics>, settings: &Settings) -> App {
        App {
            db,
            media,
            limits: Arc::new(Limits::new(settings.rates.clone(), settings.max_in_flight)),
            guesses: Arc::new(Guesses::new(settings.auth_failures, settings.proxies.clone())),
            metrics,
            body_room: Arc::new(Semaphore::new(BODY_ROOM)),
            body_time: settings.body_time,
        }
    }
}
