//! What is imported: records of a folder, a JSON Lines, CSV or Parquet file, read one after another.
//!
//! A record without an id gets one that its content and place decide, so that importing it again replaces it.

mod folder;
mod lines;
mod media;
mod parquet;
mod table;
mod value;

use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The columns of a CSV or Parquet file that are not metadata, where they are not called `id`, `text`, `image` and `audio`.
#[derive(Args, Clone, Debug, Default)]
pub struct Columns {
    /// The column with the items' ids
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// The column with texts
    #[arg(long, value_name = "COLUMN")]
    text: Option<String>,
    /// The column with images: URLs, or paths from the file's folder; in Parquet the files' bytes, too
    #[arg(long, value_name = "COLUMN")]
    image: Option<String>,
    /// The column with sounds: URLs, or paths from the file's folder; in Parquet the files' bytes, too
    #[arg(long, value_name = "COLUMN")]
    audio: Option<String>,
}

/// A record: an item as the API takes it, or why there is none.
pub type Record = anyhow::Result<Value>;

/// The records of a source, in an order that is the same every time.
pub struct Source {
    pub records: Box<dyn Iterator<Item = Record> + Send>,
    /// How many there are.
    pub count: u64,
}

/// Open a folder or a file by its ending.
pub fn open(path: &Path, columns: &Columns) -> anyhow::Result<Source> {
    if path.is_dir() {
        return folder::open(path);
    }
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("jsonl" | "ndjson") => lines::open(path),
        Some("csv") => table::open(path, columns),
        Some("parquet" | "pq") => parquet::open(path, columns),
        _ => bail!("{} is neither a folder nor a .jsonl, .csv or .parquet file", path.display()),
    }
}

impl Columns {
    /// Tell what each column of a file becomes: the field of an item, or None for metadata.
    fn roles(&self, names: &[String]) -> anyhow::Result<Vec<Option<&'static str>>> {
        let mut roles = vec![None; names.len()];
        let given = [("id", &self.id), ("text", &self.text), ("image", &self.image), ("audio", &self.audio)];
        for (role, wanted) in given {
            let name = wanted.as_deref().unwrap_or(role);
            let at = names.iter().position(|found| found == name);
            match at.and_then(|at| roles.get_mut(at)) {
                Some(place) => *place = Some(role),
                None if wanted.is_some() => bail!("there is no column \"{name}\"; there are {}", names.join(", ")),
                None => {}
            }
        }
        if !roles.iter().flatten().any(|role| *role != "id") {
            bail!("no column is called text, image or audio; name one with --text, --image or --audio");
        }
        Ok(roles)
    }
}

/// Make an id of what tells a record from others.
fn id_of(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digits: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("imported_{digits}")
}

fn unreadable(path: &Path) -> impl FnOnce() -> String {
    let path = path.display().to_string();
    move || format!("cannot read {path}")
}

/// Give an item its id, where it has none.
fn with_id(mut item: Value, id: impl FnOnce() -> String) -> anyhow::Result<Value> {
    let fields = item.as_object_mut().context("a record must be a JSON object")?;
    if fields.get("id").is_none_or(Value::is_null) {
        fields.insert("id".to_owned(), Value::String(id()));
    }
    Ok(item)
}
