//! JSON into Rust such that every refusal says which parameter is at fault. Knows no particular request.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::error::Category;

use crate::error::{Code, Error, Result};

/// The longest message of ours that echoes a client's value, in characters.
const MAX_MESSAGE: usize = 300;

/// Parse a body that must be one object of the shape `T`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::new(Code::InvalidJson, "the body is empty; send a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed: std::result::Result<Object<T>, _> = serde_path_to_error::deserialize(&mut deserializer);
    let Object(value) = parsed.map_err(|error| refusal(bytes, &error))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Shorten a text that goes into a message.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Refuse a body; one that is no JSON at all is refused as that, wherever the parsing ended.
fn refusal(bytes: &[u8], error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    if error.inner().classify() != Category::Data {
        return malformed(error.inner());
    }
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(bytes) {
        return malformed(&error);
    }
    let path = error.path().to_string();
    Error::invalid(if path == "." { String::new() } else { path }, shorten(&error.inner().to_string()))
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::new(Code::InvalidJson, format!("the body is not valid JSON: {}", shorten(&error.to_string())))
}

/// A `T` written as a JSON object; serde alone would take an array of its fields as well.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Keys<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Keys<T> {
            type Value = Object<T>;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Keys(PhantomData))
    }
}

/// An array of at most `MAX` elements; one more ends the parsing, before it can cost memory.
#[derive(Debug)]
pub struct Capped<T, const MAX: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for Capped<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Elements<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Elements<T, MAX> {
            type Value = Capped<T, MAX>;
            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                write!(out, "an array of 1 to {MAX} elements")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() < MAX {
                    match seq.next_element()? {
                        Some(element) => elements.push(element),
                        None => return Ok(Capped(elements)),
                    }
                }
                match seq.next_element::<IgnoredAny>()? {
                    Some(_) => Err(A::Error::custom(format_args!("at most {MAX} elements are allowed"))),
                    None => Ok(Capped(elements)),
                }
            }
        }
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

/// The largest number up to which every integer is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Take an integer, which JSON may write as `5.0` too (JSON Schema, validation 6.1.1); null is none.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<i64>, D::Error> {
    struct Whole;
    impl Visitor<'_> for Whole {
        type Value = Option<i64>;
        fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
            out.write_str("an integer")
        }
        fn visit_i64<E: serde::de::Error>(self, value: i64) -> std::result::Result<Self::Value, E> {
            Ok(Some(value))
        }
        fn visit_u64<E: serde::de::Error>(self, value: u64) -> std::result::Result<Self::Value, E> {
            i64::try_from(value).map(Some).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
        }
        fn visit_f64<E: serde::de::Error>(self, value: f64) -> std::result::Result<Self::Value, E> {
            let exact = value.fract() == 0.0 && value.abs() <= EXACT;
            if exact { Ok(Some(value as i64)) } else { Err(E::invalid_value(Unexpected::Float(value), &self)) }
        }
        fn visit_unit<E: serde::de::Error>(self) -> std::result::Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(Whole)
}

#[cfg(test)]
mod tests {
    //! Guards the names of parameters in refusals, and that a hostile body is refused early.
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code)]
        size: Option<i64>,
        #[allow(dead_code)]
        raw: Option<Box<serde_json::value::RawValue>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        items: Option<Capped<Object<Inner>, 3>>,
    }

    fn failure(body: &str) -> (Code, Option<String>, String) {
        let error = parse::<Outer>(body.as_bytes()).expect_err(body);
        (error.code, error.param, error.message)
    }

    #[test]
    fn refusals_name_the_parameter() {
        let table = [
            (r#"{"items":[{},{"size":"x"}]}"#, Some("items[1].size")),
            (r#"{"items":[{},{"sise":1}]}"#, Some("items[1].sise")),
            (r#"{"items":[{},["x",null]]}"#, Some("items[1]")),
            (r#"{"items":[{},7]}"#, Some("items[1]")),
            (r#"{"items":{}}"#, Some("items")),
            (r#"{"item":[]}"#, Some("item")),
            (r#"{"items":[{},{},{},{}]}"#, Some("items")),
            (r#"[[]]"#, None),
            (r#""x""#, None),
        ];
        for (body, param) in table {
            let (code, found, message) = failure(body);
            assert_eq!((code, found.as_deref()), (Code::InvalidRequest, param), "{body}: {message}");
        }
    }

    #[test]
    fn what_is_not_json_is_invalid_json() {
        for body in [
            "",
            "  ",
            "{",
            "{\"items\":[}",
            "{} x",
            "nul",
            "{\"items\":[{\"raw\":{]}]}",
            "{\"item\":1",
            &"[".repeat(100_000),
        ] {
            assert_eq!(failure(body).0, Code::InvalidJson, "{body:.40}");
        }
        assert_eq!(parse::<Outer>(b"{\"items\":[{\"raw\":\"\xff\"}]}").expect_err("bytes").code, Code::InvalidJson);
    }

    #[test]
    fn good_bodies_pass() {
        let outer: Outer = parse(br#" {"items":[{"raw":{"a":[1]},"size":null},{"size":4}]} "#).expect("good");
        let items = outer.items.expect("given").0;
        assert_eq!(items[0].0.raw.as_ref().map(|raw| raw.get()), Some("{\"a\":[1]}"));
    }

    #[test]
    fn integers_in_any_spelling() {
        let read = |text: &str| whole(&mut serde_json::Deserializer::from_str(text)).ok();
        for (text, value) in [("5", 5), ("5.0", 5), ("5e0", 5), ("-3", -3), ("9007199254740992.0", 1 << 53)] {
            assert_eq!(read(text), Some(Some(value)), "{text}");
        }
        assert_eq!(read("null"), Some(None));
        for bad in ["5.5", "\"5\"", "true", "[5]", "1e300", "18446744073709551615"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn echoes_are_short() {
        let (_, _, message) = failure(&format!("{{\"items\":\"{}\"}}", "é".repeat(5000)));
        assert!(message.chars().count() <= MAX_MESSAGE + 1);
    }
}
