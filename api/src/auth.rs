//! Who is asking: the bearer key of everything under /v1, tested by one statement a request. Keys are made in `cli` and in
//! `handlers::admin`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;
use crate::body::refuse;
use crate::error::{Code, Error, Result};
use crate::key::{self, Key};
use crate::limits::Category;
use crate::statement;
use crate::types::get;

/// The id of the project that the request's key belongs to.
#[derive(Clone)]
pub struct Project(pub String);

/// The request's key itself, which the database asks for again where it manages keys.
#[derive(Clone)]
pub struct Caller(pub Key);

/// Let a request under /v1 pass only with a key in force; nothing else of it is looked at before.
pub async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    let path = request.uri().path();
    if path == "/v1" || path.starts_with("/v1/") {
        let scope = Category::of(request.method(), path).scope();
        match caller(&app, request.headers(), scope).await {
            Ok((project, key)) => {
                request.extensions_mut().insert(project);
                request.extensions_mut().insert(Caller(key));
            }
            Err(error) => return refuse(request, error).await,
        };
    }
    Ok(next.run(request).await)
}

async fn caller(app: &App, headers: &HeaderMap, scope: &str) -> Result<(Project, Key)> {
    let key = bearer(headers)?;
    let row = app.db.one(statement::AUTHENTICATE, &[&key.id, &key.hash]).await?;
    let project: Option<String> = get(&row, "project")?;
    let project = project.map(Project).ok_or_else(|| unauthorized("invalid API key"))?;
    let scopes: Option<Vec<String>> = get(&row, "scopes")?;
    let scopes = scopes.unwrap_or_default();
    if !scopes.iter().any(|own| own == scope) {
        let message = format!("this needs a key with the scope {scope}; this key has {}", scopes.join(", "));
        return Err(Error::new(Code::Forbidden, message));
    }
    Ok((project, key))
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
