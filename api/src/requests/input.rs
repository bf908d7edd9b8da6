//! The one thing that an item or a query carries: text, an image or audio.

use crate::checks;
use crate::error::{Error, Result};
use crate::media::forms::{self, MIB, Source};

/// The kinds of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Image,
    Audio,
}

impl Kind {
    /// The word for it in requests, in `types` of models and in the database's parameters.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Audio => "audio",
        }
    }

    /// The largest file, in bytes.
    pub fn limit(self) -> usize {
        match self {
            Kind::Image => 20 * MIB,
            Kind::Audio => 25 * MIB,
        }
    }
}

/// A checked input.
#[derive(Debug, PartialEq)]
pub enum Input {
    Text(String),
    Media(Kind, Source),
}

/// The five fields of which a request fills exactly one.
#[derive(Debug, Default)]
pub struct Fields {
    pub image: Option<String>,
    pub image_base64: Option<String>,
    pub text: Option<String>,
    pub audio: Option<String>,
    pub audio_base64: Option<String>,
}

const ONE_OF: &str = "exactly one of image, image_base64, text, audio, audio_base64 is needed";

impl Fields {
    /// Check that one field is there and well-formed. `place` is where the fields are, such as `items[3]`, or empty.
    pub fn check(self, place: &str) -> Result<Input> {
        let given = [
            ("image", self.image),
            ("image_base64", self.image_base64),
            ("text", self.text),
            ("audio", self.audio),
            ("audio_base64", self.audio_base64),
        ];
        let mut given = given.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
        let Some((name, value)) = given.next() else {
            return Err(Error::invalid(place, format!("{ONE_OF}; found none")));
        };
        let others: Vec<&str> = given.map(|(name, _)| name).collect();
        if !others.is_empty() {
            return Err(Error::invalid(place, format!("{ONE_OF}; found {name}, {}", others.join(", "))));
        }
        let param = if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
        match name {
            "image" | "audio" => {
                let kind = if name == "image" { Kind::Image } else { Kind::Audio };
                forms::url(&param, &value).map(|()| Input::Media(kind, Source::Url(value)))
            }
            "image_base64" | "audio_base64" => {
                let kind = if name == "image_base64" { Kind::Image } else { Kind::Audio };
                forms::base64(&param, &value, kind).map(|bytes| Input::Media(kind, Source::Bytes(bytes)))
            }
            _ => checks::text(&param, &value).map(|()| Input::Text(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    //! Guards the rule that an input has one modality.
    use super::*;

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn exactly_one() {
        let none = Fields::default().check("items[3]").expect_err("none");
        assert_eq!(none.param.as_deref(), Some("items[3]"));
        assert!(none.message.ends_with("found none"));
        let two = Fields { text: some("a"), image: some("b"), ..Fields::default() }.check("").expect_err("two");
        assert_eq!(two.param, None);
        assert!(two.message.ends_with("found image, text"), "{}", two.message);
    }

    #[test]
    fn each_field_is_checked_under_its_own_name() {
        let text = Fields { text: some("hello"), ..Fields::default() };
        assert_eq!(text.check("").expect("text"), Input::Text("hello".to_owned()));
        let bytes = Fields { audio_base64: some("AAAA"), ..Fields::default() };
        assert_eq!(bytes.check("").expect("bytes"), Input::Media(Kind::Audio, Source::Bytes(vec![0, 0, 0])));
        let url = Fields { image: some("http://example.com/"), ..Fields::default() };
        assert_eq!(
            url.check("").expect("URL"),
            Input::Media(Kind::Image, Source::Url("http://example.com/".to_owned()))
        );
        let bad = Fields { image_base64: some("?"), ..Fields::default() };
        assert_eq!(bad.check("items[0]").expect_err("bad").param.as_deref(), Some("items[0].image_base64"));
        let empty = Fields { text: some(""), ..Fields::default() };
        assert_eq!(empty.check("").expect_err("empty").param.as_deref(), Some("text"));
    }
}
