//! The table of routes, and what surrounds all of them.

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, post};

use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::handlers::{admin, collections, content, health, items, search, status};
use crate::{auth, body, console, docs, idempotency, limits, outer};

/// Make the service.
pub fn router(app: App) -> Router {
    // Requests that are done once under an Idempotency-Key.
    let once = |route: MethodRouter<App>| route.layer(from_fn_with_state(app.clone(), idempotency::layer));
    Router::new()
        .route("/", get(console::page))
        .route("/console/{name}", get(console::part))
        .route("/docs", get(docs::page))
        .route("/docs.css", get(docs::style))
        .route("/docs.js", get(docs::script))
        .route("/openapi.json", get(docs::description))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/v1/vectors/models", get(collections::models))
        .route("/v1/vectors/collections", get(collections::list).merge(once(post(collections::create))))
        .route("/v1/vectors/collections/{id}", get(collections::show).delete(collections::delete))
        .route("/v1/vectors/collections/{id}/status", get(status::show))
        .route("/v1/vectors/collections/{id}/index", once(post(items::index)))
        .route("/v1/vectors/collections/{id}/items", get(items::list).delete(items::delete))
        .route("/v1/vectors/collections/{id}/search", post(search::search))
        .route("/v1/admin/projects", get(admin::projects).post(admin::create_project))
        .route("/v1/admin/keys", get(admin::keys).post(admin::create_key))
        .route("/v1/admin/keys/{id}", delete(admin::revoke_key))
        .route("/v1/admin/keys/{id}/rotate", post(admin::rotate_key))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(app.clone(), limits::guard))
        .layer(from_fn_with_state(app.clone(), auth::guard))
        // Opened by the URL's signature, without a key.
        .route("/v1/vectors/content/{project}/{collection}/{name}", get(content::serve).fallback(wrong_method))
        .layer(from_fn_with_state(app.clone(), limits::shed))
        .layer(from_fn_with_state(app.clone(), outer::around))
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
