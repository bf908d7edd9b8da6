//! Search in a collection.

use axum::extract::{Request, State};
use axum::{Extension, Json};

use crate::app::App;
use crate::auth::Project;
use crate::error::Error;
use crate::openapi::BodyRefusals;
use crate::requests::{Input, Kind, Query};
use crate::types::{Collection, Hit, SearchReport, Usage, get};
use crate::{body, db, requests, statement};

use super::{CollectionId, Reply, no_fetching};

/// `POST /v1/vectors/collections/{id}/search`
#[utoipa::path(
    post,
    path = "/v1/vectors/collections/{id}/search",
    tag = "search",
    summary = "Search a collection by text, image or sound",
    params(("id" = String, Path, description = "The collection's id, col_…")),
    request_body = requests::search::Body,
    responses((status = 200, description = "Done", body = SearchReport), BodyRefusals),
)]
pub async fn search(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
    request: Request,
) -> Reply<SearchReport> {
    let received = body::read(&app, request, body::QUERY, Query::check).await?;
    let Query { input, top_k, threshold, filter } = &received.value;
    let (text, image, audio) = match input {
        Input::Text(text) => (Some(text), None, None),
        Input::Bytes(Kind::Image, bytes) => (None, Some(bytes), None),
        Input::Bytes(Kind::Audio, bytes) => (None, None, Some(bytes)),
        Input::Url(kind) => {
            let row = app.db.one(statement::COLLECTION, &[&id, &project]).await?;
            return Err(no_fetching(&Collection::from_row(&row)?, *kind, kind.word()));
        }
    };
    let values: db::Params = &[&id, &text, &image, &audio, &project, top_k, threshold, filter];
    let rows = app.db.rows(statement::SEARCH, values).await?;
    let first = rows.first().ok_or_else(|| Error::internal("the search gave no rows"))?;
    let usage = Usage { input_tokens: i64::from(get::<i32>(first, "tokens")?) };
    let model = get(first, "model_id")?;
    let results = rows.iter().filter_map(|row| Hit::from_row(row).transpose()).collect::<Result<_, _>>()?;
    Ok(Json(SearchReport { results, model, usage }))
}
