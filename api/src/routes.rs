//! The table of routes, and what surrounds all of them.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::handlers::{collections, health, items, search};
use crate::{auth, body, console, idempotency, outer};

/// Make the service.
pub fn router(app: App) -> Router {
    // Requests that are done once under an Idempotency-Key.
    let once = |route: MethodRouter<App>| route.layer(from_fn_with_state(app.clone(), idempotency::layer));
    Router::new()
        .route("/", get(console::page))
        .route("/console.css", get(console::style))
        .route("/console.js", get(console::script))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/v1/vectors/models", get(collections::models))
        .route("/v1/vectors/collections", get(collections::list).merge(once(post(collections::create))))
        .route("/v1/vectors/collections/{id}", get(collections::show).delete(collections::delete))
        .route("/v1/vectors/collections/{id}/index", once(post(items::index)))
        .route("/v1/vectors/collections/{id}/items", get(items::list).delete(items::delete))
        .route("/v1/vectors/collections/{id}/search", post(search::search))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), auth::guard))
        .layer(from_fn(outer::around))
        .with_state(app)
}

async fn unknown(request: Request) -> Result<()> {
    let path: String = request.uri().path().chars().take(200).collect();
    body::refuse(request, Error::new(Code::NotFound, format!("there is nothing at {path}"))).await
}

async fn wrong_method(request: Request) -> Result<()> {
    let message = format!("{} is not allowed here; see the header Allow", request.method());
    body::refuse(request, Error::new(Code::MethodNotAllowed, message)).await
}
