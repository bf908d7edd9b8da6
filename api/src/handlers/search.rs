//! Search in a collection.

use axum::extract::{Request, State};
use axum::{Extension, Json};
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::auth::Project;
use crate::error::{Code, Error, Result};
use crate::media::forms::Source;
use crate::openapi::{BodyRefusals, Refusals};
use crate::requests::{Input, Kind, Query};
use crate::types::{Collection, Hit, SearchReport, Usage, get};
use crate::{body, db, requests, statement};

use super::{CollectionId, Reply, takes};

/// `POST /v1/vectors/collections/{id}/search`
#[utoipa::path(
    post,
    path = "/v1/vectors/collections/{id}/search",
    tag = "search",
    summary = "Search a collection by text, image or sound",
    params(("id" = String, Path, description = "The collection's id, col_…")),
    request_body = requests::search::Body,
    responses((status = 200, description = "Done", body = SearchReport), Refusals, BodyRefusals),
)]
pub async fn search(
    State(app): State<App>,
    Extension(Project(project)): Extension<Project>,
    CollectionId(id): CollectionId,
    request: Request,
) -> Reply<SearchReport> {
    let origin = app.media.origin(request.headers());
    let received = body::read(&app, request, body::QUERY, Query::check).await?;
    let Query { input, top_k, threshold, filter } = &received.value;
    // The file, and its place in memory for as long as it is there.
    let fetched = fetch(&app, &project, &id, input).await?;
    let (text, media) = match (input, &fetched) {
        (Input::Text(text), _) => (Some(text), None),
        (Input::Media(kind, _), Some((bytes, _room))) => (None, Some((*kind, bytes))),
        (Input::Media(kind, Source::Bytes(bytes)), None) => (None, Some((*kind, bytes))),
        (Input::Media(_, Source::Url(_)), None) => return Err(Error::internal("a URL was passed over")),
    };
    let of_kind = |wanted| media.filter(|(kind, _)| *kind == wanted).map(|(_, bytes)| bytes);
    let (image, audio) = (of_kind(Kind::Image), of_kind(Kind::Audio));
    let values: db::Params = &[&id, &text, &image, &audio, &project, top_k, threshold, filter];
    let undecodable = |error: Error| match (&error.code, error.param.as_deref(), media) {
        (Code::InvalidRequest, Some("image" | "audio"), Some((kind, _))) => {
            app.metrics.media_rejected(kind, Code::DecodeFailed);
            Error { code: Code::DecodeFailed, ..error }
        }
        _ => error,
    };
    let rows = app.db.rows(statement::SEARCH, values).await.map_err(undecodable)?;
    let first = rows.first().ok_or_else(|| Error::internal("the search gave no rows"))?;
    let usage = Usage { input_tokens: i64::from(get::<i32>(first, "tokens")?) };
    let model = get(first, "model_id")?;
    let mut results: Vec<Hit> = rows.iter().filter_map(|row| Hit::from_row(row).transpose()).collect::<Result<_>>()?;
    for hit in &mut results {
        hit.content_url = app.media.url(hit.media_key.as_deref(), &origin).await?;
    }
    Ok(Json(SearchReport { results, model, usage }))
}

/// Fetch what is searched for where it comes as a URL, once it is clear that the collection is there and takes it.
async fn fetch(
    app: &App,
    project: &str,
    collection: &str,
    input: &Input,
) -> Result<Option<(Vec<u8>, OwnedSemaphorePermit)>> {
    let Input::Media(kind, Source::Url(url)) = input else { return Ok(None) };
    let row = app.db.one(statement::COLLECTION, &[&collection, &project]).await?;
    takes(&Collection::from_row(&row)?, *kind)?;
    app.media.fetch_query(project, *kind, url).await.map(Some)
}
