//! Files beside the source, as the fields in which the API takes them.

use std::path::Path;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::unreadable;
use crate::media::Format;
use crate::requests::Kind;

/// Put a file's content into an item, in the field that fits it.
pub fn put(item: &mut serde_json::Map<String, Value>, path: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(path).with_context(unreadable(path))?;
    let (field, value) = match Format::of(&bytes) {
        Some(format) => (format!("{}_base64", format.kind().word()), STANDARD.encode(&bytes)),
        None => match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => ("text".to_owned(), text),
            _ => bail!("{} is neither a picture, a sound nor UTF-8 text", path.display()),
        },
    };
    item.insert(field, Value::String(value));
    Ok(())
}

/// Whether a value of `image` or `audio` is for the service to fetch, not a path.
pub fn is_url(value: &str) -> bool {
    value.starts_with("http://") || value.starts_with("https://")
}

/// Replace paths in `image` and `audio` by the files' content; `folder` is where relative paths begin.
pub fn inline(item: &mut Value, folder: &Path) -> anyhow::Result<()> {
    let Some(fields) = item.as_object_mut() else { return Ok(()) };
    for kind in [Kind::Image, Kind::Audio] {
        let field = kind.word();
        let Some(path) = fields.get(field).and_then(Value::as_str).filter(|value| !is_url(value)) else { continue };
        let path = folder.join(path);
        let bytes = std::fs::read(&path).with_context(unreadable(&path))?;
        if Format::of(&bytes).map(Format::kind) != Some(kind) {
            bail!("{} is no {field} file", path.display());
        }
        fields.remove(field);
        fields.insert(format!("{field}_base64"), Value::String(STANDARD.encode(&bytes)));
    }
    Ok(())
}
