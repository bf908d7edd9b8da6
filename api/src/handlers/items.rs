//! Items of a collection.

use axum::extract::{RawQuery, Request, State};
use axum::{Extension, Json};

use crate::app::App;
use crate::auth::Project;
use crate::error::Error;
use crate::requests::{DoomedItems, NewItems, Page};
use crate::types::{Collection, DeletedItems, IndexReport, Indexed, Item, ItemPage, Usage, get};
use crate::{body, db, statement};

use super::{CollectionId, Reply, no_fetching};

/// `POST /v1/vectors/collections/{id}/index`
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
