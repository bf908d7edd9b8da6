//! Around every request: its id, its log line, the bodies of errors, and panics. Innermost things do not know of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;

use crate::app::App;
use crate::error::Error;
use crate::metrics::Metrics;
use crate::timing::Spent;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What is counted of a path that is none of ours.
const NO_ROUTE: &str = "none";

/// What the log says of a request whose client left before the answer.
const CLIENT_LEFT: u16 = 499;

/// Run a request and finish its response.
pub async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let spent = Spent::default();
    app.metrics.started();
    let mut line = LogLine {
        started: Instant::now(),
        method: request.method().to_string(),
        path: request.uri().path().chars().take(200).collect(),
        route: request.extensions().get().map_or(NO_ROUTE, |route: &MatchedPath| route.as_str()).to_owned(),
        id: id.clone(),
        status: CLIENT_LEFT,
        metrics: app.metrics.clone(),
    };
    let outcome = AssertUnwindSafe(spent.count(next.run(request))).catch_unwind().await;
    let mut response = outcome.unwrap_or_else(|panic| Error::internal(said(panic.as_ref())).into_response());
    if let Some(error) = response.extensions_mut().remove::<Error>() {
        if response.status().is_server_error() {
            let cause = error.cause.as_deref().unwrap_or(&error.message);
            tracing::error!(request_id = id, code = error.code.parts().1, "{}", cause.escape_debug());
        }
        *response.body_mut() = Body::from(error.body(&id));
        response.headers_mut().remove(header::CONTENT_LENGTH);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Ok(value) = HeaderValue::from_str(&spent.header(line.started.elapsed())) {
        headers.insert(SERVER_TIMING, value);
    }
    line.status = response.status().as_u16();
    response
}

/// One line in the log, written when the request is over, however it ends.
struct LogLine {
    started: Instant,
    method: String,
    path: String,
    route: String,
    id: String,
    status: u16,
    metrics: Arc<Metrics>,
}

impl Drop for LogLine {
    fn drop(&mut self) {
        let time = self.started.elapsed();
        self.metrics.ended(known_method(&self.method), &self.route, self.status, time);
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let LogLine { method, path, id, status, .. } = self;
        tracing::info!(status, ms, request_id = id, "{method} {path}");
    }
}

/// A method that is ours; a client may send any word as one.
fn known_method(method: &str) -> &str {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
        _ => "other",
    }
}

/// Take the client's id for the request where it is 1 to 128 visible ASCII characters, else make one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let sane = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    given.filter(sane).map_or_else(new_request_id, str::to_owned)
}

fn new_request_id() -> String {
    let mut bytes = [0_u8; 15];
    // Without random numbers ids are all alike; requests are served all the same.
    let _ = getrandom::fill(&mut bytes);
    format!("req_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Give the words of a panic.
fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without words"))
}

#[cfg(test)]
mod tests {
    //! Guards the request's id against what does not belong in a header or a log.
    use super::*;

    #[test]
    fn request_ids() {
        let echoed = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
            request_id(&headers) == value
        };
        assert!(echoed("abc-123"));
        assert!(echoed(&"x".repeat(128)));
        for bad in ["", "a b", "é", &"x".repeat(129)] {
            assert!(!echoed(bad), "{bad}");
        }
        let made = request_id(&HeaderMap::new());
        assert!(made.starts_with("req_") && made.len() == 24);
        assert_ne!(made, request_id(&HeaderMap::new()));
    }
}
