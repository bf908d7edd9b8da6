//! Models and collections.

use axum::extract::{Request, State};
use axum::{Extension, Json};

use crate::app::App;
use crate::auth::Project;
use crate::requests::NewCollection;
use crate::types::{Collection, Collections, DeletedCollection, Model, Models, get};
use crate::{body, statement};

use super::{CollectionId, Reply};

/// `GET /v1/vectors/models`
pub async fn models(State(app): State<App>) -> Reply<Models> {
    let rows = app.db.rows(statement::MODELS, &[]).await?;
    Ok(Json(Models { models: rows.iter().map(Model::from_row).collect::<Result<_, _>>()? }))
}

/// `POST /v1/vectors/collections`
pub async fn create(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    request: Request,
) -> Reply<Collection> {
    let wanted = body::read(&app, request, body::SMALL, NewCollection::check).await?.value;
    let row = app
        .db
        .one(statement::CREATE_COLLECTION, &[&wanted.name, &wanted.description, &wanted.model_id, &project])
        .await?;
    Ok(Json(Collection::from_row(&row)?))
}

/// `GET /v1/vectors/collections`
pub async fn list(State(app): State<App>, Extension(Project(project)): Extension<Project>) -> Reply<Collections> {
    let rows = app.db.rows(statement::COLLECTIONS, &[&project]).await?;
    Ok(Json(Collections { collections: rows.iter().map(Collection::from_row).collect::<Result<_, _>>()? }))
}

/// `GET /v1/vectors/collections/{id}`
pub async fn show(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
) -> Reply<Collection> {
    let row = app.db.one(statement::COLLECTION, &[&id, &project]).await?;
    Ok(Json(Collection::from_row(&row)?))
}

/// `DELETE /v1/vectors/collections/{id}`
pub async fn delete(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
) -> Reply<DeletedCollection> {
    let row = app.db.one(statement::DELETE_COLLECTION, &[&id, &project]).await?;
    Ok(Json(DeletedCollection { id: get(&row, "id")?, deleted: true }))
}
