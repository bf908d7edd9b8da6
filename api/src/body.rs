//! Reading a request's body: its type, its size, its time and its place in memory. Not what it says: `json`, `requests`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::idempotency::Ticket;
use crate::limits::{self, Place};
use crate::{json, sqlstate};

/// Limits on bodies, in bytes.
pub const SMALL: usize = 1024 * 1024;
pub const QUERY: usize = 36 * 1024 * 1024;
pub const BULK: usize = 64 * 1024 * 1024;

/// How long a client may send nothing in the middle of a body.
const SILENCE: Duration = Duration::from_secs(10);

/// The memory that is taken at a time, in bytes, or more where more arrives at once.
const ROOM_STEP: usize = 16 * 1024;

/// How long to wait for memory that other bodies hold.
const ROOM_WAIT: Duration = Duration::from_secs(5);

/// What is read of a refused body, so that the client gets to read the refusal rather than a reset.
const DISCARD: (usize, Duration) = (96 * 1024 * 1024, Duration::from_secs(10));

/// From this size on, parsing is kept from holding up other requests.
const SLOW_TO_PARSE: usize = 64 * 1024;

/// A checked body, with its place in memory for as long as it is there.
pub struct Received<T> {
    pub value: T,
    pub room: OwnedSemaphorePermit,
}

/// Read a JSON body of at most `limit` bytes and check it.
pub async fn read<T: DeserializeOwned, G>(
    app: &App,
    request: Request,
    limit: usize,
    check: fn(T) -> Result<G>,
) -> Result<Received<G>> {
    if let Err(error) = json_type(request.headers()) {
        return refuse(request, error).await;
    }
    let length = request.body().size_hint().exact();
    if length.is_some_and(|length| length > limit as u64) {
        return refuse(request, too_large(limit)).await;
    }
    let ticket = request.extensions().get::<Arc<Ticket>>().cloned();
    let place = request.extensions().get::<Arc<Place>>().cloned();
    let mut body = request.into_body();
    if let Some(place) = &place {
        place.give_up();
    }
    let seconds = app.body_time.as_secs();
    let late = || Error::new(Code::RequestTimeout, format!("the body took longer than {seconds} s to arrive"));
    let received = timeout(app.body_time, collect(app, &mut body, limit)).await.map_err(|_| late())?;
    let (bytes, room) = match received {
        Err(error) if matches!(error.code, Code::PayloadTooLarge | Code::Overloaded) => {
            discard(body).await;
            return Err(error);
        }
        outcome => outcome?,
    };
    if place.is_some_and(|place| !place.retake()) {
        return Err(limits::full());
    }
    let understand = || json::parse(&bytes).and_then(check);
    let value = if bytes.len() < SLOW_TO_PARSE { understand()? } else { tokio::task::block_in_place(understand)? };
    if let Some(ticket) = ticket {
        ticket.begin(app, &bytes).await?;
    }
    Ok(Received { value, room })
}

/// Answer with an error after reading what the client is still sending.
pub async fn refuse<T>(request: Request, error: Error) -> Result<T> {
    if let Some(place) = request.extensions().get::<Arc<Place>>() {
        place.give_up();
    }
    // A client that waits for leave to send its body sends none when it is refused.
    if !request.headers().contains_key(header::EXPECT) {
        discard(request.into_body()).await;
    }
    Err(error)
}

async fn discard(mut body: Body) {
    let (most, time) = DISCARD;
    let reading = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, |data| data.len());
            if seen > most {
                break;
            }
        }
    };
    // A client too slow for this misses nothing but the refusal.
    let _ = timeout(time, reading).await;
}

/// Take a body in, and memory for it as it arrives: what a client only announces takes none from others.
async fn collect(app: &App, body: &mut Body, limit: usize) -> Result<(Vec<u8>, OwnedSemaphorePermit)> {
    let broken = |_| Error::new(Code::InvalidRequest, "the body ended before its announced length");
    let silent = |_| Error::new(Code::RequestTimeout, "nothing more of the body came for 10 s");
    let mut room = take_room(app, 0).await?;
    let mut bytes = Vec::new();
    while let Some(frame) = timeout(SILENCE, body.frame()).await.map_err(silent)? {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > limit {
            return Err(too_large(limit));
        }
        if length > room.num_permits() * 1024 {
            room.merge(take_room(app, (length - room.num_permits() * 1024).max(ROOM_STEP)).await?);
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, room))
}

async fn take_room(app: &App, bytes: usize) -> Result<OwnedSemaphorePermit> {
    let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
    let waited = timeout(ROOM_WAIT, app.body_room.clone().acquire_many_owned(kib)).await;
    let Ok(Ok(room)) = waited else {
        return Err(sqlstate::overloaded("no room for another request body".to_owned()));
    };
    Ok(room)
}

fn too_large(limit: usize) -> Error {
    Error::new(Code::PayloadTooLarge, format!("the body is larger than {} MiB", limit / SMALL))
}

/// Check that the body says it is plain JSON.
fn json_type(headers: &HeaderMap) -> Result<()> {
    let refuse = |message: &str| Err(Error::new(Code::UnsupportedMediaType, message));
    let essence = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = essence.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    if essence != "application/json" && !(essence.starts_with("application/") && essence.ends_with("+json")) {
        return refuse("send the header content-type: application/json");
    }
    match headers.get(header::CONTENT_ENCODING) {
        Some(coding) if coding != "identity" => refuse("compressed bodies are not supported"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    //! Guards the content types that are taken for JSON.
    use super::*;

    #[test]
    fn content_types() {
        let check = |name: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(name) = name {
                headers.insert(header::CONTENT_TYPE, name.parse().expect("a header"));
            }
            json_type(&headers).is_ok()
        };
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(check(Some(good)), "{good}");
        }
        for bad in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("json")] {
            assert!(!check(bad), "{bad:?}");
        }
        let mut zipped = HeaderMap::new();
        zipped.insert(header::CONTENT_TYPE, "application/json".parse().expect("a header"));
        zipped.insert(header::CONTENT_ENCODING, "gzip".parse().expect("a header"));
        assert_eq!(json_type(&zipped).expect_err("gzip").code, Code::UnsupportedMediaType);
    }
}
