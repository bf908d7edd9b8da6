//! Checks on single values that several requests share. Not the shapes of requests: `requests`.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// The longest serialised metadata or filter, in bytes.
const MAX_OBJECT: usize = 16 * 1024;

/// The deepest nesting of metadata, the object itself included.
const MAX_DEPTH: usize = 8;

/// The longest text that may be embedded, in characters.
const MAX_TEXT: usize = 32_000;

/// Take a value that must be there.
pub fn required<T>(param: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::invalid(param, format!("{param} is required")))
}

/// Check a string of at most `max` characters that has no NUL, which the database cannot store.
pub fn string(param: &str, value: &str, max: usize) -> Result<()> {
    if value.contains('\0') {
        return Err(Error::invalid(param, format!("{param} must not contain the character U+0000")));
    }
    // Only a string with more bytes than that can have more characters.
    let length = if value.len() > max { value.chars().count() } else { 0 };
    if length > max {
        return Err(Error::invalid(param, format!("{param} has {length} characters; at most {max} are allowed")));
    }
    Ok(())
}

/// Check a string that must also say something.
pub fn filled(param: &str, value: &str, max: usize) -> Result<()> {
    string(param, value, max)?;
    if value.trim().is_empty() {
        return Err(Error::invalid(param, format!("{param} must not be empty")));
    }
    Ok(())
}

/// Check a text to embed.
pub fn text(param: &str, value: &str) -> Result<()> {
    filled(param, value, MAX_TEXT)
}

/// Check an item's id.
pub fn item_id(param: &str, value: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-');
    if value.is_empty() || value.len() > 128 || !value.bytes().all(good) {
        return Err(Error::invalid(param, format!("{param} must be 1 to 128 of the characters A-Z a-z 0-9 _ . : -")));
    }
    Ok(())
}

/// Check an integer against its range.
pub fn range(param: &str, value: i64, low: i64, high: i64) -> Result<i64> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(Error::invalid(param, format!("{param} must be an integer from {low} to {high}, not {value}")))
}

/// Parse an item's metadata. Numbers are kept as 64-bit integers or doubles.
pub fn metadata(param: &str, raw: &RawValue) -> Result<Value> {
    let value = object(param, raw)?;
    if depth(&value) > MAX_DEPTH {
        return Err(Error::invalid(param, format!("{param} is nested deeper than {MAX_DEPTH} levels")));
    }
    Ok(value)
}

/// Parse an object that the database can store, of at most 16 KiB.
pub fn object(param: &str, raw: &RawValue) -> Result<Value> {
    let too_large = || Error::invalid(param, format!("{param} is larger than {MAX_OBJECT} bytes of JSON"));
    // White space and escapes may make the raw text longer than what counts, but not without bound.
    if raw.get().len() > 8 * MAX_OBJECT {
        return Err(too_large());
    }
    let value: Value = serde_json::from_str(raw.get())
        .map_err(|error| Error::invalid(param, format!("{param} cannot be read: {error}")))?;
    if !value.is_object() {
        return Err(Error::invalid(param, format!("{param} must be an object")));
    }
    if value.to_string().len() > MAX_OBJECT {
        return Err(too_large());
    }
    if has_nul(&value) {
        return Err(Error::invalid(param, format!("{param} must not contain the character U+0000")));
    }
    Ok(value)
}

/// Count the levels of objects and arrays; a scalar has none.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(elements) => elements.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    //! Guards limits that the database would otherwise meet as errors of ours (NUL), or as a load (size, depth).
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).expect("JSON")
    }

    #[test]
    fn strings() {
        assert!(string("name", &"é".repeat(100), 100).is_ok());
        assert!(string("name", &"é".repeat(101), 100).is_err());
        assert!(string("name", "a\0b", 100).is_err());
        assert!(filled("name", " \n\t", 100).is_err());
        assert!(text("text", &"x".repeat(32_000)).is_ok());
        assert!(text("text", &"x".repeat(32_001)).is_err());
    }

    #[test]
    fn ids() {
        for good in ["a", "A-1_b.c:d", &"x".repeat(128)] {
            assert!(item_id("id", good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "é", "a/b", "a\0", &"x".repeat(129)] {
            assert!(item_id("id", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn metadata_is_a_small_flat_enough_object() {
        assert!(metadata("m", &raw(r#"{"a":{"b":[1,"x",null,true,2.5]}}"#)).is_ok());
        assert!(metadata("m", &raw(r#"{"a":[[[[[[[1]]]]]]]}"#)).is_ok());
        for bad in ["[]", "7", "\"x\"", r#"{"a":"\u0000"}"#, r#"{"\u0000":1}"#, r#"{"a":["\u0000"]}"#, r#"{"a":1e999}"#]
        {
            assert_eq!(metadata("m", &raw(bad)).expect_err(bad).param.as_deref(), Some("m"));
        }
        assert!(metadata("m", &raw(r#"{"a":[[[[[[[[1]]]]]]]]}"#)).is_err());
        assert!(metadata("m", &raw(&format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024 - 8)))).is_ok());
        assert!(metadata("m", &raw(&format!("{{\"a\":\"{}\"}}", "x".repeat(16 * 1024 - 7)))).is_err());
        assert!(metadata("m", &raw(&format!("{{{}\"a\":1}}", " ".repeat(20_000)))).is_ok());
    }
}
