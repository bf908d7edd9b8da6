//! The settings of media on the command line, and what is made of them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use tokio::sync::Semaphore;
use url::Url;

use crate::fetch::{self, Allowed, Fetcher};

use super::Media;
use super::store::Store;

/// The memory that fetched media may take at one time, in KiB.
const ROOM: usize = 512 * 1024;

/// Where media are kept.
#[derive(Args)]
pub struct StoreSettings {
    /// Where the media of items are kept: a folder, or s3://bucket/prefix with the usual AWS_… variables
    #[arg(long, env = "VW_MEDIA_STORE", default_value = "vw-media")]
    media_store: String,
}

/// How media are fetched and handed out.
#[derive(Args)]
pub struct Settings {
    #[command(flatten)]
    store: StoreSettings,
    /// For how many seconds a content URL is good
    #[arg(long, env = "VW_CONTENT_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    content_seconds: u32,
    /// The URL at which clients reach this service, such as https://vectors.example.com; content URLs begin with it
    #[arg(long, env = "VW_PUBLIC_URL")]
    public_url: Option<Url>,
    /// A host that media may be fetched from though it is not public: host (ports 80 and 443) or host:port; repeatable
    #[arg(long, env = "VW_FETCH_ALLOW", value_delimiter = ',', value_name = "HOST[:PORT]")]
    fetch_allow: Vec<Allowed>,
}

impl StoreSettings {
    /// Open the store.
    pub fn open(&self) -> anyhow::Result<Store> {
        fetch::choose_tls();
        Store::open(&self.media_store).context("--media-store")
    }
}

impl Settings {
    /// Open the store and make the fetcher.
    pub fn open(self) -> anyhow::Result<Media> {
        if let Some(url) = &self.public_url {
            let plain =
                url.has_host() && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
            ensure!(
                plain && matches!(url.scheme(), "http" | "https"),
                "--public-url must be like https://vectors.example.com"
            );
        }
        let (store, fetcher) = (self.store.open()?, Fetcher::new(self.fetch_allow)?);
        let life = Duration::from_secs(self.content_seconds.into());
        Ok(Media { store, fetcher, life, public_url: self.public_url, room: Arc::new(Semaphore::new(ROOM)) })
    }
}
