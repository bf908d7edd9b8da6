//! The filter of a search: checked here before any work is done, translated and applied in the database.
//!
//! docs/filter.md describes the language. What is refused here is what `vw.filter_path` refuses, under the same names.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::checks;
use crate::error::{Error, Result};
use crate::json::shorten;

/// The deepest nesting of filters in $and, $or and $not.
const MAX_DEPTH: usize = 8;

/// The most names in the path of one field.
const MAX_NAMES: usize = 8;

/// Parse and check a filter.
pub fn check(param: &str, raw: &RawValue) -> Result<Value> {
    let value = checks::object(param, raw)?;
    filter(param, &value, 1)?;
    Ok(value)
}

fn filter(place: &str, value: &Value, depth: usize) -> Result<()> {
    let Value::Object(parts) = value else { return refuse(place, "a filter must be a JSON object") };
    if depth > MAX_DEPTH {
        return refuse(place, "the filter is nested deeper than 8 levels");
    }
    for (key, value) in parts {
        let place = format!("{place}.{}", start(key));
        match (key.starts_with('$'), value) {
            (true, _) => group(&place, key, value, depth + 1)?,
            (false, Value::Object(asked)) => field(&place, key).and_then(|()| operators(&place, asked))?,
            (false, _) => field(&place, key).and_then(|()| scalar(&place, value))?,
        }
    }
    Ok(())
}

/// Check filters that are joined by $and or $or, or one that is turned round by $not.
fn group(place: &str, word: &str, value: &Value, depth: usize) -> Result<()> {
    match (word, value) {
        ("$not", _) => filter(place, value, depth),
        ("$and" | "$or", Value::Array(parts)) if !parts.is_empty() => {
            parts.iter().enumerate().try_for_each(|(at, part)| filter(&format!("{place}[{at}]"), part, depth))
        }
        ("$and" | "$or", _) => refuse(place, &format!("{word} takes an array of at least one filter")),
        _ => unknown(place, word, "$and, $or, $not; others belong to a field"),
    }
}

/// Check the path of a field: names joined by dots; a backslash before a dot makes it part of a name.
fn field(place: &str, key: &str) -> Result<()> {
    let path = key.replace("\\.", "\u{1}");
    let names = path.split('.').count();
    if path.split('.').any(str::is_empty) {
        return refuse(place, &format!("\"{}\" names no field; names are joined by single dots", start(key)));
    }
    if names > MAX_NAMES {
        return refuse(place, &format!("the path has {names} names; at most {MAX_NAMES} are allowed"));
    }
    Ok(())
}

fn operators(place: &str, asked: &Map<String, Value>) -> Result<()> {
    if asked.is_empty() {
        return refuse(place, "operators are needed, such as {\"$lt\": 50}");
    }
    for (word, operand) in asked {
        let place = format!("{place}.{}", start(word));
        if !word.starts_with('$') {
            return refuse(&place, "an operator is needed here, such as $eq; fields of fields are named by dots");
        }
        match (word.as_str(), operand) {
            ("$eq" | "$ne", _) => scalar(&place, operand)?,
            ("$gt" | "$gte" | "$lt" | "$lte", Value::Number(_) | Value::String(_)) => {}
            ("$gt" | "$gte" | "$lt" | "$lte", _) => return refuse(&place, "only numbers and strings have an order"),
            ("$in" | "$nin", Value::Array(operands)) => {
                operands.iter().enumerate().try_for_each(|(at, value)| scalar(&format!("{place}[{at}]"), value))?;
            }
            ("$in" | "$nin", _) => return refuse(&place, "an array of values is needed"),
            ("$exists", Value::Bool(_)) => {}
            ("$exists", _) => return refuse(&place, "$exists takes true or false"),
            ("$not", Value::Object(asked)) => operators(&place, asked)?,
            ("$not", _) => return refuse(&place, "operators are needed, such as {\"$lt\": 50}"),
            _ => return unknown(&place, word, "$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $exists, $not"),
        }
    }
    Ok(())
}

fn scalar(place: &str, value: &Value) -> Result<()> {
    match value {
        Value::Object(_) | Value::Array(_) => refuse(place, "a value must be a string, a number, true, false or null"),
        _ => Ok(()),
    }
}

fn unknown(place: &str, word: &str, known: &str) -> Result<()> {
    refuse(place, &format!("unknown operator \"{}\"; operators here are {known}", start(word)))
}

fn refuse(place: &str, message: &str) -> Result<()> {
    Err(Error::invalid(shorten(place), shorten(&format!("{place}: {message}"))))
}

/// The first hundred characters, as the database shows them.
fn start(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    //! Guards that a filter is refused before anything is embedded, at the place where it is wrong.
    use super::*;

    fn checked(text: &str) -> Result<Value> {
        check("filter", &RawValue::from_string(text.to_owned()).expect("JSON"))
    }

    #[test]
    fn good_filters() {
        for good in [
            "{}",
            r#"{"a":1,"b":"x","c":null,"d":false}"#,
            r#"{"a.b.c":{"$gte":1,"$lt":"x"},"a\\.b":{"$in":[]},"t":{"$nin":["x",1,null]}}"#,
            r#"{"$or":[{"a":1},{"$not":{"b":{"$exists":true}}}],"$and":[{}],"c":{"$not":{"$eq":null,"$ne":2}}}"#,
        ] {
            assert!(checked(good).is_ok(), "{good}: {:?}", checked(good));
        }
    }

    #[test]
    fn bad_filters_are_refused_at_their_place() {
        let table = [
            ("[]", "filter"),
            ("1", "filter"),
            (r#"{"a":"\u0000"}"#, "filter"),
            (r#"{"a":[1]}"#, "filter.a"),
            (r#"{"a":{}}"#, "filter.a"),
            (r#"{"a":{"b":1}}"#, "filter.a.b"),
            (r#"{"a":{"$gt":null}}"#, "filter.a.$gt"),
            (r#"{"a":{"$lt":true}}"#, "filter.a.$lt"),
            (r#"{"a":{"$in":1}}"#, "filter.a.$in"),
            (r#"{"a":{"$in":[1,[2]]}}"#, "filter.a.$in[1]"),
            (r#"{"a":{"$eq":{}}}"#, "filter.a.$eq"),
            (r#"{"a":{"$exists":1}}"#, "filter.a.$exists"),
            (r#"{"a":{"$regex":"x"}}"#, "filter.a.$regex"),
            (r#"{"a":{"$not":5}}"#, "filter.a.$not"),
            (r#"{"a":{"$not":{"$gt":[]}}}"#, "filter.a.$not.$gt"),
            (r#"{"$or":[]}"#, "filter.$or"),
            (r#"{"$or":[{"a":1},{"b":[]}]}"#, "filter.$or[1].b"),
            (r#"{"$not":{"$nor":[]}}"#, "filter.$not.$nor"),
            (r#"{"$gt":5}"#, "filter.$gt"),
            (r#"{"a..b":1}"#, "filter.a..b"),
            (r#"{"":1}"#, "filter."),
            (r#"{"a.b.c.d.e.f.g.h.i":1}"#, "filter.a.b.c.d.e.f.g.h.i"),
        ];
        for (text, place) in table {
            assert_eq!(checked(text).expect_err(text).param.as_deref(), Some(place), "{text}");
        }
        let deep = format!("{}{{}}{}", r#"{"$not":"#.repeat(8), "}".repeat(8));
        assert!(checked(&deep).expect_err("too deep").message.contains("8 levels"));
    }
}
