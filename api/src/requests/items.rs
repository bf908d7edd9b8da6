//! The bodies of `POST …/index` and `DELETE …/items`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio_postgres::types::Json;
use utoipa::ToSchema;

use crate::checks;
use crate::error::{Error, Result};
use crate::json::{Capped, Object};

use super::input::{Fields, Input, Kind};

/// The most items in one request.
const MAX_ITEMS: usize = 100;

/// The most ids in one request to delete.
const MAX_IDS: usize = 1000;

/// Items to index, as sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewItems)]
pub struct Body {
    #[schema(value_type = Vec<ItemBody>, min_items = 1, max_items = 100)]
    items: Option<Capped<Object<ItemBody>, MAX_ITEMS>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewItem)]
pub struct ItemBody {
    /// An id of your own; the item that has it already is replaced.
    #[schema(pattern = "^[A-Za-z0-9_.:-]{1,128}$")]
    id: Option<String>,
    /// The URL of an image. Exactly one of the five inputs is needed.
    #[schema(format = "uri")]
    image: Option<String>,
    /// An image in base64, bare or as a data URI.
    image_base64: Option<String>,
    #[schema(min_length = 1, max_length = 32_000, example = "Red leather running shoes with white soles")]
    text: Option<String>,
    /// The URL of a sound.
    #[schema(format = "uri")]
    audio: Option<String>,
    /// A sound in base64.
    audio_base64: Option<String>,
    /// At most 16 KiB, eight levels deep.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
}

/// Items to index, one column a field; all columns that are there have the same length.
#[derive(Debug, Default)]
pub struct NewItems {
    pub texts: Option<Vec<Option<String>>>,
    pub images: Option<Vec<Option<Vec<u8>>>>,
    pub audios: Option<Vec<Option<Vec<u8>>>>,
    pub metadata: Vec<Json<Value>>,
    pub ids: Option<Vec<Option<String>>>,
    /// The first item that comes as a URL: its parameter and its kind.
    pub url: Option<(String, Kind)>,
}

impl NewItems {
    /// Check a body.
    pub fn check(body: Body) -> Result<NewItems> {
        let Capped(items) = checks::required("items", body.items)?;
        if items.is_empty() {
            return Err(Error::invalid("items", "items must hold 1 to 100 items"));
        }
        let (mut columns, mut seen, count) = (NewItems::default(), HashMap::new(), items.len());
        for (index, Object(item)) in items.into_iter().enumerate() {
            let place = format!("items[{index}]");
            if let Some(id) = item.id {
                let param = format!("{place}.id");
                checks::item_id(&param, &id)?;
                if let Some(first) = seen.insert(id.clone(), index) {
                    return Err(Error::invalid(param, format!("{place} has the id of items[{first}]")));
                }
                put(&mut columns.ids, index, count, id);
            }
            columns.metadata.push(Json(match item.metadata {
                Some(raw) => checks::metadata(&format!("{place}.metadata"), &raw)?,
                None => Value::Object(Map::new()),
            }));
            let ItemBody { image, image_base64, text, audio, audio_base64, .. } = item;
            let fields = Fields { image, image_base64, text, audio, audio_base64 };
            columns.take(fields.check(&place)?, index, count, &place);
        }
        Ok(columns)
    }

    fn take(&mut self, input: Input, index: usize, count: usize, place: &str) {
        match input {
            Input::Text(text) => put(&mut self.texts, index, count, text),
            Input::Bytes(Kind::Image, bytes) => put(&mut self.images, index, count, bytes),
            Input::Bytes(Kind::Audio, bytes) => put(&mut self.audios, index, count, bytes),
            Input::Url(kind) => {
                self.url.get_or_insert_with(|| (format!("{place}.{}", kind.word()), kind));
            }
        }
    }
}

/// Set one place of a column that begins to exist with its first value.
fn put<T: Clone>(column: &mut Option<Vec<Option<T>>>, index: usize, count: usize, value: T) {
    if let Some(place) = column.get_or_insert_with(|| vec![None; count]).get_mut(index) {
        *place = Some(value);
    }
}

/// Items to delete, as sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ItemsToDelete)]
pub struct DeleteBody {
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 1000)]
    ids: Option<Capped<String, MAX_IDS>>,
}

/// The ids of items to delete, those that only SQL can have given included.
#[derive(Debug)]
pub struct DoomedItems(pub Vec<String>);

impl DoomedItems {
    /// Check a body.
    pub fn check(body: DeleteBody) -> Result<DoomedItems> {
        let Capped(ids) = checks::required("ids", body.ids)?;
        if ids.is_empty() {
            return Err(Error::invalid("ids", "ids must hold 1 to 1000 ids"));
        }
        for (index, id) in ids.iter().enumerate() {
            checks::filled(&format!("ids[{index}]"), id, 128)?;
        }
        Ok(DoomedItems(ids))
    }
}

#[cfg(test)]
mod tests {
    //! Guards whole-request validation: one bad item among a hundred is named, and nothing of the request is done.
    use super::*;
    use crate::json;

    fn check(body: &str) -> Result<NewItems> {
        json::parse(body.as_bytes()).and_then(NewItems::check)
    }

    fn doomed(body: &str) -> Result<DoomedItems> {
        json::parse(body.as_bytes()).and_then(DoomedItems::check)
    }

    fn many(count: usize) -> String {
        format!("{{\"items\":[{}]}}", vec![r#"{"text":"a"}"#; count].join(","))
    }

    #[test]
    fn columns_line_up() {
        let items =
            check(r#"{"items":[{"text":"a"},{"image_base64":"AAAA","id":"x","metadata":{"k":1}}]}"#).expect("good");
        assert_eq!(items.texts, Some(vec![Some("a".to_owned()), None]));
        assert_eq!(items.images, Some(vec![None, Some(vec![0, 0, 0])]));
        assert_eq!(items.audios, None);
        assert_eq!(items.ids, Some(vec![None, Some("x".to_owned())]));
        assert_eq!(
            items.metadata.iter().map(|Json(value)| value.to_string()).collect::<Vec<_>>(),
            ["{}", r#"{"k":1}"#]
        );
        let url = check(r#"{"items":[{"text":"a"},{"audio":"http://example.com/a"}]}"#).expect("well-formed");
        assert_eq!(url.url, Some(("items[1].audio".to_owned(), Kind::Audio)));
    }

    #[test]
    fn refusals_name_the_item() {
        let table = [
            ("{}", "items"),
            (r#"{"items":[]}"#, "items"),
            (r#"{"items":null}"#, "items"),
            (r#"{"items":[{"text":"a"},{}]}"#, "items[1]"),
            (r#"{"items":[{"text":"a"},{"text":"a","audio":"b"}]}"#, "items[1]"),
            (r#"{"items":[{"text":"a","metadata":[]}]}"#, "items[0].metadata"),
            (r#"{"items":[{"text":"a","metadata":"x"}]}"#, "items[0].metadata"),
            (r#"{"items":[{"text":"a","metadata":{"x":"\u0000"}}]}"#, "items[0].metadata"),
            (r#"{"items":[{"text":"\u0000"}]}"#, "items[0].text"),
            (r#"{"items":[{"text":7}]}"#, "items[0].text"),
            (r#"{"items":[{"text":"a","id":"a b"}]}"#, "items[0].id"),
            (r#"{"items":[{"text":"a","id":"x"},{"text":"b"},{"text":"c","id":"x"}]}"#, "items[2].id"),
            (r#"{"items":[{"text":"a","size":1}]}"#, "items[0].size"),
            (r#"{"items":[{"image":"nowhere"}]}"#, "items[0].image"),
        ];
        for (body, param) in table {
            assert_eq!(check(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }

    #[test]
    fn a_hundred_items_and_no_more() {
        assert_eq!(check(&many(100)).expect("good").metadata.len(), 100);
        assert_eq!(check(&many(101)).expect_err("too many").param.as_deref(), Some("items"));
    }

    #[test]
    fn ids_to_delete() {
        assert_eq!(doomed(r#"{"ids":["a","a"]}"#).expect("good").0.len(), 2);
        let table = [
            ("{}", "ids"),
            (r#"{"ids":[]}"#, "ids"),
            (r#"{"ids":["a",1]}"#, "ids[1]"),
            (r#"{"ids":["\u0000"]}"#, "ids[0]"),
        ];
        for (body, param) in table {
            assert_eq!(doomed(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }
}
