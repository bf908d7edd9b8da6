//! What all requests share. Holds no state of any one request.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::db::Db;
use crate::media::Media;

/// The memory that request bodies may take at one time, in KiB: about four of the largest.
const BODY_ROOM: usize = 256 * 1024;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct App {
    pub db: Db,
    pub media: Media,
    /// One permit is one KiB of request bodies in memory.
    pub body_room: Arc<Semaphore>,
}

impl App {
    /// Make the shared state over a database.
    pub fn new(db: Db, media: Media) -> App {
        App { db, media, body_room: Arc::new(Semaphore::new(BODY_ROOM)) }
    }
}
