//! One handler a route, one statement a handler. What is sent is checked in `requests`; what is answered is in `types`.

pub mod admin;
pub mod collections;
pub mod content;
pub mod health;
pub mod items;
pub mod search;
pub mod status;

use axum::Json;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::error::{Code, Error, Result};
use crate::requests::Kind;
use crate::types::Collection;

/// What a handler gives.
pub type Reply<T> = Result<Json<T>>;

/// The id of a collection in a path. One that cannot be an id is the id of no collection.
pub struct CollectionId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for CollectionId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let path: Option<Path<String>> = Path::from_request_parts(parts, state).await.ok();
        let id = path.map(|Path(id)| id).unwrap_or_default();
        if is_collection_id(&id) { Ok(CollectionId(id)) } else { Err(no_collection(&id)) }
    }
}

/// Tell whether a word has the form of a collection's id, `col_` and a ULID; a collection's name is not for URLs.
fn is_collection_id(id: &str) -> bool {
    let ulid = id.strip_prefix("col_").unwrap_or_default();
    ulid.len() == 26 && ulid.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

fn no_collection(id: &str) -> Error {
    let id: String = id.chars().take(100).collect();
    Error::new(Code::NotFound, format!("collection \"{id}\" does not exist")).at("collection")
}

/// Check that a collection's model takes a kind of media, before any is fetched for it.
fn takes(collection: &Collection, kind: Kind) -> Result<()> {
    let (word, model) = (kind.word(), &collection.model_id);
    if collection.types.iter().any(|known| known == word) {
        return Ok(());
    }
    let message = format!("model \"{model}\" embeds {}, not {word}", collection.types.join(" and "));
    Err(Error::new(Code::UnsupportedInput, message).at(word))
}

#[cfg(test)]
mod tests {
    //! Guards that a URL's word reaches the database only as an id.
    use super::*;

    #[test]
    fn collection_ids() {
        assert!(is_collection_id("col_01ARZ3NDEKTSV4RRFFQ69G5FAV"));
        for bad in [
            "",
            "col_",
            "my-collection",
            "col_01ARZ3NDEKTSV4RRFFQ69G5FA",
            "item_01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "col_01arz3ndektsv4rrffq69g5fav",
            "col_\0",
        ] {
            assert!(!is_collection_id(bad), "{bad}");
        }
    }
}
