//! The bodies of responses, and the rows that they are made of. The only place where columns become JSON.

mod admin;
mod status;

pub use admin::{KeyInfo, Keys, MadeKey, Project, Projects, Tower};
pub use status::CollectionStatus;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Json};
use utoipa::ToSchema;

use crate::error::{Error, ItemError, Result};
use crate::requests::Page;
use crate::requests::page::Cursor;

/// Read a column; a wrong name or type is a mistake of ours.
pub fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T> {
    row.try_get(column).map_err(|error| Error::internal(format!("column {column}: {error}")))
}

/// A time in RFC 3339, UTC, with milliseconds.
fn rfc3339<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn rfc3339_or_null<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}

/// An embedding model.
#[derive(Serialize, ToSchema)]
pub struct Model {
    pub id: String,
    pub name: String,
    pub types: Vec<String>,
    pub dimensions: i32,
    pub metric: String,
    /// Of its pack: another pack of the same id has another one, and its vectors are not to be compared.
    pub sha256: String,
}

impl Model {
    pub fn from_row(row: &Row) -> Result<Model> {
        Ok(Model {
            id: get(row, "id")?,
            name: get(row, "name")?,
            types: get(row, "types")?,
            dimensions: get(row, "dimensions")?,
            metric: get(row, "metric")?,
            sha256: get(row, "sha256")?,
        })
    }
}

/// A collection.
#[derive(Serialize, ToSchema)]
pub struct Collection {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub model_id: String,
    pub dimensions: i32,
    pub metric: String,
    pub item_count: i64,
    #[serde(serialize_with = "rfc3339")]
    pub created_at: DateTime<Utc>,
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: DateTime<Utc>,
    /// What the model embeds; part of `models`, not of the response.
    #[serde(skip)]
    pub types: Vec<String>,
}

impl Collection {
    pub fn from_row(row: &Row) -> Result<Collection> {
        Ok(Collection {
            id: get(row, "id")?,
            name: get(row, "name")?,
            description: get(row, "description")?,
            model_id: get(row, "model_id")?,
            dimensions: get(row, "dimensions")?,
            metric: get(row, "metric")?,
            item_count: get(row, "item_count")?,
            created_at: get(row, "created_at")?,
            updated_at: get(row, "updated_at")?,
            types: get(row, "types")?,
        })
    }
}

/// An indexed item, as listed. Metadata goes through as the database wrote it, so that no number loses digits.
#[derive(Serialize, ToSchema)]
pub struct Item {
    pub id: String,
    pub content_type: String,
    pub text: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
    pub content_url: Option<String>,
    /// The key of its file; the URL is made of it.
    #[serde(skip)]
    pub media_key: Option<String>,
    #[serde(serialize_with = "rfc3339")]
    pub created_at: DateTime<Utc>,
    #[serde(serialize_with = "rfc3339")]
    pub updated_at: DateTime<Utc>,
}

impl Item {
    /// Read an item; None where the row stands for an empty page.
    pub fn from_row(row: &Row) -> Result<Option<Item>> {
        let Some(id) = get(row, "id")? else { return Ok(None) };
        Ok(Some(Item {
            id,
            content_type: get(row, "content_type")?,
            text: get(row, "content")?,
            metadata: get::<Json<_>>(row, "metadata")?.0,
            content_url: None,
            media_key: get(row, "media_key")?,
            created_at: get(row, "created_at")?,
            updated_at: get(row, "updated_at")?,
        }))
    }
}

/// What became of one item of an index request.
#[derive(Serialize, ToSchema)]
pub struct Indexed {
    /// The item's place in the request, from 0.
    pub index: usize,
    pub id: String,
    /// `created` or `updated`.
    pub status: String,
    pub tokens: i32,
    pub truncated: bool,
}

impl Indexed {
    pub fn from_row(index: usize, row: &Row) -> Result<Indexed> {
        Ok(Indexed {
            index,
            id: get(row, "id")?,
            status: get(row, "status")?,
            tokens: get(row, "tokens")?,
            truncated: get(row, "truncated")?,
        })
    }
}

/// An item that was found.
#[derive(Serialize, ToSchema)]
pub struct Hit {
    pub id: String,
    pub score: f64,
    pub content_type: String,
    #[schema(value_type = Object)]
    pub metadata: Box<RawValue>,
    pub content_url: Option<String>,
    pub text: Option<String>,
    /// The key of its file; the URL is made of it.
    #[serde(skip)]
    pub media_key: Option<String>,
}

impl Hit {
    /// Read a hit; None where the row stands for an empty result.
    pub fn from_row(row: &Row) -> Result<Option<Hit>> {
        let Some(id) = get(row, "id")? else { return Ok(None) };
        Ok(Some(Hit {
            id,
            score: get(row, "score")?,
            content_type: get(row, "content_type")?,
            metadata: get::<Json<_>>(row, "metadata")?.0,
            content_url: None,
            text: get(row, "content")?,
            media_key: get(row, "media_key")?,
        }))
    }
}

/// The tokens that a request's inputs came to.
#[derive(Serialize, ToSchema)]
pub struct Usage {
    pub input_tokens: i64,
}

#[derive(Serialize, ToSchema)]
pub struct Models {
    pub models: Vec<Model>,
}

#[derive(Serialize, ToSchema)]
pub struct Collections {
    pub collections: Vec<Collection>,
}

#[derive(Serialize, ToSchema)]
pub struct DeletedCollection {
    pub id: String,
    pub deleted: bool,
}

#[derive(Serialize, ToSchema)]
pub struct IndexReport {
    pub indexed: usize,
    pub model: String,
    pub usage: Usage,
    pub items: Vec<Indexed>,
    /// The items that failed; not there where none did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<ItemError>,
}

#[derive(Serialize, ToSchema)]
pub struct ItemPage {
    pub items: Vec<Item>,
    pub total: i64,
    pub limit: i32,
    pub offset: i64,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

impl ItemPage {
    /// Make a page out of the items found, of which one more than the page holds shows that there is another.
    pub fn new(mut items: Vec<Item>, total: i64, page: &Page) -> ItemPage {
        let full = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = items.len() > full;
        items.truncate(full);
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|item| Cursor { time: item.created_at, id: item.id.clone() }.text());
        ItemPage { items, total, limit: page.limit, offset: page.offset, next_cursor }
    }
}

#[derive(Serialize, ToSchema)]
pub struct DeletedItems {
    pub deleted: i64,
}

#[derive(Serialize, ToSchema)]
pub struct SearchReport {
    pub results: Vec<Hit>,
    pub model: String,
    pub usage: Usage,
}

#[derive(Serialize, ToSchema)]
pub struct Health {
    pub status: &'static str,
}

#[cfg(test)]
mod tests {
    //! Guards the exact fields of the contract, and the form of times.
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_those_of_the_contract() {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(1_700_000_000_120).expect("a time");
        let collection = Collection {
            id: "col_1".into(),
            name: "a".into(),
            description: None,
            model_id: "m".into(),
            dimensions: 1024,
            metric: "COSINE".into(),
            item_count: 3,
            created_at: time,
            updated_at: time,
            types: vec!["text".into()],
        };
        let wanted = json!({"id": "col_1", "name": "a", "description": null, "model_id": "m", "dimensions": 1024,
            "metric": "COSINE", "item_count": 3, "created_at": "2023-11-14T22:13:20.120Z",
            "updated_at": "2023-11-14T22:13:20.120Z"});
        assert_eq!(serde_json::to_value(&collection).expect("JSON"), wanted);
        let hit = Hit {
            id: "item_1".into(),
            score: 0.952,
            content_type: "text".into(),
            metadata: RawValue::from_string(r#"{"n":12345678901234567890123}"#.into()).expect("JSON"),
            content_url: None,
            text: Some("t".into()),
            media_key: None,
        };
        let text = serde_json::to_string(&hit).expect("JSON");
        let wanted = r#"{"id":"item_1","score":0.952,"content_type":"text","metadata":{"n":12345678901234567890123},"content_url":null,"text":"t"}"#;
        assert_eq!(text, wanted);
    }
}
