//! What a collection looks like from inside, as JSON.

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio_postgres::Row;
use utoipa::ToSchema;

use super::{get, rfc3339_or_null};
use crate::error::Result;

/// The model, size and index of a collection.
#[derive(Serialize, ToSchema)]
pub struct CollectionStatus {
    pub id: String,
    pub model: Pack,
    pub item_count: i64,
    /// What it takes on disk with all its indexes, in bytes, without the files of media.
    pub bytes: i64,
    /// Null where there is none yet; searches are exact then.
    #[schema(required = true)]
    pub index: Option<Index>,
    /// When dead rows were last removed.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schema(required = true)]
    pub vacuumed_at: Option<DateTime<Utc>>,
    /// When what the planner knows was last counted.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schema(required = true)]
    pub analyzed_at: Option<DateTime<Utc>>,
}

/// The very pack of a model that a collection was made with.
#[derive(Serialize, ToSchema)]
pub struct Pack {
    pub id: String,
    pub sha256: String,
}

/// What an index holds.
#[derive(Serialize, ToSchema)]
pub struct Index {
    pub lists: i64,
    pub longest_list: i64,
    /// Vectors in its lists.
    pub vectors: i64,
    /// Of them, those that are not packed yet.
    pub unpacked: i64,
    /// Places of deleted ones, which the next vacuum or split frees.
    pub deleted: i64,
    pub bytes: i64,
}

impl CollectionStatus {
    pub fn from_row(row: &Row) -> Result<CollectionStatus> {
        let index = match get(row, "index_bytes")? {
            None => None,
            Some(bytes) => Some(Index {
                lists: get(row, "lists")?,
                longest_list: get(row, "longest_list")?,
                vectors: get(row, "indexed")?,
                unpacked: get(row, "waiting")?,
                deleted: get(row, "deleted")?,
                bytes,
            }),
        };
        Ok(CollectionStatus {
            id: get(row, "collection_id")?,
            model: Pack { id: get(row, "model_id")?, sha256: get(row, "model_sha256")? },
            item_count: get(row, "items")?,
            bytes: get(row, "bytes")?,
            index,
            vacuumed_at: get(row, "vacuumed_at")?,
            analyzed_at: get(row, "analyzed_at")?,
        })
    }
}
