//! The description of the API for machines, and a page that shows it to people. Nothing comes from another host.

use std::sync::LazyLock;

use axum::http::{HeaderName, header};

use crate::openapi;

/// Only the page's own files run, and they may read from this server only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'none'";

static DESCRIPTION: LazyLock<String> = LazyLock::new(openapi::json);

type File = ([(HeaderName, &'static str); 4], &'static str);

/// `GET /docs`
pub async fn page() -> File {
    file("text/html; charset=utf-8", include_str!("../docs/index.html"))
}

/// `GET /docs.css`
pub async fn style() -> File {
    file("text/css; charset=utf-8", include_str!("../docs/docs.css"))
}

/// `GET /docs.js`
pub async fn script() -> File {
    file("text/javascript; charset=utf-8", include_str!("../docs/docs.js"))
}

/// `GET /openapi.json`
pub async fn description() -> File {
    file("application/json", DESCRIPTION.as_str())
}

fn file(kind: &'static str, text: &'static str) -> File {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, text)
}
