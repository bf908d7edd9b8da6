//! Models and collections.

use axum::extract::{Request, State};
use axum::{Extension, Json};

use crate::app::App;
use crate::auth::Project;
use crate::openapi::{BodyRefusals, IdempotencyKey, Refusals};
use crate::requests::NewCollection;
use crate::types::{Collection, Collections, DeletedCollection, Model, Models, get};
use crate::{body, requests, statement};

use super::{CollectionId, Reply};

/// `GET /v1/vectors/models`
#[utoipa::path(
    get,
    path = "/v1/vectors/models",
    operation_id = "list_models",
    tag = "models",
    summary = "List the embedding models",
    responses((status = 200, description = "Done", body = Models), Refusals),
)]
pub async fn models(State(app): State<App>) -> Reply<Models> {
    let rows = app.db.rows(statement::MODELS, &[]).await?;
    Ok(Json(Models { models: rows.iter().map(Model::from_row).collect::<Result<_, _>>()? }))
}

/// `POST /v1/vectors/collections`
#[utoipa::path(
    post,
    path = "/v1/vectors/collections",
    operation_id = "create_collection",
    tag = "collections",
    summary = "Make a collection",
    params(IdempotencyKey),
    request_body = requests::collection::Body,
    responses(
        (status = 200, description = "Done", body = Collection, links(
            ("show" = (operation_id = "get_collection", parameters(("id" = "$response.body#/id")))),
            ("index" = (operation_id = "index_items", parameters(("id" = "$response.body#/id")))),
            ("items" = (operation_id = "list_items", parameters(("id" = "$response.body#/id")))),
            ("search" = (operation_id = "search", parameters(("id" = "$response.body#/id")))),
            ("remove" = (operation_id = "delete_items", parameters(("id" = "$response.body#/id")))),
            ("delete" = (operation_id = "delete_collection", parameters(("id" = "$response.body#/id"))))
        )),
        Refusals,
        BodyRefusals
    ),
)]
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
#[utoipa::path(
    get,
    path = "/v1/vectors/collections",
    operation_id = "list_collections",
    tag = "collections",
    summary = "List the collections of the project",
    responses((status = 200, description = "Done", body = Collections), Refusals),
)]
pub async fn list(State(app): State<App>, Extension(Project(project)): Extension<Project>) -> Reply<Collections> {
    let rows = app.db.rows(statement::COLLECTIONS, &[&project]).await?;
    Ok(Json(Collections { collections: rows.iter().map(Collection::from_row).collect::<Result<_, _>>()? }))
}

/// `GET /v1/vectors/collections/{id}`
#[utoipa::path(
    get,
    path = "/v1/vectors/collections/{id}",
    operation_id = "get_collection",
    tag = "collections",
    summary = "Tell of one collection",
    params(("id" = String, Path, description = "The collection's id, col_…")),
    responses((status = 200, description = "Done", body = Collection), Refusals),
)]
pub async fn show(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
) -> Reply<Collection> {
    let row = app.db.one(statement::COLLECTION, &[&id, &project]).await?;
    Ok(Json(Collection::from_row(&row)?))
}

/// `DELETE /v1/vectors/collections/{id}`
#[utoipa::path(
    delete,
    path = "/v1/vectors/collections/{id}",
    operation_id = "delete_collection",
    tag = "collections",
    summary = "Delete a collection and its items",
    params(("id" = String, Path, description = "The collection's id, col_…")),
    responses((status = 200, description = "Done", body = DeletedCollection), Refusals),
)]
pub async fn delete(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
) -> Reply<DeletedCollection> {
    let row = app.db.one(statement::DELETE_COLLECTION, &[&id, &project]).await?;
    Ok(Json(DeletedCollection { id: get(&row, "id")?, deleted: true }))
}
