//! Media of items and queries: the forms in which they come, what they are, where they are kept, and the URLs at which
//! they are read. Embedding them is the database's work, fetching them `fetch`'s.

mod budget;
mod format;
pub mod forms;
pub mod gather;
mod link;
mod ring;
pub mod settings;
mod store;
pub mod sweep;

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use tokio::sync::Semaphore;
use url::Url;

use crate::error::{Code, Error, Result};
use crate::fetch::Fetcher;
use crate::metrics::Metrics;

pub use format::{Format, SIGNATURE};
pub use link::Refused;
use store::Store;

/// What the routes need for media; cheap to clone.
#[derive(Clone)]
pub struct Media {
    pub store: Store,
    pub fetcher: Fetcher,
    /// How long a content URL is good.
    life: Duration,
    /// Where clients reach this service; without it, where they say that they reached it.
    public_url: Option<Url>,
    /// One permit is one KiB of fetched media in memory.
    room: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

impl Media {
    /// The scheme and host that content URLs begin with.
    pub fn origin(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.public_url {
            return url.as_str().trim_end_matches('/').to_owned();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let url = host.and_then(|host| Url::parse(&["http://", host].concat()).ok());
        // A URL without a host is relative, and so right all the same.
        url.filter(|url| url.path() == "/" && url.username().is_empty())
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default()
    }

    /// The other origin that content URLs may lead to: the public one's, or the bucket's.
    pub async fn other_origin(&self) -> Option<String> {
        let public = self.public_url.as_ref().map(Url::as_str).unwrap_or_default().trim_end_matches('/');
        let url = Url::parse(&self.store.url("any", self.life, public).await.ok()?).ok()?;
        Some(url.origin().ascii_serialization())
    }

    /// Give the content URL of a file; None where there is no file.
    pub async fn url(&self, key: Option<&str>, origin: &str) -> Result<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        self.store.url(key, self.life, origin).await.map(Some).map_err(unavailable)
    }
}

/// What a client learns where the store fails.
pub fn unavailable(error: object_store::Error) -> Error {
    Error::new(Code::StoreUnavailable, "the store of media is unavailable; try again").because(error.to_string())
}
