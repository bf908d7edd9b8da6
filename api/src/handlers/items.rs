//! Items of a collection.

use axum::extract::{RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};

use crate::app::App;
use crate::auth::Project;
use crate::body::Received;
use crate::error::Error;
use crate::openapi::{AtomicQuery, BodyRefusals, IdempotencyKey, PageQuery, Refusals};
use crate::requests::{self, DoomedItems, NewItems, Page};
use crate::types::{DeletedItems, IndexReport, Item, ItemPage, get};
use crate::{body, indexing, statement};

use super::{CollectionId, Reply};

/// `POST /v1/vectors/collections/{id}/index`
#[utoipa::path(
    post,
    path = "/v1/vectors/collections/{id}/index",
    operation_id = "index_items",
    tag = "items",
    summary = "Embed items and store them",
    params(("id" = String, Path, description = "The collection's id, col_…"), AtomicQuery, IdempotencyKey),
    request_body = requests::items::Body,
    responses(
        (status = 200, description = "Done", body = IndexReport, links(
            ("items" = (operation_id = "list_items", parameters(("id" = "$request.path.id")))),
            ("search" = (operation_id = "search", parameters(("id" = "$request.path.id"))))
        )),
        Refusals,
        BodyRefusals
    ),
)]
pub async fn index(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
    RawQuery(query): RawQuery,
    request: Request,
) -> Reply<IndexReport> {
    let atomic = match requests::atomic(query.as_deref()) {
        Ok(atomic) => atomic,
        Err(error) => return body::refuse(request, error).await,
    };
    let Received { value: items, room: _room } = body::read(&app, request, body::BULK, NewItems::check).await?;
    Ok(Json(indexing::run(&app, &project, &id, items, atomic).await?))
}

/// `GET /v1/vectors/collections/{id}/items`
#[utoipa::path(
    get,
    path = "/v1/vectors/collections/{id}/items",
    operation_id = "list_items",
    tag = "items",
    summary = "List items, page by page",
    params(("id" = String, Path, description = "The collection's id, col_…"), PageQuery),
    responses(
        (status = 200, description = "Done", body = ItemPage, links(
            ("next" = (operation_id = "list_items", parameters(
                ("id" = "$request.path.id"), ("cursor" = "$response.body#/next_cursor")
            )))
        )),
        Refusals
    ),
)]
pub async fn list(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Reply<ItemPage> {
    let page = Page::check(query.as_deref())?;
    let (time, after) = page.after.as_ref().map(|cursor| (cursor.time, cursor.id.as_str())).unzip();
    // One item more than asked for tells whether there is a next page.
    let rows = app.db.rows(statement::ITEMS, &[&id, &(page.limit + 1), &page.offset, &project, &time, &after]).await?;
    let first = rows.first().ok_or_else(|| Error::internal("listing gave no rows"))?;
    let total = get(first, "total")?;
    let mut items: Vec<Item> =
        rows.iter().filter_map(|row| Item::from_row(row).transpose()).collect::<Result<_, _>>()?;
    let origin = app.media.origin(&headers);
    for item in &mut items {
        item.content_url = app.media.url(item.media_key.as_deref(), &origin).await?;
    }
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
    responses((status = 200, description = "Done", body = DeletedItems), Refusals, BodyRefusals),
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
