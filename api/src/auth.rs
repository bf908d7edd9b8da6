//! Who is asking: the bearer key of everything under /v1, tested by one statement a request. Keys are made in `cli`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::body::refuse;
use crate::error::{Code, Error, Result};
use crate::key::{self, Key};
use crate::statement;

/// The id of the project that the request's key belongs to.
#[derive(Clone)]
pub struct Project(pub String);

/// Let a request under /v1 pass only with a key in force; nothing else of it is looked at before.
pub async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    let path = request.uri().path();
    if path == "/v1" || path.starts_with("/v1/") {
        match project(&app, request.headers()).await {
            Ok(project) => request.extensions_mut().insert(project),
            Err(error) => return refuse(request, error).await,
        };
    }
    Ok(next.run(request).await)
}

async fn project(app: &App, headers: &HeaderMap) -> Result<Project> {
    let key = bearer(headers)?;
    let row = app.db.one(statement::AUTHENTICATE, &[&key.id, &key.hash]).await?;
    let project: Option<String> = row.try_get("project").map_err(|error| Error::internal(error.to_string()))?;
    project.map(Project).ok_or_else(|| unauthorized("invalid API key"))
}

/// Take the key out of the one Authorization header.
fn bearer(headers: &HeaderMap) -> Result<Key> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(unauthorized("missing API key; send the header Authorization: Bearer vwk_…")),
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    };
    let (scheme, text) = value.split_once(' ').unwrap_or_default();
    let key = Some(text.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer")).and_then(key::parse);
    key.ok_or_else(|| unauthorized("malformed API key; send the header Authorization: Bearer vwk_…"))
}

fn unauthorized(message: &str) -> Error {
    Error::new(Code::Unauthorized, message)
}

#[cfg(test)]
mod tests {
    //! Guards the parsing of the Authorization header.
    use super::*;

    fn with(values: &[&str]) -> Result<Key> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().expect("a header"));
        }
        bearer(&headers)
    }

    #[test]
    fn one_bearer_key() {
        let key = format!("vwk_abcd1234_{}", "A".repeat(43));
        for good in [format!("Bearer {key}"), format!("bearer  {key}")] {
            assert_eq!(with(&[&good]).expect("good").id, "abcd1234");
        }
        let twice = format!("Bearer {key}");
        let refused: [&[&str]; 6] = [&[], &[""], &["Bearer"], &[&key], &["Basic dTpw"], &[&twice, &twice]];
        for bad in refused {
            assert_eq!(with(bad).expect_err("bad").code, Code::Unauthorized, "{bad:?}");
        }
        assert!(with(&[]).expect_err("none").message.starts_with("missing"));
    }
}
