//! The settings of media, checked, and what is made of them. How they are given: `crate::settings`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use tokio::sync::Semaphore;
use url::Url;

use crate::fetch::{Allowed, Fetcher};
use crate::metrics::Metrics;

use super::Media;
use super::store::Store;

/// The memory that fetched media may take at one time, in KiB.
const ROOM: usize = 512 * 1024;

/// How media are kept, fetched and handed out.
#[derive(Debug, PartialEq)]
pub struct Settings {
    /// A folder, or `s3://bucket/prefix`.
    pub store: String,
    /// How long a content URL is good.
    pub life: Duration,
    /// Where clients reach the service.
    pub public_url: Option<Url>,
    /// Hosts that may be fetched from though they are not public.
    pub allowed: Vec<Allowed>,
}

impl Settings {
    /// Open the store alone.
    pub fn open_store(&self) -> anyhow::Result<Store> {
        Store::open(&self.store).context("media_store")
    }

    /// Open the store and make the fetcher, which counts what it fetches.
    pub fn open(&self, metrics: Arc<Metrics>) -> anyhow::Result<Media> {
        let (fetcher, store) = (Fetcher::new(self.allowed.clone())?, self.open_store()?);
        let room = Arc::new(Semaphore::new(ROOM));
        Ok(Media { store, fetcher, life: self.life, public_url: self.public_url.clone(), room, metrics })
    }
}

/// Read the URL at which clients reach the service.
pub fn public_url(text: &str) -> anyhow::Result<Url> {
    let wrong = || format!("public_url must be like https://vectors.example.com, not \"{text}\"");
    let url = Url::parse(text).with_context(wrong)?;
    let plain = url.has_host() && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    ensure!(plain && matches!(url.scheme(), "http" | "https"), wrong());
    Ok(url)
}

/// Read hosts with commas between them.
pub fn allowed(text: &str) -> anyhow::Result<Vec<Allowed>> {
    let hosts = text.split(',').map(str::trim).filter(|host| !host.is_empty());
    hosts.map(|host| host.parse().map_err(|error| anyhow!("fetch_allow: {error}"))).collect()
}
