//! The description of the API in OpenAPI 3.1, made of the types and handlers themselves and pinned in `api/openapi.json`.

mod filter;
mod one_of;

use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi, ToSchema};

use crate::error::ItemError;
use crate::handlers::{admin, collections, content, health, items, search, status};

pub use filter::Filter;

/// The whole description.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vectors API",
        description = "Collections of texts, images and sounds in one vector space, and search in them by meaning.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    paths(
        collections::models,
        collections::create,
        collections::list,
        collections::show,
        collections::delete,
        status::show,
        items::index,
        items::list,
        items::delete,
        content::serve,
        search::search,
        admin::projects,
        admin::create_project,
        admin::keys,
        admin::create_key,
        admin::rotate_key,
        admin::revoke_key,
        health::live,
        health::ready,
        health::metrics
    ),
    tags(
        (name = "models", description = "What embeds"),
        (name = "collections", description = "Named sets of items, embedded with one model"),
        (name = "items", description = "What is embedded and stored"),
        (name = "search", description = "The items nearest to a query"),
        (name = "admin", description = "Projects and keys; needs a key with the scope admin"),
        (name = "health", description = "For whoever runs the service; needs no key")
    ),
    components(schemas(ErrorBody, ErrorDetail)),
    security(("key" = [])),
    modifiers(&Bearer, &OneInput)
)]
struct Api;

/// The one way to show who asks.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("vwk_ID_SECRET").build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// The rule about the five inputs.
struct OneInput;

impl Modify for OneInput {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        one_of::require_one_input(api);
    }
}

/// Write the description as JSON.
pub fn json() -> String {
    let text = Api::openapi().to_pretty_json().unwrap_or_default() + "\n";
    // utoipa 5 writes this one name of links as Rust has it.
    text.replace("\"operation_id\":", "\"operationId\":")
}

/// The body of every answer that is not a success.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "a schema only; the body is written in `error`")]
pub struct ErrorBody {
    error: ErrorDetail,
    /// What became of each item, where a request failed because its items did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<ItemError>,
}

#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "a schema only; the body is written in `error`")]
pub struct ErrorDetail {
    /// A word that never changes.
    #[schema(example = "invalid_request")]
    code: String,
    message: String,
    /// The parameter at fault.
    #[schema(required = true, example = "items[3].text")]
    param: Option<String>,
    request_id: String,
}

/// What a request without a body may be refused with.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "a description only")]
pub enum Refusals {
    /// A parameter is wrong: invalid_request
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// No key, or none in force: unauthorized
    #[response(status = 401)]
    Unauthorized(ErrorBody),
    /// The key's scopes do not reach so far: forbidden
    #[response(status = 403)]
    Forbidden(ErrorBody),
    /// There is no such thing in the project: not_found
    #[response(status = 404)]
    Missing(ErrorBody),
    /// The method is not one of this path: method_not_allowed
    #[response(status = 405)]
    Method(ErrorBody),
    /// Too many requests in a minute, or too many without a good key: rate_limited
    #[response(status = 429, headers(("retry-after" = u64, description = "Seconds after which to try again")))]
    Limited(ErrorBody),
    /// A failure of the service: internal
    #[response(status = 500)]
    Internal(ErrorBody),
    /// Overloaded or without database, engine or store
    #[response(status = 503, headers(("retry-after" = u64, description = "Seconds after which to try again")))]
    Unavailable(ErrorBody),
}

/// What else a request with a body may be refused with; listed after [`Refusals`], some of which it says more of.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "a description only")]
pub enum BodyRefusals {
    /// The body is no JSON (invalid_json) or a parameter is wrong (invalid_request, unknown_model)
    #[response(status = 400)]
    Invalid(ErrorBody),
    /// The body took too long to arrive: request_timeout
    #[response(status = 408)]
    Slow(ErrorBody),
    /// A name is taken (conflict), or the request is in progress (idempotency_in_flight)
    #[response(status = 409)]
    Conflict(ErrorBody),
    /// The body is too large: payload_too_large
    #[response(status = 413)]
    Large(ErrorBody),
    /// The body is not said to be JSON: unsupported_media_type
    #[response(status = 415)]
    MediaType(ErrorBody),
    /// What cannot be embedded (unsupported_input, fetch_failed, media_too_large, unsupported_media, decode_failed), or a key used twice (idempotency_mismatch)
    #[response(status = 422)]
    Unsupported(ErrorBody),
}

/// What requests about health may be answered instead.
#[derive(IntoResponses)]
#[allow(dead_code, reason = "a description only")]
pub enum Outages {
    /// A failure of the service: internal
    #[response(status = 500)]
    Internal(ErrorBody),
    /// Overloaded or without database, engine or store
    #[response(status = 503, headers(("retry-after" = u64, description = "Seconds after which to try again")))]
    Unavailable(ErrorBody),
}

/// The header of requests that are done once.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[allow(dead_code, reason = "a description only; the header is read in `idempotency`")]
pub struct IdempotencyKey {
    /// The same request under the same key is done once within 24 hours.
    #[param(min_length = 1, max_length = 255, pattern = "^[ -~]+$")]
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// The query string of an index request.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "a description only; it is read in `requests::items`")]
pub struct AtomicQuery {
    /// Whether one item that fails keeps all others out.
    #[param(default = false)]
    atomic: Option<bool>,
}

/// The query string of a content URL.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "a description only; it is read in `media::link`")]
pub struct ContentQuery {
    /// Until when the URL is good, in seconds since 1970.
    exp: u64,
    /// Which secret signed it.
    kid: String,
    sig: String,
}

/// The query string of a page.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "a description only; it is read in `requests::page`")]
pub struct PageQuery {
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i32>,
    /// Items to pass over; not with a cursor.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// The next_cursor of the page before.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    //! Guards the contract: any change of routes, fields or limits shows in `api/openapi.json`.
    use super::*;

    /// VW_OPENAPI_WRITE=1 writes the file anew, to be read before it is committed.
    #[test]
    fn the_description_is_the_one_that_is_pinned() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("VW_OPENAPI_WRITE").is_some() {
            std::fs::write(path, json()).expect("api can be written");
        }
        let pinned = std::fs::read_to_string(path).unwrap_or_default();
        assert!(pinned == json(), "the API has changed: VW_OPENAPI_WRITE=1 cargo test -p vw-api writes {path} anew");
    }

    /// The value of each `"name": "value"` line that stands this deep.
    fn values<'a>(text: &'a str, name: &str, indents: &[usize]) -> Vec<&'a str> {
        let line = format!("\"{name}\": \"");
        let deep = |line: &&str| indents.contains(&(line.len() - line.trim_start().len()));
        let found = text.lines().filter(deep).filter_map(|text| text.trim().strip_prefix(&line));
        found.filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn operations_have_names_of_their_own_and_links_lead_to_them() {
        let text = json();
        // An operation is the third object from the outermost, a link the seventh.
        let (names, links) = (values(&text, "operationId", &[8]), values(&text, "operationId", &[16]));
        let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
        assert!(distinct.len() == names.len() && names.len() > 15, "{names:?}");
        assert!(links.len() > 8 && links.iter().all(|link| distinct.contains(link)), "{links:?}");
    }

    #[test]
    fn every_route_of_the_api_is_described() {
        let routes = include_str!("../routes.rs").split("#[cfg(test)]").next().unwrap_or_default();
        let described = Api::openapi().paths.paths;
        let own: Vec<&str> = routes.split(".route(\"").skip(1).filter_map(|text| text.split('"').next()).collect();
        let silent = ["/", "/console/{name}", "/docs", "/openapi.json"];
        for route in own.iter().filter(|route| !silent.contains(&route.split('.').next().unwrap_or_default())) {
            assert!(described.contains_key(*route) || *route == "/openapi.json", "{route}");
        }
        assert!(own.len() > described.len() && described.len() >= 12, "{own:?}");
    }
}
