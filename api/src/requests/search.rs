//! The body of `POST …/search`.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio_postgres::types::Json;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::openapi::Filter;
use crate::{checks, json};

use super::filter;
use super::input::{Fields, Input};

/// A search, as sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Search)]
pub struct Body {
    /// The URL of an image. Exactly one of the five inputs is needed.
    #[schema(format = "uri", max_length = 2048)]
    image: Option<String>,
    /// An image in base64, bare or as a data URI.
    #[schema(min_length = 1, content_encoding = "base64")]
    image_base64: Option<String>,
    #[schema(
        min_length = 1,
        max_length = 32_000,
        pattern = r"^[^\u0000]*\S[^\u0000]*$",
        example = "white running shoes"
    )]
    text: Option<String>,
    /// The URL of a sound.
    #[schema(format = "uri", max_length = 2048)]
    audio: Option<String>,
    /// A sound in base64, bare or as a data URI.
    #[schema(min_length = 1, content_encoding = "base64")]
    audio_base64: Option<String>,
    #[serde(default, deserialize_with = "json::whole")]
    #[schema(minimum = 1, maximum = 100, default = 10)]
    top_k: Option<i64>,
    /// The least score.
    #[schema(minimum = 0, maximum = 1)]
    threshold: Option<f64>,
    /// What the metadata of a result must fit; see docs/filter.md.
    #[schema(value_type = Option<Filter>)]
    filter: Option<Box<RawValue>>,
}

/// A search.
#[derive(Debug)]
pub struct Query {
    pub input: Input,
    /// From 1 to 100.
    pub top_k: i32,
    /// The least score, from 0 to 1.
    pub threshold: Option<f64>,
    /// What an item's metadata must fit.
    pub filter: Option<Json<Value>>,
}

impl Query {
    /// Check a body.
    pub fn check(body: Body) -> Result<Query> {
        let top_k = checks::range("top_k", body.top_k.unwrap_or(10), 1, 100)?;
        if let Some(threshold) = body.threshold.filter(|threshold| !(0.0..=1.0).contains(threshold)) {
            return Err(Error::invalid("threshold", format!("threshold must be from 0 to 1, not {threshold}")));
        }
        let filter = body.filter.map(|raw| filter::check("filter", &raw)).transpose()?.map(Json);
        let Body { image, image_base64, text, audio, audio_base64, .. } = body;
        let input = Fields { image, image_base64, text, audio, audio_base64 }.check("")?;
        Ok(Query { input, top_k: i32::try_from(top_k).unwrap_or(100), threshold: body.threshold, filter })
    }
}

#[cfg(test)]
mod tests {
    //! Guards the ranges of the contract and the one-input rule of queries.
    use super::*;

    fn check(body: &str) -> Result<Query> {
        json::parse(body.as_bytes()).and_then(Query::check)
    }

    #[test]
    fn defaults() {
        let query = check(r#"{"text":"white running shoes"}"#).expect("good");
        assert_eq!((query.top_k, query.threshold), (10, None));
        assert!(query.filter.is_none());
        let full = check(r#"{"text":"a","top_k":100,"threshold":1,"filter":{"category":"footwear"}}"#).expect("good");
        assert_eq!((full.top_k, full.threshold), (100, Some(1.0)));
    }

    #[test]
    fn refusals() {
        let table = [
            (r#"{"text":"a","top_k":0}"#, Some("top_k")),
            (r#"{"text":"a","top_k":101}"#, Some("top_k")),
            (r#"{"text":"a","top_k":-1}"#, Some("top_k")),
            (r#"{"text":"a","top_k":2.5}"#, Some("top_k")),
            (r#"{"text":"a","top_k":"5"}"#, Some("top_k")),
            (r#"{"text":"a","top_k":99999999999999999999}"#, Some("top_k")),
            (r#"{"text":"a","top_k":1.5}"#, Some("top_k")),
            (r#"{"text":"a","top_k":1e300}"#, Some("top_k")),
            (r#"{"text":"a","threshold":1.01}"#, Some("threshold")),
            (r#"{"text":"a","threshold":-0.1}"#, Some("threshold")),
            (r#"{"text":"a","threshold":"x"}"#, Some("threshold")),
            (r#"{"text":"a","filter":[]}"#, Some("filter")),
            (r#"{"text":"a","filter":{"a":{}}}"#, Some("filter.a")),
            (r#"{"text":""}"#, Some("text")),
            (r#"{"text":"a","limit":1}"#, Some("limit")),
            (r#"{"top_k":1}"#, None),
            (r#"{"text":"a","image":"http://example.com"}"#, None),
        ];
        for (body, param) in table {
            assert_eq!(check(body).expect_err(body).param.as_deref(), param, "{body}");
        }
    }
}
