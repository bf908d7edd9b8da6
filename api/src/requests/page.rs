//! The query string of `GET …/items`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use url::form_urlencoded;

use crate::checks;
use crate::error::{Error, Result};
use crate::json::shorten;

/// Which items to list.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// From 1 to 100.
    pub limit: i32,
    /// From 0; 0 with a cursor.
    pub offset: i64,
    /// The item after which the page begins.
    pub after: Option<Cursor>,
}

/// A place in the order of items, by creation and id. It stays one when items before it are added or deleted.
#[derive(Debug, PartialEq)]
pub struct Cursor {
    pub time: DateTime<Utc>,
    pub id: String,
}

impl Cursor {
    /// Write the cursor as clients carry it, which is for no one else to read.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.time.timestamp_micros(), self.id))
    }

    fn parse(text: &str) -> Result<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= 600);
        let plain = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let cursor = plain.as_deref().and_then(|plain| plain.split_once(':')).and_then(|(micros, id)| {
            let time = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
            Some(Cursor { time, id: id.to_owned() }).filter(|_| (1..=9999).contains(&chrono::Datelike::year(&time)))
        });
        let good = cursor.filter(|cursor| !cursor.id.is_empty() && !cursor.id.contains('\0'));
        good.ok_or_else(|| Error::invalid("cursor", "cursor is not the next_cursor of a page"))
    }
}

impl Page {
    /// Parse and check a query string.
    pub fn check(query: Option<&str>) -> Result<Page> {
        let (mut limit, mut offset, mut cursor) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let place = match name.as_ref() {
                "limit" => &mut limit,
                "offset" => &mut offset,
                "cursor" => &mut cursor,
                other => {
                    let other = shorten(other);
                    let message = format!("unknown query parameter \"{other}\"; limit, offset and cursor are known");
                    return Err(Error::invalid(other, message));
                }
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(Error::invalid(name.as_ref(), format!("{name} is given twice")));
            }
        }
        if cursor.is_some() && offset.is_some() {
            return Err(Error::invalid("offset", "offset and cursor are two ways to page; give one of them"));
        }
        let limit = checks::range("limit", integer("limit", limit.as_deref())?.unwrap_or(20), 1, 100)?;
        let offset = checks::range("offset", integer("offset", offset.as_deref())?.unwrap_or(0), 0, i64::MAX)?;
        let after = cursor.map(|text| Cursor::parse(&text)).transpose()?;
        Ok(Page { limit: i32::try_from(limit).unwrap_or(100), offset, after })
    }
}

fn integer(name: &str, value: Option<&str>) -> Result<Option<i64>> {
    let parse = |text: &str| {
        text.parse().map_err(|_| Error::invalid(name, format!("{name} must be an integer, not \"{}\"", shorten(text))))
    };
    value.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    //! Guards paging against values that the database would refuse as errors of ours.
    use super::*;

    #[test]
    fn defaults_and_limits() {
        let page = |limit, offset| Page { limit, offset, after: None };
        assert_eq!(Page::check(None).expect("good"), page(20, 0));
        assert_eq!(Page::check(Some("limit=100&offset=7")).expect("good"), page(100, 7));
        assert!(Page::check(Some("")).is_ok());
        let table = [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=", "limit"),
            ("limit=1.5", "limit"),
            ("limit=x", "limit"),
            ("limit=1&limit=2", "limit"),
            ("offset=-1", "offset"),
            ("offset=9223372036854775808", "offset"),
            ("offset=%00", "offset"),
            ("page=2", "page"),
            ("cursor=", "cursor"),
            ("cursor=a b", "cursor"),
            ("cursor=MTp4&offset=0", "offset"),
            ("cursor=MTp4&cursor=MTp4", "cursor"),
        ];
        for (query, param) in table {
            assert_eq!(Page::check(Some(query)).expect_err(query).param.as_deref(), Some(param), "{query}");
        }
    }

    #[test]
    fn cursors_come_back_as_they_were() {
        let time = DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("a time");
        let cursor = Cursor { time, id: "a:b é".to_owned() };
        let query = format!("cursor={}&limit=3", cursor.text());
        assert_eq!(Page::check(Some(&query)).expect("good").after, Some(cursor));
        for bad in
            ["", ":x", "1:", "x:y", "1:a\0", "99999999999999999999:x", "9223372036854775807:x", "-62200000000000000:x"]
        {
            assert!(Cursor::parse(&URL_SAFE_NO_PAD.encode(bad)).is_err(), "{bad}");
        }
    }
}
