//! What a request can fail with, and how the client is told. Not how a database's conditions map to it: `sqlstate`.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};
use serde_json::json;
use utoipa::ToSchema;

/// The kinds of failure; each has a status and a code that never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    InvalidJson,
    InvalidRequest,
    UnknownModel,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    IdempotencyInFlight,
    IdempotencyMismatch,
    PayloadTooLarge,
    UnsupportedMediaType,
    UnsupportedInput,
    FetchFailed,
    MediaTooLarge,
    UnsupportedMedia,
    DecodeFailed,
    InvalidContentUrl,
    RangeNotSatisfiable,
    RateLimited,
    Internal,
    EngineUnavailable,
    Overloaded,
    Timeout,
    DatabaseUnavailable,
    StoreUnavailable,
}

impl Code {
    /// The HTTP status, and the word in the error body.
    pub fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Code::InvalidJson => (StatusCode::BAD_REQUEST, "invalid_json"),
            Code::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
            Code::UnknownModel => (StatusCode::BAD_REQUEST, "unknown_model"),
            Code::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Code::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Code::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Code::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Code::RequestTimeout => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Code::Conflict => (StatusCode::CONFLICT, "conflict"),
            Code::IdempotencyInFlight => (StatusCode::CONFLICT, "idempotency_in_flight"),
            Code::IdempotencyMismatch => (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_mismatch"),
            Code::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            Code::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Code::UnsupportedInput => (StatusCode::UNPROCESSABLE_ENTITY, "unsupported_input"),
            Code::FetchFailed => (StatusCode::UNPROCESSABLE_ENTITY, "fetch_failed"),
            Code::MediaTooLarge => (StatusCode::UNPROCESSABLE_ENTITY, "media_too_large"),
            Code::UnsupportedMedia => (StatusCode::UNPROCESSABLE_ENTITY, "unsupported_media"),
            Code::DecodeFailed => (StatusCode::UNPROCESSABLE_ENTITY, "decode_failed"),
            Code::InvalidContentUrl => (StatusCode::FORBIDDEN, "invalid_content_url"),
            Code::RangeNotSatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable"),
            Code::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Code::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Code::EngineUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "engine_unavailable"),
            Code::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Code::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            Code::DatabaseUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "database_unavailable"),
            Code::StoreUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
        }
    }

    /// What the client may try, as a header.
    fn header(self) -> Option<(HeaderName, &'static str)> {
        match self {
            Code::Unauthorized => Some((header::WWW_AUTHENTICATE, "Bearer")),
            Code::EngineUnavailable | Code::DatabaseUnavailable | Code::StoreUnavailable => {
                Some((header::RETRY_AFTER, "5"))
            }
            Code::Overloaded | Code::Timeout | Code::IdempotencyInFlight => Some((header::RETRY_AFTER, "1")),
            _ => None,
        }
    }
}

/// A failed request: all that the client is told, and a cause that only the log is told.
#[derive(Clone, Debug)]
pub struct Error {
    pub code: Code,
    pub param: Option<String>,
    pub message: String,
    pub cause: Option<String>,
    /// Seconds after which to try again, where they are known.
    pub retry_after: Option<u64>,
    /// What became of each item, where a request failed because all of its items did.
    pub items: Vec<ItemError>,
}

/// Why one item of a request failed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ItemError {
    /// The item's place in the request, from 0.
    pub index: usize,
    #[serde(serialize_with = "word")]
    #[schema(value_type = String, example = "fetch_failed")]
    pub code: Code,
    pub message: String,
}

fn word<S: Serializer>(code: &Code, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(code.parts().1)
}

/// The result of everything that can fail in a request.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Make an error that names no parameter.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error { code, param: None, message: message.into(), cause: None, items: Vec::new(), retry_after: None }
    }

    /// Make a refusal of what the client sent as `param`.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Error {
        Error::new(Code::InvalidRequest, message).at(param)
    }

    /// Make a failure of ours; the client learns nothing but the request's id.
    pub fn internal(cause: impl Into<String>) -> Error {
        Error::new(Code::Internal, "something went wrong on the server; quote the request_id when you report it")
            .because(cause)
    }

    /// Name the parameter at fault; an empty name is none.
    pub fn at(mut self, param: impl Into<String>) -> Error {
        self.param = Some(param.into()).filter(|param| !param.is_empty());
        self
    }

    /// Add a cause for the log.
    pub fn because(mut self, cause: impl Into<String>) -> Error {
        self.cause = Some(cause.into());
        self
    }

    /// Say when to try again.
    pub fn retry_after(mut self, seconds: u64) -> Error {
        self.retry_after = Some(seconds);
        self
    }

    /// Give the JSON body of the error.
    pub fn body(&self, request_id: &str) -> String {
        let (_, word) = self.code.parts();
        let mut body =
            json!({"error": {"code": word, "message": self.message, "param": self.param, "request_id": request_id}});
        if let (false, Some(fields)) = (self.items.is_empty(), body.as_object_mut()) {
            fields.insert("errors".to_owned(), json!(self.items));
        }
        body.to_string()
    }
}

/// Only status, headers and the error itself, as an extension: `outer` writes the body, since it knows the request's id.
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.code.parts().0.into_response();
        if let Some((name, value)) = self.code.header() {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    //! Guards the error body and the headers, which clients branch on.
    use super::*;

    #[test]
    fn bodies_have_four_fields() {
        let body: serde_json::Value =
            serde_json::from_str(&Error::invalid("items[3].text", "too \"long\"").body("req_1")).expect("JSON");
        let wanted = json!({"error": {"code": "invalid_request", "message": "too \"long\"",
            "param": "items[3].text", "request_id": "req_1"}});
        assert_eq!(body, wanted);
        let bare: serde_json::Value = serde_json::from_str(&Error::internal("secret").body("r")).expect("JSON");
        assert!(bare["error"]["param"].is_null());
        assert!(!bare.to_string().contains("secret") && bare.get("errors").is_none());
        let mut failed = Error::new(Code::FetchFailed, "no");
        failed.items = vec![ItemError { index: 3, code: Code::FetchFailed, message: "no".to_owned() }];
        let body: serde_json::Value = serde_json::from_str(&failed.body("r")).expect("JSON");
        assert_eq!(body["errors"], json!([{"index": 3, "code": "fetch_failed", "message": "no"}]));
    }

    #[test]
    fn headers_follow_the_code() {
        let unauthorized = Error::new(Code::Unauthorized, "no").into_response();
        assert_eq!(unauthorized.headers()[header::WWW_AUTHENTICATE], "Bearer");
        for code in [Code::EngineUnavailable, Code::DatabaseUnavailable, Code::Overloaded, Code::Timeout] {
            let response = Error::new(code, "no").into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key(header::RETRY_AFTER));
        }
    }
}
