//! The bodies of `POST …/index` and `DELETE …/items`.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio_postgres::types::Json;
use url::form_urlencoded;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};

use crate::checks;
use crate::error::{Error, Result};
use crate::json::{Capped, Object, shorten};

use super::input::{Fields, Input};

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
    #[schema(format = "uri", max_length = 2048)]
    image: Option<String>,
    /// An image in base64, bare or as a data URI.
    #[schema(min_length = 1, content_encoding = "base64")]
    image_base64: Option<String>,
    #[schema(
        min_length = 1,
        max_length = 32_000,
        pattern = r"^[^\u0000]*\S[^\u0000]*$",
        example = "Red leather running shoes with white soles"
    )]
    text: Option<String>,
    /// The URL of a sound.
    #[schema(format = "uri", max_length = 2048)]
    audio: Option<String>,
    /// A sound in base64, bare or as a data URI.
    #[schema(min_length = 1, content_encoding = "base64")]
    audio_base64: Option<String>,
    /// At most 16 KiB, eight levels deep.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Box<RawValue>>,
}

/// Items to index.
#[derive(Debug)]
pub struct NewItems(pub Vec<NewItem>);

/// An item to index.
#[derive(Debug)]
pub struct NewItem {
    pub id: Option<String>,
    pub input: Input,
    pub metadata: Json<Value>,
}

impl NewItems {
    /// Check a body.
    pub fn check(body: Body) -> Result<NewItems> {
        let Capped(items) = checks::required("items", body.items)?;
        if items.is_empty() {
            return Err(Error::invalid("items", "items must hold 1 to 100 items"));
        }
        let (mut checked, mut seen) = (Vec::with_capacity(items.len()), HashMap::new());
        for (index, Object(item)) in items.into_iter().enumerate() {
            let place = format!("items[{index}]");
            if let Some(id) = &item.id {
                let param = format!("{place}.id");
                checks::item_id(&param, id)?;
                if let Some(first) = seen.insert(id.clone(), index) {
                    return Err(Error::invalid(param, format!("{place} has the id of items[{first}]")));
                }
            }
            checked.push(item.check(&place)?);
        }
        Ok(NewItems(checked))
    }
}

impl ItemBody {
    fn check(self, place: &str) -> Result<NewItem> {
        let metadata = Json(match self.metadata {
            Some(raw) => checks::metadata(&format!("{place}.metadata"), &raw)?,
            None => Value::Object(Map::new()),
        });
        let ItemBody { id, image, image_base64, text, audio, audio_base64, .. } = self;
        let input = Fields { image, image_base64, text, audio, audio_base64 }.check(place)?;
        Ok(NewItem { id, input, metadata })
    }
}

/// Read the query string of `POST …/index`: whether one item that fails keeps the others out.
pub fn atomic(query: Option<&str>) -> Result<bool> {
    let mut atomic = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "atomic" {
            let name = shorten(&name);
            return Err(Error::invalid(name.clone(), format!("unknown query parameter \"{name}\"; atomic is known")));
        }
        let wanted = match value.as_ref() {
            "true" => true,
            "false" => false,
            _ => return Err(Error::invalid("atomic", "atomic must be true or false")),
        };
        if atomic.replace(wanted).is_some() {
            return Err(Error::invalid("atomic", "atomic is given twice"));
        }
    }
    Ok(atomic.unwrap_or(false))
}

/// The ids of items that are there, as the documentation has them.
fn stored_ids() -> Array {
    let id = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(128));
    ArrayBuilder::new()
        .items(id.pattern(Some(r"^[^\u0000]*\S[^\u0000]*$")))
        .min_items(Some(1))
        .max_items(Some(MAX_IDS))
        .build()
}

/// Items to delete, as sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ItemsToDelete)]
pub struct DeleteBody {
    #[schema(required = true, schema_with = stored_ids)]
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
    use crate::media::forms::Source;
    use crate::requests::Kind;

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
    fn items_are_what_was_sent() {
        let NewItems(items) = check(
            r#"{"items":[{"text":"a"},{"image_base64":"AAAA","id":"x","metadata":{"k":1}},{"audio":"http://example.com/a"}]}"#,
        )
        .expect("good");
        assert_eq!(items[0].input, Input::Text("a".to_owned()));
        assert_eq!(items[1].input, Input::Media(Kind::Image, Source::Bytes(vec![0, 0, 0])));
        assert_eq!(items[2].input, Input::Media(Kind::Audio, Source::Url("http://example.com/a".to_owned())));
        assert_eq!(items.iter().map(|item| item.id.as_deref()).collect::<Vec<_>>(), [None, Some("x"), None]);
        let metadata: Vec<_> = items.iter().map(|item| item.metadata.0.to_string()).collect();
        assert_eq!(metadata, ["{}", r#"{"k":1}"#, "{}"]);
    }

    #[test]
    fn whole_or_in_part() {
        for (query, wanted) in
            [(None, false), (Some(""), false), (Some("atomic=true"), true), (Some("atomic=false"), false)]
        {
            assert_eq!(atomic(query).expect("good"), wanted, "{query:?}");
        }
        for (query, param) in
            [("atomic=1", "atomic"), ("atomic", "atomic"), ("atomic=true&atomic=true", "atomic"), ("x=1", "x")]
        {
            assert_eq!(atomic(Some(query)).expect_err(query).param.as_deref(), Some(param));
        }
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
        assert_eq!(check(&many(100)).expect("good").0.len(), 100);
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
