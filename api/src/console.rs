//! The console at `/`: three static files, built into the program. It uses the API as any other client does.

use axum::http::{HeaderName, header};

/// Only the console's own files run, and they may talk to this server only; pictures and sounds may lie in a bucket.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; \
    media-src 'self' https:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

type File = ([(HeaderName, &'static str); 4], &'static str);

/// `GET /`
pub async fn page() -> File {
    file("text/html; charset=utf-8", include_str!("../console/index.html"))
}

/// `GET /console.css`
pub async fn style() -> File {
    file("text/css; charset=utf-8", include_str!("../console/console.css"))
}

/// `GET /console.js`
pub async fn script() -> File {
    file("text/javascript; charset=utf-8", include_str!("../console/console.js"))
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
