//! The body of `POST /v1/vectors/collections`.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::checks;
use crate::error::Result;

/// A collection to make, as sent; checked once `check` has passed it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCollection)]
pub struct Body {
    /// Unique in the project.
    #[schema(value_type = String, min_length = 1, max_length = 100, pattern = r"^[^\u0000]*\S[^\u0000]*$")]
    name: Option<String>,
    #[schema(max_length = 500, pattern = r"^[^\u0000]*$")]
    description: Option<String>,
    /// The default model without it.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = r"^[^\u0000]*\S[^\u0000]*$",
        example = "multimodal-embedding-v1"
    )]
    model_id: Option<String>,
}

/// A collection to make.
#[derive(Debug)]
pub struct NewCollection {
    pub name: String,
    pub description: Option<String>,
    /// NULL is the default model.
    pub model_id: Option<String>,
}

impl NewCollection {
    /// Check a body.
    pub fn check(body: Body) -> Result<NewCollection> {
        let name = checks::required("name", body.name)?;
        checks::filled("name", &name, 100)?;
        if let Some(description) = &body.description {
            checks::string("description", description, 500)?;
        }
        if let Some(model_id) = &body.model_id {
            checks::filled("model_id", model_id, 200)?;
        }
        Ok(NewCollection { name, description: body.description, model_id: body.model_id })
    }
}

#[cfg(test)]
mod tests {
    //! Guards the limits of the contract on names and descriptions.
    use super::*;
    use crate::json;

    fn check(body: &str) -> Result<NewCollection> {
        json::parse(body.as_bytes()).and_then(NewCollection::check)
    }

    #[test]
    fn good_ones() {
        let full = check(r#"{"name":"é","description":"d","model_id":"m"}"#).expect("good");
        assert_eq!((full.name.as_str(), full.description.as_deref()), ("é", Some("d")));
        assert!(check(r#"{"name":"a","description":null}"#).expect("good").model_id.is_none());
        assert!(
            check(&format!("{{\"name\":\"{}\",\"description\":\"{}\"}}", "é".repeat(100), "é".repeat(500))).is_ok()
        );
    }

    #[test]
    fn bad_ones_name_the_parameter() {
        let long = format!("{{\"name\":\"{}\"}}", "x".repeat(101));
        let wordy = format!("{{\"name\":\"a\",\"description\":\"{}\"}}", "x".repeat(501));
        let table = [
            ("{}", "name"),
            (r#"{"name":null}"#, "name"),
            (r#"{"name":""}"#, "name"),
            (r#"{"name":"  "}"#, "name"),
            (r#"{"name":"a\u0000"}"#, "name"),
            (r#"{"name":1}"#, "name"),
            (&long, "name"),
            (&wordy, "description"),
            (r#"{"name":"a","description":"\u0000"}"#, "description"),
            (r#"{"name":"a","model_id":""}"#, "model_id"),
            (r#"{"name":"a","dimensions":3}"#, "dimensions"),
        ];
        for (body, param) in table {
            assert_eq!(check(body).expect_err(body).param.as_deref(), Some(param), "{body}");
        }
    }
}
