//! A folder with all folders below it: a picture, a sound or a text a file, in the order of their paths.
//!
//! Hidden files, and links, which may lead anywhere, are passed over.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::{Record, Source, id_of, media, unreadable};

/// Open a folder.
pub fn open(folder: &Path) -> anyhow::Result<Source> {
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    files.sort();
    let count = files.len() as u64;
    let root = folder.to_owned();
    Ok(Source { records: Box::new(files.into_iter().map(move |file| record(&root, &file))), count })
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(unreadable(folder))? {
        let entry = entry.with_context(unreadable(folder))?;
        let kind = entry.file_type().with_context(unreadable(folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn record(root: &Path, file: &Path) -> Record {
    let name = file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned();
    let mut item = Map::new();
    media::put(&mut item, file)?;
    item.insert("id".to_owned(), Value::String(id_of(&[b"file", name.as_bytes()])));
    item.insert("metadata".to_owned(), json!({ "file": name }));
    Ok(Value::Object(item))
}

#[cfg(test)]
mod tests {
    //! Guards the order, on which a resumed import depends, and what is taken for which input.
    use super::*;

    #[test]
    fn files_are_read_in_order_each_as_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("b")).expect("a folder below");
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("a file");
        write("b/shoe.png", b"\x89PNG\r\n\x1a\n....");
        write("a.txt", b"white shoes");
        write("c.bin", b"\0\0\0");
        write(".hidden", b"x");
        let source = open(folder.path()).expect("it can be read");
        assert_eq!(source.count, 3);
        let records: Vec<Record> = source.records.collect();
        let first = records[0].as_ref().expect("a text");
        assert_eq!((&first["text"], &first["metadata"]["file"]), (&json!("white shoes"), &json!("a.txt")));
        let second = records[1].as_ref().expect("a picture");
        assert!(second["image_base64"].is_string() && second["metadata"]["file"] == json!("b/shoe.png"), "{second}");
        assert!(records[2].as_ref().expect_err("neither").to_string().contains("c.bin"));
        assert_ne!(first["id"], second["id"]);
    }
}
