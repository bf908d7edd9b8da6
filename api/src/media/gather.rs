//! The media of one request: fetched where they come as URLs, looked at, stored. What fails is a matter of its item.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use crate::error::{Code, Error, ItemError, Result};
use crate::fetch::Reason;
use crate::requests::Kind;
use crate::sqlstate;

use super::budget::Budget;
use super::forms::{MIB, Source};
use super::{Format, Media, unavailable};

/// How many media of one request are fetched, or stored, at one time.
const AT_ONCE: usize = 16;

/// How long the fetches of one request may take together.
const FETCH_TIME: Duration = Duration::from_secs(30);

/// What the fetched media of one request may come to, in bytes.
const FETCHED: usize = 128 * MIB;

/// How long to wait for memory that other requests' media hold.
const ROOM_WAIT: Duration = Duration::from_secs(5);

/// A medium of a request and what it is for.
pub struct Wanted {
    /// The item's place in the request.
    pub index: usize,
    pub kind: Kind,
    pub source: Source,
}

/// A medium that can be embedded.
pub struct Ready {
    pub index: usize,
    pub format: Format,
    pub bytes: Bytes,
}

/// The media of a request, with their place in memory for as long as they are there.
pub struct Gathered {
    pub ready: Vec<Ready>,
    pub failed: Vec<ItemError>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Media {
    /// Fetch what comes as a URL and tell the format of everything. Fails as a whole only where there is no memory.
    pub async fn gather(&self, project: &str, wanted: Vec<Wanted>) -> Result<Gathered> {
        let fetched = |wanted: &&Wanted| matches!(wanted.source, Source::Url(_));
        let most: usize = wanted.iter().filter(fetched).map(|wanted| wanted.kind.limit()).sum();
        let mut room = if most > 0 { Some(self.take_room(most.min(FETCHED)).await?) } else { None };
        let (deadline, budget) = (Instant::now() + FETCH_TIME, Budget::new(FETCHED));
        let work = wanted.into_iter().map(|Wanted { index, kind, source }| {
            let one = self.one(project, kind, source, &budget);
            async move { (index, kind, timeout_at(deadline, one).await.unwrap_or_else(|_| Err(not_fetched()))) }
        });
        let mut outcomes: Vec<_> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
        outcomes.sort_by_key(|(index, ..)| *index);
        let (mut ready, mut failed) = (Vec::new(), Vec::new());
        for (index, kind, outcome) in outcomes {
            match outcome {
                Ok((format, bytes)) => ready.push(Ready { index, format, bytes }),
                Err((code, message)) => {
                    self.metrics.media_rejected(kind, code);
                    failed.push(ItemError { index, code, message });
                }
            }
        }
        if let Some(room) = &mut room {
            let held = budget.kept().div_ceil(1024);
            drop(room.split(room.num_permits().saturating_sub(held)));
        }
        Ok(Gathered { ready, failed, _room: room })
    }

    async fn take_room(&self, bytes: usize) -> Result<OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        let waited = tokio::time::timeout(ROOM_WAIT, self.room.clone().acquire_many_owned(kib)).await;
        let Ok(Ok(room)) = waited else { return Err(sqlstate::overloaded("no room for more media".to_owned())) };
        Ok(room)
    }

    async fn one(&self, project: &str, kind: Kind, source: Source, budget: &Budget) -> Outcome<(Format, Bytes)> {
        let bytes = match source {
            Source::Bytes(bytes) => bytes,
            Source::Url(url) => {
                let share = budget.share(kind.limit()).await.ok_or_else(too_much)?;
                let fetched = self.fetch(project, kind, &url, share.size).await;
                let small = share.size < kind.limit();
                let bytes = fetched
                    .map_err(|error| if small && error.0 == Code::MediaTooLarge { too_much() } else { error })?;
                share.keep(bytes.len());
                bytes
            }
        };
        let format = Format::of(&bytes).filter(|format| format.kind() == kind);
        Ok((format.ok_or_else(|| other_format(kind))?, bytes.into()))
    }

    async fn fetch(&self, project: &str, kind: Kind, url: &str, limit: usize) -> Outcome<Vec<u8>> {
        let accept = match kind {
            Kind::Image => "image/*",
            Kind::Audio => "audio/*",
        };
        let fetched = self.fetcher.get(project, url, accept, limit).await;
        self.metrics.fetched(fetched.as_ref().err());
        fetched.map_err(|failure| match failure.reason {
            Reason::Size => {
                let message = format!("the {} is larger than {} MiB", kind.word(), kind.limit() / MIB);
                (Code::MediaTooLarge, message)
            }
            _ => {
                let host =
                    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
                tracing::info!(project, host, "a URL was not fetched: {}", failure.words.escape_debug());
                not_fetched()
            }
        })
    }

    /// Store files under their keys, all or none as far as the caller is told.
    pub async fn keep(&self, files: impl Iterator<Item = (&str, &Ready)>) -> Result<()> {
        let puts = files.map(|(key, ready)| self.store.put(key, ready.format, ready.bytes.clone()));
        let puts: Vec<_> = puts.collect();
        stream::iter(puts).buffer_unordered(AT_ONCE).try_collect().await.map_err(unavailable)
    }

    /// Fetch the one medium of a query.
    pub async fn fetch_query(&self, project: &str, kind: Kind, url: &str) -> Result<(Vec<u8>, OwnedSemaphorePermit)> {
        let room = self.take_room(kind.limit()).await?;
        let refuse = |(code, message): (Code, String)| {
            self.metrics.media_rejected(kind, code);
            Error::new(code, message).at(kind.word())
        };
        let bytes = self.fetch(project, kind, url, kind.limit()).await.map_err(refuse)?;
        match Format::of(&bytes) {
            Some(format) if format.kind() == kind => Ok((bytes, room)),
            _ => Err(refuse(other_format(kind))),
        }
    }
}

/// What came of one medium; else the code and the words for the client.
type Outcome<T> = std::result::Result<T, (Code, String)>;

/// What a client learns of any failed fetch: the same words whatever the reason.
fn not_fetched() -> (Code, String) {
    (Code::FetchFailed, "the URL could not be fetched".to_owned())
}

fn too_much() -> (Code, String) {
    let most = FETCHED / MIB;
    let message = format!("the media fetched for one request may come to {most} MiB; send this item again in another");
    (Code::MediaTooLarge, message)
}

fn other_format(kind: Kind) -> (Code, String) {
    let formats = match kind {
        Kind::Image => "PNG, JPEG, GIF, WebP, BMP or TIFF",
        Kind::Audio => "WAV, AIFF, MP3, AAC, M4A, FLAC or Ogg",
    };
    (Code::UnsupportedMedia, format!("this is no {} file ({formats})", kind.word()))
}
