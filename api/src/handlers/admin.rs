//! Projects and keys, for keys with the scope admin. The database tests the caller's key again and does the rest.

use axum::extract::{Path, RawQuery, Request, State};
use axum::{Extension, Json};
use url::form_urlencoded;

use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::openapi::{BodyRefusals, Refusals};
use crate::requests::admin::{NewKey, NewProject, Rotation};
use crate::types::{KeyInfo, Keys, MadeKey, Project, Projects};
use crate::{body, checks, key, requests, statement};

use super::Reply;

/// `GET /v1/admin/projects`
#[utoipa::path(
    get,
    path = "/v1/admin/projects",
    operation_id = "list_projects",
    tag = "admin",
    summary = "List all projects",
    responses((status = 200, description = "Done", body = Projects), Refusals),
)]
pub async fn projects(State(app): State<App>, Extension(Caller(caller)): Extension<Caller>) -> Reply<Projects> {
    let rows = app.db.rows(statement::ADMIN_PROJECTS, &[&caller.id, &caller.hash]).await?;
    Ok(Json(Projects { projects: rows.iter().map(Project::from_row).collect::<Result<_>>()? }))
}

/// `POST /v1/admin/projects`
#[utoipa::path(
    post,
    path = "/v1/admin/projects",
    tag = "admin",
    summary = "Make a project",
    request_body = requests::admin::ProjectBody,
    responses((status = 200, description = "Done", body = Project), Refusals, BodyRefusals),
)]
pub async fn create_project(
    State(app): State<App>,
    Extension(Caller(caller)): Extension<Caller>,
    request: Request,
) -> Reply<Project> {
    let NewProject(name) = body::read(&app, request, body::SMALL, NewProject::check).await?.value;
    let row = app.db.one(statement::ADMIN_CREATE_PROJECT, &[&caller.id, &caller.hash, &name]).await?;
    Ok(Json(Project::from_row(&row)?))
}

/// `GET /v1/admin/keys`
#[utoipa::path(
    get,
    path = "/v1/admin/keys",
    operation_id = "list_keys",
    tag = "admin",
    summary = "List keys",
    params(
        ("project" = Option<String>, Query, min_length = 1, max_length = 100, pattern = r"^[^\u0000]*\S[^\u0000]*$",
            description = "Only those of this project, by id or name")
    ),
    responses((status = 200, description = "Done", body = Keys), Refusals),
)]
pub async fn keys(
    State(app): State<App>,
    Extension(Caller(caller)): Extension<Caller>,
    RawQuery(query): RawQuery,
) -> Reply<Keys> {
    let project = only_project(query.as_deref())?;
    let rows = app.db.rows(statement::ADMIN_KEYS, &[&caller.id, &caller.hash, &project]).await?;
    Ok(Json(Keys { keys: rows.iter().map(KeyInfo::from_row).collect::<Result<_>>()? }))
}

/// `POST /v1/admin/keys`
#[utoipa::path(
    post,
    path = "/v1/admin/keys",
    tag = "admin",
    summary = "Make a key; it is shown this once",
    request_body = requests::admin::KeyBody,
    responses(
        (status = 200, description = "Done", body = MadeKey, links(
            ("rotate" = (operation_id = "rotate_key", parameters(("id" = "$response.body#/id")))),
            ("revoke" = (operation_id = "revoke_key", parameters(("id" = "$response.body#/id"))))
        )),
        Refusals,
        BodyRefusals
    ),
)]
pub async fn create_key(
    State(app): State<App>,
    Extension(Caller(caller)): Extension<Caller>,
    request: Request,
) -> Reply<MadeKey> {
    let new = body::read(&app, request, body::SMALL, NewKey::check).await?.value;
    let (text, key) = key::generate().map_err(|error| Error::internal(error.to_string()))?;
    let NewKey { project, name, scopes, expires_at } = &new;
    let values: crate::db::Params = &[&caller.id, &caller.hash, project, name, &key.id, &key.hash, scopes, expires_at];
    let row = app.db.one(statement::ADMIN_CREATE_KEY, values).await?;
    Ok(Json(MadeKey { key: text, info: KeyInfo::from_row(&row)? }))
}

/// `POST /v1/admin/keys/{id}/rotate`
#[utoipa::path(
    post,
    path = "/v1/admin/keys/{id}/rotate",
    tag = "admin",
    summary = "Make a new key in place of an old one",
    params(("id" = String, Path, description = "The key's id: the eight characters after vwk_")),
    request_body = requests::admin::RotationBody,
    responses((status = 200, description = "Done", body = MadeKey), Refusals, BodyRefusals),
)]
pub async fn rotate_key(
    State(app): State<App>,
    Extension(Caller(caller)): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Reply<MadeKey> {
    let Rotation(grace) = body::read(&app, request, body::SMALL, Rotation::check).await?.value;
    checks::string("key", &id, 100)?;
    let (text, key) = key::generate().map_err(|error| Error::internal(error.to_string()))?;
    let values: crate::db::Params = &[&caller.id, &caller.hash, &id, &key.id, &key.hash, &grace];
    let row = app.db.one(statement::ADMIN_ROTATE_KEY, values).await?;
    Ok(Json(MadeKey { key: text, info: KeyInfo::from_row(&row)? }))
}

/// `DELETE /v1/admin/keys/{id}`
#[utoipa::path(
    delete,
    path = "/v1/admin/keys/{id}",
    tag = "admin",
    summary = "Revoke a key",
    params(("id" = String, Path, description = "The key's id: the eight characters after vwk_")),
    responses((status = 200, description = "Done", body = KeyInfo), Refusals),
)]
pub async fn revoke_key(
    State(app): State<App>,
    Extension(Caller(caller)): Extension<Caller>,
    Path(id): Path<String>,
) -> Reply<KeyInfo> {
    checks::string("key", &id, 100)?;
    let row = app.db.one(statement::ADMIN_REVOKE_KEY, &[&caller.id, &caller.hash, &id]).await?;
    Ok(Json(KeyInfo::from_row(&row)?))
}

/// The one parameter of the query string: a project's id or name.
fn only_project(query: Option<&str>) -> Result<Option<String>> {
    let mut project = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "project" {
            return Err(Error::invalid(crate::json::shorten(&name), "unknown query parameter; project is known"));
        }
        checks::filled("project", &value, 100)?;
        if project.replace(value.into_owned()).is_some() {
            return Err(Error::invalid("project", "project is given twice"));
        }
    }
    Ok(project)
}
