//! Who is asking: the bearer key of everything under /v1, tested by one statement a request. Keys are made in `cli` and in
//! `handlers::admin`.

use std::net::IpAddr;
use std::time::Instant;

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
use crate::window;

/// The id of the project that the request's key belongs to.
#[derive(Clone)]
pub struct Project(pub String);

/// The request's key itself, which the database asks for again where it manages keys.
#[derive(Clone)]
pub struct Caller(pub Key);

/// What the log and the client read of a key that opens nothing.
const MISSING: &str = "missing API key; send the header Authorization: Bearer vwk_…";
const MALFORMED: &str = "malformed API key; send the header Authorization: Bearer vwk_…";
const INVALID: &str = "invalid API key";

/// Let a request under /v1 pass only with a key in force; nothing else of it is looked at before.
pub async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Result<Response> {
    let path = request.uri().path();
    if path == "/v1" || path.starts_with("/v1/") {
        let scope = Category::of(request.method(), path).scope();
        let site = app.guesses.site(&request);
        match caller(&app, site, request.headers(), scope).await {
            Ok((project, key)) => {
                request.extensions_mut().insert(project);
                request.extensions_mut().insert(Caller(key));
            }
            Err(error) => return refuse(request, error).await,
        };
    }
    Ok(next.run(request).await)
}

async fn caller(app: &App, site: Option<IpAddr>, headers: &HeaderMap, scope: &str) -> Result<(Project, Key)> {
    let refused = |reason, message: &str| {
        app.metrics.auth_refused(reason);
        Error::new(Code::Unauthorized, message)
    };
    let shown = bearer(headers).ok_or_else(|| refused("missing", MISSING))?;
    if let Some(wait) = app.guesses.wait(site, shown.as_ref(), Instant::now()) {
        app.metrics.auth_refused("limited");
        let message = "too many requests from this address had keys that are not in force; try again later";
        return Err(Error::new(Code::RateLimited, message).retry_after(window::seconds(wait)));
    }
    let failed = |key| app.guesses.failed(site, key, Instant::now());
    let Some(key) = shown else {
        failed(None);
        return Err(refused("malformed", MALFORMED));
    };
    let row = app.db.one(statement::AUTHENTICATE, &[&key.id, &key.hash]).await?;
    let Some(project) = get::<Option<String>>(&row, "project")? else {
        failed(Some(&key));
        return Err(refused("invalid", INVALID));
    };
    app.guesses.worked(&key, Instant::now());
    let scopes = get::<Option<Vec<String>>>(&row, "scopes")?.unwrap_or_default();
    if !scopes.iter().any(|own| own == scope) {
        let message = format!("this needs a key with the scope {scope}; this key has {}", scopes.join(", "));
        return Err(Error::new(Code::Forbidden, message));
    }
    Ok((Project(project), key))
}

/// Take the key out of the one Authorization header: None without the header, Some(None) where it holds no key.
fn bearer(headers: &HeaderMap) -> Option<Option<Key>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next()?, values.next()) {
        (value, None) => value.to_str().unwrap_or_default(),
        _ => "",
    };
    let (scheme, text) = value.split_once(' ').unwrap_or_default();
    Some(Some(text.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer")).and_then(key::parse))
}

#[cfg(test)]
mod tests {
    //! Guards the parsing of the Authorization header.
    use super::*;

    fn with(values: &[&str]) -> Option<Option<Key>> {
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
            assert_eq!(with(&[&good]).flatten().expect("good").id, "abcd1234");
        }
        let twice = format!("Bearer {key}");
        let refused: [&[&str]; 5] = [&[""], &["Bearer"], &[&key], &["Basic dTpw"], &[&twice, &twice]];
        for bad in refused {
            assert_eq!(with(bad), Some(None), "{bad:?}");
        }
        assert_eq!(with(&[]), None);
    }
}
