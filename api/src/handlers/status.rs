//! What a collection looks like from inside.

use axum::extract::State;
use axum::{Extension, Json};

use crate::app::App;
use crate::auth::Project;
use crate::openapi::Refusals;
use crate::statement;
use crate::types::CollectionStatus;

use super::{CollectionId, Reply};

/// `GET /v1/vectors/collections/{id}/status`
#[utoipa::path(
    get,
    path = "/v1/vectors/collections/{id}/status",
    operation_id = "get_collection_status",
    tag = "collections",
    summary = "Tell of a collection's model, size and index",
    params(("id" = String, Path, description = "The collection's id, col_…")),
    responses((status = 200, description = "Done", body = CollectionStatus), Refusals),
)]
pub async fn show(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
) -> Reply<CollectionStatus> {
    let row = app.db.one(statement::COLLECTION_STATUS, &[&id, &project]).await?;
    Ok(Json(CollectionStatus::from_row(&row)?))
}
