//! Media files at signed URLs. Read by whoever has the URL, so nothing here asks who that is, and nothing runs in a browser.

use std::ops::Range;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use object_store::GetResult;

use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::media::{Format, Refused, SIGNATURE, unavailable};
use crate::openapi::{ContentQuery, ErrorBody, Outages};

/// `GET /v1/vectors/content/{project}/{collection}/{name}`
#[utoipa::path(
    get,
    path = "/v1/vectors/content/{project}/{collection}/{name}",
    operation_id = "read_content",
    tag = "items",
    summary = "Read the file of an item, whole or in part; the URL is its content_url",
    params(
        ("project" = String, Path, description = "Part of the file's key"),
        ("collection" = String, Path, description = "Part of the file's key"),
        ("name" = String, Path, description = "Part of the file's key"),
        ContentQuery
    ),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "The part that the header range asks for", content_type = "application/octet-stream"),
        (status = 304, description = "The client has it"),
        (status = 403, description = "No content URL of this service, or one that expired: invalid_content_url", body = ErrorBody),
        (status = 404, description = "The file was deleted: not_found", body = ErrorBody),
        (status = 405, description = "The method is not one of this path: method_not_allowed", body = ErrorBody),
        (status = 416, description = "The range begins behind the file: range_not_satisfiable", body = ErrorBody),
        Outages
    ),
    security(())
)]
pub async fn serve(
    State(app): State<App>,
    method: Method,
    Path((project, collection, name)): Path<(String, String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response> {
    let key = format!("{project}/{collection}/{name}");
    let left = app.media.store.verify(&key, query.as_deref().unwrap_or_default()).map_err(|refused| match refused {
        Refused::Expired => Error::new(Code::InvalidContentUrl, "this content URL has expired; ask for the item again"),
        Refused::Forged => Error::new(Code::InvalidContentUrl, "this is no content URL of this service"),
    })?;
    let start = read(&app, &key, Some(0..SIGNATURE)).await?;
    let size = start.meta.size;
    let format = Format::of(&start.bytes().await.map_err(unavailable)?);
    let format = format.ok_or_else(|| Error::internal(format!("{key} is stored and of no known format")))?;
    let tag = format!("\"{name}\"");
    let mut response = match wanted(&headers, &tag, size) {
        Wanted::Nothing => StatusCode::NOT_MODIFIED.into_response(),
        Wanted::Outside => return Ok(outside(size)),
        Wanted::Part(range) => part(&app, &key, &method, StatusCode::PARTIAL_CONTENT, range, size).await?,
        Wanted::Whole => part(&app, &key, &method, StatusCode::OK, 0..size, size).await?,
    };
    let file = format!("attachment; filename=\"{name}.{}\"", format.extension());
    let fields = [
        (CONTENT_TYPE, format.media_type()),
        (CONTENT_DISPOSITION, &file),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (CACHE_CONTROL, &format!("private, max-age={left}, immutable")),
        (ACCEPT_RANGES, "bytes"),
        (ETAG, &tag),
    ];
    for (name, value) in fields {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_str(value).map_err(|error| Error::internal(error.to_string()))?);
    }
    Ok(response)
}

async fn read(app: &App, key: &str, range: Option<Range<u64>>) -> Result<GetResult> {
    app.media.store.get(key, range).await.map_err(|error| match error {
        object_store::Error::NotFound { .. } => Error::new(Code::NotFound, "this file was deleted"),
        error => unavailable(error),
    })
}

/// Answer with a part of the file, or all of it; of HEAD, only the headers.
async fn part(
    app: &App,
    key: &str,
    method: &Method,
    status: StatusCode,
    range: Range<u64>,
    size: u64,
) -> Result<Response> {
    let (length, shown) =
        (range.end - range.start, format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
    let body = match *method {
        Method::HEAD => Body::empty(),
        _ => Body::from_stream(read(app, key, Some(range)).await?.into_stream()),
    };
    let mut response = (status, body).into_response();
    response.headers_mut().insert(CONTENT_LENGTH, length.into());
    if status == StatusCode::PARTIAL_CONTENT {
        let shown = HeaderValue::from_str(&shown).map_err(|error| Error::internal(error.to_string()))?;
        response.headers_mut().insert(CONTENT_RANGE, shown);
    }
    Ok(response)
}

fn outside(size: u64) -> Response {
    let message = format!("the file has {size} bytes; the range begins behind them");
    let mut response = Error::new(Code::RangeNotSatisfiable, message).into_response();
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    response
}

/// What of a file a request is for.
#[derive(Debug, PartialEq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    /// The client has it.
    Nothing,
    /// A part that begins behind the file's end.
    Outside,
}

/// Read the conditions and the range of a request (RFC 9110, 13 and 14). A file never changes, so its tag is its name.
fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let same = |list: &str| {
        list.split(',').any(|one| matches!(one.trim(), one if one == "*" || one.trim_start_matches("W/") == tag))
    };
    if text(IF_NONE_MATCH).is_some_and(same) {
        return Wanted::Nothing;
    }
    // A condition that does not hold makes the range void, and so does a range of a form that we do not know.
    if headers.contains_key(IF_RANGE) && text(IF_RANGE) != Some(tag) {
        return Wanted::Whole;
    }
    text(RANGE).and_then(|range| one_range(range, size)).unwrap_or(Wanted::Whole)
}

/// Read `bytes=a-b`, `bytes=a-` or `bytes=-n`; None where it is another form, several ranges included.
fn one_range(text: &str, size: u64) -> Option<Wanted> {
    let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    if first.is_empty() {
        let tail = number(last)?;
        return Some(if tail == 0 { Wanted::Outside } else { Wanted::Part(size.saturating_sub(tail)..size) });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some(if first >= size { Wanted::Outside } else { Wanted::Part(first..last.saturating_add(1).min(size)) })
}

#[cfg(test)]
mod tests {
    //! Guards players, which ask for parts of a sound, and caches, which ask whether theirs is still good.
    use super::*;

    fn ask(fields: &[(&str, &str)]) -> Wanted {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name: axum::http::HeaderName = name.parse().expect("a name");
            headers.insert(name, value.parse().expect("a value"));
        }
        wanted(&headers, "\"x\"", 100)
    }

    #[test]
    fn ranges() {
        let table = [
            ("bytes=0-9", Wanted::Part(0..10)),
            ("bytes=90-", Wanted::Part(90..100)),
            ("bytes=90-99", Wanted::Part(90..100)),
            ("bytes=90-1000", Wanted::Part(90..100)),
            ("bytes=99-99", Wanted::Part(99..100)),
            ("bytes=-10", Wanted::Part(90..100)),
            ("bytes=-1000", Wanted::Part(0..100)),
            ("bytes=0-18446744073709551615", Wanted::Part(0..100)),
            ("bytes=100-", Wanted::Outside),
            ("bytes=100-200", Wanted::Outside),
            ("bytes=-0", Wanted::Outside),
            ("bytes=9-1", Wanted::Whole),
            ("bytes=0-9,20-29", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=+1-2", Wanted::Whole),
            ("bytes=99999999999999999999-", Wanted::Whole),
            ("lines=1-2", Wanted::Whole),
        ];
        for (range, expected) in table {
            assert_eq!(ask(&[("range", range)]), expected, "{range}");
        }
    }

    #[test]
    fn conditions() {
        assert_eq!(ask(&[]), Wanted::Whole);
        for same in ["\"x\"", "W/\"x\"", "\"a\", \"x\"", "*"] {
            assert_eq!(ask(&[("if-none-match", same)]), Wanted::Nothing, "{same}");
        }
        assert_eq!(ask(&[("if-none-match", "\"y\"")]), Wanted::Whole);
        assert_eq!(ask(&[("if-range", "\"x\""), ("range", "bytes=1-2")]), Wanted::Part(1..3));
        assert_eq!(ask(&[("if-range", "\"y\""), ("range", "bytes=1-2")]), Wanted::Whole);
    }
}
