//! The forms in which images and audio may come: URLs and base64. Fetches nothing and decodes no media.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::Url;

use crate::error::{Error, Result};
use crate::fetch::MAX_URL;
use crate::requests::Kind;

/// One MiB in bytes; limits are told in it.
pub const MIB: usize = 1024 * 1024;

/// Media as a request has them.
#[derive(Debug, PartialEq)]
pub enum Source {
    /// The form of the URL is good; nothing was fetched.
    Url(String),
    Bytes(Vec<u8>),
}

const FORGIVING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING);

/// Check the form of a media URL.
pub fn url(param: &str, value: &str) -> Result<()> {
    let refuse = |why: &str| Err(Error::invalid(param, format!("{param} must be an http or https URL{why}")));
    if value.len() > MAX_URL {
        return refuse(" of at most 2,048 bytes");
    }
    match Url::parse(value) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => refuse(", not another scheme"),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => refuse(" without user or password"),
        Ok(_) => Ok(()),
        Err(error) => refuse(&format!(": {error}")),
    }
}

/// Decode base64, standard or URL-safe, padded or not, bare or in a `data:` URI. The media type of the URI is ignored.
pub fn base64(param: &str, value: &str, kind: Kind) -> Result<Vec<u8>> {
    let digits = payload(param, value)?;
    if digits.is_empty() {
        return Err(Error::invalid(param, format!("{param} must not be empty")));
    }
    if digits.len() / 4 * 3 > kind.limit() + 3 {
        return Err(too_large(param, kind));
    }
    let engine = if digits.bytes().any(|byte| matches!(byte, b'-' | b'_')) { URL_SAFE } else { STANDARD };
    let bytes =
        engine.decode(digits).map_err(|error| Error::invalid(param, format!("{param} is not base64: {error}")))?;
    if bytes.len() > kind.limit() { Err(too_large(param, kind)) } else { Ok(bytes) }
}

fn too_large(param: &str, kind: Kind) -> Error {
    Error::invalid(param, format!("{param} is larger than {} MiB", kind.limit() / MIB))
}

/// Take the base64 digits out of a `data:` URI, or all there is.
fn payload<'a>(param: &str, value: &'a str) -> Result<&'a str> {
    let scheme = value.get(..5).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("data:") {
        return Ok(value);
    }
    match value.split_once(',') {
        Some((head, digits)) if head.to_ascii_lowercase().ends_with(";base64") => Ok(digits),
        _ => Err(Error::invalid(param, format!("{param}: a data URI must be like data:image/png;base64,iVBORw0…"))),
    }
}

#[cfg(test)]
mod tests {
    //! Guards the accepted spellings of base64 and of URLs.
    use super::*;

    #[test]
    fn all_forms_of_base64_mean_the_same() {
        let bytes = [0xfb_u8, 0xff, 0xbf, 0x00];
        for form in
            ["+/+/AA==", "+/+/AA", "-_-_AA==", "-_-_AA", "data:image/png;base64,+/+/AA==", "DATA:;BASE64,-_-_AA"]
        {
            assert_eq!(base64("image_base64", form, Kind::Image).expect(form), bytes, "{form}");
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for bad in
            ["", "a", "a b=", "+/-_", "data:image/png,xx", "data:image/png;base64,", "data:;base64", "AAAA\n", "é"]
        {
            assert_eq!(base64("audio_base64", bad, Kind::Audio).expect_err(bad).param.as_deref(), Some("audio_base64"));
        }
    }

    #[test]
    fn media_have_a_limit() {
        for (kind, most) in [(Kind::Image, 20 * MIB), (Kind::Audio, 25 * MIB)] {
            let text = STANDARD.encode(vec![0_u8; most]);
            assert_eq!(base64("x", &text, kind).expect("at the limit").len(), most);
            assert!(base64("x", &STANDARD.encode(vec![0_u8; most + 1]), kind).is_err());
            assert!(base64("x", &format!("{text}AAAAAAAA"), kind).is_err());
        }
    }

    #[test]
    fn urls() {
        assert!(url("image", "https://example.com/shoe.jpg?size=2").is_ok());
        for bad in ["", "shoe.jpg", "ftp://example.com/a", "file:///etc/passwd", "http://", "http://a:b@example.com/"] {
            assert!(url("image", bad).is_err(), "{bad}");
        }
        assert!(url("image", &format!("http://example.com/{}", "a".repeat(MAX_URL))).is_err());
    }
}
