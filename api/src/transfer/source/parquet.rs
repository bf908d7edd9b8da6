//! A Parquet file: columns for the id and the input, all others metadata with their types and structure. Files are read row
//! by row, in any of the codecs that other tools write.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use parquet::schema::types::TypePtr;
use serde_json::{Map, Value};

use super::value::json;
use super::{Columns, Record, Source, id_of, media, unreadable, with_id};
use crate::media::Format;

/// The column whose fields are the metadata themselves.
const METADATA: &str = "metadata";

/// What each column becomes.
struct Header {
    types: Vec<TypePtr>,
    roles: Vec<Option<&'static str>>,
    folder: PathBuf,
}

/// Open a file.
pub fn open(path: &Path, columns: &Columns) -> anyhow::Result<Source> {
    let file = File::open(path).with_context(unreadable(path))?;
    let opened = guarded(|| SerializedFileReader::new(file));
    let reader = opened.and_then(|opened| Ok(opened?)).with_context(unreadable(path))?;
    let schema = reader.metadata().file_metadata();
    let types = schema.schema_descr().root_schema().get_fields().to_vec();
    let names: Vec<String> = types.iter().map(|one| one.name().to_owned()).collect();
    let roles = columns.roles(&names)?;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let count = u64::try_from(schema.num_rows()).unwrap_or(0);
    let rows = Rows { rows: Some(RowIter::from_file_into(Box::new(reader))) };
    let header = Header { types, roles, folder };
    let records = rows.enumerate().map(move |(at, row)| {
        row.and_then(|row| header.record(row, at + 1)).with_context(|| format!("row {}", at + 1))
    });
    Ok(Source { records: Box::new(records), count })
}

/// Run code of the library, which panics on some broken or rare files.
fn guarded<T>(work: impl FnOnce() -> T) -> anyhow::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| anyhow!("the file is broken, or of a kind that is not supported"))
}

/// The rows of a file; none after one that could not be read.
struct Rows {
    rows: Option<RowIter<'static>>,
}

impl Iterator for Rows {
    type Item = anyhow::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.rows.as_mut()?;
        let row = guarded(|| rows.next()).transpose()?.and_then(|row| Ok(row?));
        if row.is_err() {
            self.rows = None;
        }
        Some(row)
    }
}

impl Header {
    /// Nulls are left out.
    fn record(&self, row: Row, number: usize) -> Record {
        let (mut item, mut metadata) = (Map::new(), Map::new());
        let columns = row.into_columns().into_iter().zip(&self.types).zip(&self.roles);
        for (((name, field), kind), role) in columns.filter(|(((_, field), _), _)| !matches!(field, Field::Null)) {
            match role {
                Some(role @ ("image" | "audio")) => self.put_media(&mut item, role, field, kind)?,
                Some(role) => {
                    item.insert((*role).to_owned(), Value::String(words(field, kind)?));
                }
                None => add(&mut metadata, name, json(&field, kind)),
            }
        }
        item.insert(METADATA.to_owned(), Value::Object(metadata));
        let mut item = Value::Object(item);
        media::inline(&mut item, &self.folder)?;
        let text = item.to_string();
        with_id(item, || id_of(&[b"row", &number.to_le_bytes(), text.as_bytes()]))
    }

    /// Take a file's bytes, or its path or URL; or of a struct with both, as data sets of the Hugging Face hub have it,
    /// the bytes where they are there.
    fn put_media(&self, item: &mut Map<String, Value>, role: &str, field: Field, kind: &TypePtr) -> anyhow::Result<()> {
        match field {
            Field::Bytes(bytes) => {
                let bytes = bytes.data();
                if Format::of(bytes).is_none_or(|format| format.kind().word() != role) {
                    bail!("the bytes are no {role} file");
                }
                item.insert(format!("{role}_base64"), Value::String(STANDARD.encode(bytes)));
                Ok(())
            }
            Field::Str(place) => {
                item.insert(role.to_owned(), Value::String(place));
                Ok(())
            }
            Field::Group(row) => {
                let mut parts = row.into_columns();
                let at = |name: &str, parts: &[(String, Field)]| {
                    parts.iter().position(|(own, field)| own == name && !matches!(field, Field::Null))
                };
                let found = at("bytes", &parts).or_else(|| at("path", &parts));
                let at = found.with_context(|| format!("the struct {} has neither bytes nor path", kind.name()))?;
                self.put_media(item, role, parts.swap_remove(at).1, kind)
            }
            _ => bail!("the column {} holds neither bytes nor paths", kind.name()),
        }
    }
}

/// A value as the string that an id or a text is.
fn words(field: Field, kind: &TypePtr) -> anyhow::Result<String> {
    match field {
        Field::Str(text) => Ok(text),
        // Some writers do not say of their strings that they are.
        Field::Bytes(bytes) => String::from_utf8(bytes.data().to_vec())
            .map_err(|_| anyhow!("the column {} holds bytes that are no UTF-8 text", kind.name())),
        field => match json(&field, kind) {
            Value::Number(number) => Ok(number.to_string()),
            Value::String(text) => Ok(text),
            _ => bail!("the column {} holds no text", kind.name()),
        },
    }
}

/// Put a column among the metadata; one of that name that is an object, or JSON of one, is all of them.
fn add(metadata: &mut Map<String, Value>, name: String, value: Value) {
    if name == METADATA {
        let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
        if let Value::Object(fields) = parsed.as_ref().unwrap_or(&value) {
            metadata.extend(fields.clone());
            return;
        }
    }
    metadata.insert(name, value);
}

#[cfg(test)]
mod tests;
