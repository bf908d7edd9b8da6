//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;

use crate::app::App;
use crate::error::{Code, Error};
use crate::statement;
use crate::types::{Health, get};

use super::Reply;

/// `GET /livez`
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// `GET /readyz`: the database answers and its engine has a model.
pub async fn ready(State(app): State<App>) -> Reply<Health> {
    let row = app.db.one(statement::READY, &[]).await?;
    match get::<i64>(&row, "models")? {
        0 => Err(Error::new(Code::EngineUnavailable, "the embedding engine has no model")),
        _ => Ok(Json(Health { status: "ok" })),
    }
}
