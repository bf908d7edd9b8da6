//! Files beside the source, as the fields in which the API takes them.

use std::path::Path;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::unreadable;

/// What a file is, by the beginning of its content.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Image,
    Audio,
    Text,
}

impl Kind {
    /// Tell the kind; None for what is neither a picture, a sound nor text.
    pub fn of(bytes: &[u8]) -> Option<Kind> {
        let at = |place: usize, word: &[u8]| bytes.get(place..).is_some_and(|rest| rest.starts_with(word));
        let riff = |kind: &[u8]| at(0, b"RIFF") && at(8, kind);
        let image = at(0, b"\x89PNG") || at(0, b"\xff\xd8\xff") || at(0, b"GIF8") || riff(b"WEBP");
        if image || at(0, b"BM") || at(0, b"II*\0") || at(0, b"MM\0*") {
            return Some(Kind::Image);
        }
        let framed = bytes.first() == Some(&0xff) && bytes.get(1).is_some_and(|byte| byte & 0xe0 == 0xe0);
        if riff(b"WAVE") || at(0, b"fLaC") || at(0, b"OggS") || at(0, b"ID3") || at(4, b"ftyp") || framed {
            return Some(Kind::Audio);
        }
        std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')).then_some(Kind::Text)
    }
}

/// Put a file's content into an item, in the field that fits it.
pub fn put(item: &mut serde_json::Map<String, Value>, path: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(unreadable(path))?;
    let (field, value) = match Kind::of(&bytes) {
        Some(Kind::Image) => ("image_base64", STANDARD.encode(&bytes)),
        Some(Kind::Audio) => ("audio_base64", STANDARD.encode(&bytes)),
        Some(Kind::Text) => ("text", String::from_utf8(bytes).unwrap_or_default()),
        None => bail!("{} is neither a picture, a sound nor UTF-8 text", path.display()),
    };
    item.insert(field.to_owned(), Value::String(value));
    Ok(())
}

/// Whether a value of `image` or `audio` is for the service to fetch, not a path.
pub fn is_url(value: &str) -> bool {
    value.starts_with("http://") || value.starts_with("https://")
}

/// Replace paths in `image` and `audio` by the files' content; `folder` is where relative paths begin.
pub fn inline(item: &mut Value, folder: &Path) -> anyhow::Result<()> {
    let Some(fields) = item.as_object_mut() else { return Ok(()) };
    for (field, kind) in [("image", Kind::Image), ("audio", Kind::Audio)] {
        let Some(path) = fields.get(field).and_then(Value::as_str).filter(|value| !is_url(value)) else { continue };
        let path = folder.join(path);
        let bytes = std::fs::read(&path).with_context(unreadable(&path))?;
        if Kind::of(&bytes) != Some(kind) {
            bail!("{} is no {field} file", path.display());
        }
        fields.remove(field);
        fields.insert(format!("{field}_base64"), Value::String(STANDARD.encode(&bytes)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    //! Guards against a file going into the wrong field.
    use super::*;

    #[test]
    fn kinds_are_told_by_content() {
        for image in [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"II*\0"] {
            assert_eq!(Kind::of(image), Some(Kind::Image), "{image:?}");
        }
        for audio in
            [&b"RIFF\0\0\0\0WAVEfmt "[..], b"fLaC", b"OggS", b"ID3\x04", b"\0\0\0\x20ftypM4A ", b"\xff\xfb\x90"]
        {
            assert_eq!(Kind::of(audio), Some(Kind::Audio), "{audio:?}");
        }
        assert_eq!(Kind::of("weiße Schuhe".as_bytes()), Some(Kind::Text));
        assert_eq!(Kind::of(b"\x7fELF\0\x01\xff"), None);
    }
}
