//! Whether the process lives, whether it can do its work, and what it counts of itself.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};

use crate::app::App;
use crate::error::{Code, Error, Result};
use crate::metrics::TowerNumber;
use crate::openapi::Outages;
use crate::statement;
use crate::types::{Health, Tower, get};

use super::Reply;

/// `GET /livez`
#[utoipa::path(
    get,
    path = "/livez",
    tag = "health",
    summary = "Whether the process lives",
    security(()),
    responses((status = 200, description = "It does", body = Health)),
)]
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// `GET /readyz`: the database answers, and its engine has the default model or the only one.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    summary = "Whether the service can work",
    security(()),
    responses((status = 200, description = "It can", body = Health), Outages),
)]
pub async fn ready(State(app): State<App>) -> Reply<Health> {
    let row = app.db.one(statement::READY, &[]).await?;
    match get::<Option<String>>(&row, "model")? {
        None => Err(Error::new(Code::EngineUnavailable, "the embedding engine has no model")),
        Some(_) => Ok(Json(Health { status: "ok" })),
    }
}

/// `GET /metrics`, in Prometheus's text format. Without a database it tells what the process itself knows.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    summary = "Numbers for Prometheus",
    security(()),
    responses((status = 200, description = "In Prometheus's text format", body = String, content_type = "text/plain"), Outages),
)]
pub async fn metrics(State(app): State<App>) -> Result<([(HeaderName, &'static str); 1], String)> {
    let rows = app.db.rows(statement::ENGINE_STATS, &[]).await.unwrap_or_default();
    let towers: Vec<Tower> = rows.iter().map(Tower::from_row).collect::<Result<_>>()?;
    let numbers: Vec<TowerNumber> = towers.iter().flat_map(Tower::numbers).collect();
    let text = app.metrics.text(&app.db.pool(), &numbers).map_err(|error| Error::internal(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
}
