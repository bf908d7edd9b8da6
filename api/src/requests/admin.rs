//! The bodies of requests under /v1/admin.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::{Error, Result};
use crate::json::Capped;
use crate::{checks, json};

/// The longest time for which a key that was replaced stays in force, in seconds: 30 days.
const MAX_GRACE: i64 = 30 * 86_400;

/// What a key may be for.
pub const SCOPES: [&str; 3] = ["read", "write", "admin"];

/// What a key may be for, as the documentation has it.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "a schema only; scopes are checked as words")]
enum Scope {
    Read,
    Write,
    Admin,
}

/// A project to make, as sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectBody {
    #[schema(value_type = String, min_length = 1, max_length = 100, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    name: Option<String>,
}

/// A project to make: its name.
#[derive(Debug)]
pub struct NewProject(pub String);

impl NewProject {
    /// Check a body.
    pub fn check(body: ProjectBody) -> Result<NewProject> {
        let name = checks::required("name", body.name)?;
        checks::filled("name", &name, 100)?;
        Ok(NewProject(name))
    }
}

/// A key to make, as sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyBody {
    /// A project's id or name.
    #[schema(value_type = String, min_length = 1, max_length = 100, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    project: Option<String>,
    /// A label to know the key by.
    #[schema(max_length = 100, pattern = r"^[^\u0000]*$")]
    name: Option<String>,
    /// What the key is for: `read`, `write`, `admin`; `read` and `write` without it.
    #[schema(value_type = Option<Vec<Scope>>, min_items = 1, max_items = 3)]
    scopes: Option<Capped<String, 3>>,
    /// When the key ends, a time to come in RFC 3339; never without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
}

/// A key to make.
#[derive(Debug)]
pub struct NewKey {
    /// A project's id or name.
    pub project: String,
    pub name: Option<String>,
    pub scopes: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewKey {
    /// Check a body.
    pub fn check(body: KeyBody) -> Result<NewKey> {
        let project = checks::required("project", body.project)?;
        checks::filled("project", &project, 100)?;
        if let Some(name) = &body.name {
            checks::string("name", name, 100)?;
        }
        let scopes = body.scopes.map_or_else(|| vec!["read".to_owned(), "write".to_owned()], |Capped(scopes)| scopes);
        if scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(&scope.as_str())) {
            return Err(Error::invalid("scopes", "scopes must be one or more of read, write and admin"));
        }
        let expires_at = body.expires_at.map(|text| time(&text)).transpose()?;
        Ok(NewKey { project, name: body.name, scopes, expires_at })
    }
}

fn time(text: &str) -> Result<DateTime<Utc>> {
    let refuse = |why: &str| Error::invalid("expires_at", format!("expires_at must be a time {why}"));
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| refuse("in RFC 3339, such as 2030-01-31T12:00:00Z"))?;
    let time = time.with_timezone(&Utc);
    if time <= Utc::now() { Err(refuse("to come")) } else { Ok(time) }
}

/// How to replace a key, as sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationBody {
    /// Seconds for which the old key stays in force.
    #[serde(default, deserialize_with = "json::whole")]
    #[schema(minimum = 0, maximum = 2_592_000, default = 86_400)]
    grace_seconds: Option<i64>,
}

/// How to replace a key: for so many seconds the old one stays in force.
#[derive(Debug)]
pub struct Rotation(pub i32);

impl Rotation {
    /// Check a body.
    pub fn check(body: RotationBody) -> Result<Rotation> {
        let seconds = checks::range("grace_seconds", body.grace_seconds.unwrap_or(86_400), 0, MAX_GRACE)?;
        Ok(Rotation(i32::try_from(seconds).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    //! Guards what keys may be made like.
    use super::*;

    #[test]
    fn keys() {
        let check = |body: &str| json::parse(body.as_bytes()).and_then(NewKey::check);
        let plain = check(r#"{"project":"shop"}"#).expect("good");
        assert_eq!((plain.scopes, plain.expires_at), (vec!["read".to_owned(), "write".to_owned()], None));
        assert!(
            check(r#"{"project":"a","name":"b","scopes":["admin"],"expires_at":"2999-01-01T00:00:00+02:00"}"#).is_ok()
        );
        let table = [
            ("{}", "project"),
            (r#"{"project":""}"#, "project"),
            (r#"{"project":"a","name":"\u0000"}"#, "name"),
            (r#"{"project":"a","scopes":[]}"#, "scopes"),
            (r#"{"project":"a","scopes":["root"]}"#, "scopes"),
            (r#"{"project":"a","expires_at":"tomorrow"}"#, "expires_at"),
            (r#"{"project":"a","expires_at":"2001-01-01T00:00:00Z"}"#, "expires_at"),
            (r#"{"project":"a","key":"x"}"#, "key"),
        ];
        for (body, param) in table {
            assert_eq!(check(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }

    #[test]
    fn rotations() {
        let check = |body: &str| json::parse(body.as_bytes()).and_then(Rotation::check);
        assert_eq!(check("{}").expect("good").0, 86_400);
        assert_eq!(check(r#"{"grace_seconds":0}"#).expect("good").0, 0);
        for bad in [r#"{"grace_seconds":-1}"#, r#"{"grace_seconds":2592001}"#, r#"{"grace":1}"#] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
