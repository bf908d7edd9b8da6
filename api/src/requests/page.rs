//! The query string of `GET …/items`.

use url::form_urlencoded;

use crate::checks;
use crate::error::{Error, Result};
use crate::json::shorten;

/// Which items to list.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// From 1 to 100.
    pub limit: i32,
    /// From 0.
    pub offset: i64,
}

impl Page {
    /// Parse and check a query string.
    pub fn check(query: Option<&str>) -> Result<Page> {
        let (mut limit, mut offset) = (None, None);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let place = match name.as_ref() {
                "limit" => &mut limit,
                "offset" => &mut offset,
                other => {
                    let other = shorten(other);
                    let message = format!("unknown query parameter \"{other}\"; limit and offset are known");
                    return Err(Error::invalid(other, message));
                }
            };
            let number: i64 = value.parse().map_err(|_| {
                Error::invalid(name.as_ref(), format!("{name} must be an integer, not \"{}\"", shorten(&value)))
            })?;
            if place.replace(number).is_some() {
                return Err(Error::invalid(name.as_ref(), format!("{name} is given twice")));
            }
        }
        let limit = checks::range("limit", limit.unwrap_or(20), 1, 100)?;
        let offset = checks::range("offset", offset.unwrap_or(0), 0, i64::MAX)?;
        Ok(Page { limit: i32::try_from(limit).unwrap_or(100), offset })
    }
}

#[cfg(test)]
mod tests {
    //! Guards paging against values that the database would refuse as errors of ours.
    use super::*;

    #[test]
    fn defaults_and_limits() {
        assert_eq!(Page::check(None).expect("good"), Page { limit: 20, offset: 0 });
        assert_eq!(Page::check(Some("limit=100&offset=7")).expect("good"), Page { limit: 100, offset: 7 });
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
        ];
        for (query, param) in table {
            assert_eq!(Page::check(Some(query)).expect_err(query).param.as_deref(), Some(param), "{query}");
        }
    }
}
