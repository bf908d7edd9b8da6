//! Items of a collection.

use axum::extract::{RawQuery, Request, State};
use axum::{Extension, Json};

use crate::app::App;
use crate::auth::Project;
use crate::error::Error;
use crate::openapi::{BodyRefusals, IdempotencyKey, PageQuery, Refusals};
use crate::requests::{DoomedItems, NewItems, Page};
use crate::types::{Collection, DeletedItems, IndexReport, Indexed, Item, ItemPage, Usage, get};
use crate::{body, db, requests, statement};

use super::{CollectionId, Reply, no_fetching};

/// `POST /v1/vectors/collections/{id}/index`
#[utoipa::path(
    post,
    path = "/v1/vectors/collections/{id}/index",
    operation_id = "index_items",
    tag = "items",
    summary = "Embed items and store them",
    params(("id" = String, Path, description = "The collection's id, col_…"), IdempotencyKey),
    request_body = requests::items::Body,
    responses((status = 200, description = "Done", body = IndexReport), BodyRefusals),
)]
pub async fn index(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
    request: Request,
) -> Reply<IndexReport> {
    let received = body::read(&app, request, body::BULK, NewItems::check).await?;
    let new = &received.value;
    if let Some((param, kind)) = &new.url {
        let row = app.db.one(statement::COLLECTION, &[&id, &project]).await?;
        return Err(no_fetching(&Collection::from_row(&row)?, *kind, param));
    }
    let columns: db::Params = &[&id, &new.texts, &new.images, &new.audios, &new.metadata, &new.ids, &project];
    let rows = app.db.rows(statement::INDEX_ITEMS, columns).await?;
    let items: Vec<Indexed> = rows.iter().map(Indexed::from_row).collect::<Result<_, _>>()?;
    let first = rows.first().ok_or_else(|| Error::internal("indexing gave no rows"))?;
    let usage = Usage { input_tokens: items.iter().map(|item| i64::from(item.tokens)).sum() };
    Ok(Json(IndexReport { indexed: items.len(), model: get(first, "model_id")?, usage, items }))
}

/// `GET /v1/vectors/collections/{id}/items`
#[utoipa::path(
    get,
    path = "/v1/vectors/collections/{id}/items",
    operation_id = "list_items",
    tag = "items",
    summary = "List items, page by page",
    params(("id" = String, Path, description = "The collection's id, col_…"), PageQuery),
    responses((status = 200, description = "Done", body = ItemPage), Refusals),
)]
pub async fn list(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
    RawQuery(query): RawQuery,
) -> Reply<ItemPage> {
    let page = Page::check(query.as_deref())?;
    let (time, after) = page.after.as_ref().map(|cursor| (cursor.time, cursor.id.as_str())).unzip();
    // One item more than asked for tells whether there is a next page.
    let rows = app.db.rows(statement::ITEMS, &[&id, &(page.limit + 1), &page.offset, &project, &time, &after]).await?;
    let first = rows.first().ok_or_else(|| Error::internal("listing gave no rows"))?;
    let total = get(first, "total")?;
    let items = rows.iter().filter_map(|row| Item::from_row(row).transpose()).collect::<Result<_, _>>()?;
    Ok(Json(ItemPage::new(items, total, &page)))
}

/// `DELETE /v1/vectors/collections/{id}/items`
#[utoipa::path(
    delete,
    path = "/v1/vectors/collections/{id}/items",
    operation_id = "delete_items",
    tag = "items",
    summary = "Delete items by id",
    params(("id" = String, Path, description = "The collection's id, col_…")),
    request_body = requests::items::DeleteBody,
    responses((status = 200, description = "Done", body = DeletedItems), BodyRefusals),
)]
pub async fn delete(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
    request: Request,
) -> Reply<DeletedItems> {
    let doomed = body::read(&app, request, body::SMALL, DoomedItems::check).await?.value;
    let row = app.db.one(statement::DELETE_ITEMS, &[&id, &doomed.0, &project]).await?;
    Ok(Json(DeletedItems { deleted: get(&row, "deleted")? }))
}
