//! A JSON Lines file: an item a line, as the API takes it; `image` and `audio` may also be paths from the file's folder.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::{Record, Source, id_of, media, unreadable, with_id};

/// Open a file.
pub fn open(path: &Path) -> anyhow::Result<Source> {
    let lines = || File::open(path).map(|file| BufReader::new(file).lines()).with_context(unreadable(path));
    let blank = |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.trim().is_empty());
    let count = lines()?.filter(|line| !blank(line)).count() as u64;
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let numbered = lines()?.enumerate().filter(move |(_, line)| !blank(line));
    let records = numbered.map(move |(at, line)| {
        let line = line.with_context(|| format!("line {} cannot be read", at + 1))?;
        record(&folder, at + 1, &line).with_context(|| format!("line {}", at + 1))
    });
    Ok(Source { records: Box::new(records), count })
}

fn record(folder: &Path, number: usize, line: &str) -> Record {
    let mut item: Value = serde_json::from_str(line)?;
    media::inline(&mut item, folder)?;
    with_id(item, || id_of(&[b"line", &number.to_le_bytes(), line.as_bytes()]))
}

#[cfg(test)]
mod tests {
    //! Guards the ids, which keep an import that is run again from making items twice.
    use super::*;

    #[test]
    fn lines_become_items_and_bad_ones_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x.png"), b"\x89PNG\r\n\x1a\n").expect("a file");
        let path = folder.path().join("items.jsonl");
        let text = "{\"text\":\"a\"}\n\n{\"text\":\"a\"}\n{\"id\":\"mine\",\"image\":\"x.png\"}\n{\"text\":\n\
            {\"audio\":\"http://127.0.0.1/a\"}\n{\"audio\":\"x.png\"}\n";
        std::fs::write(&path, text).expect("a file");
        let read = || -> Vec<Record> { open(&path).expect("it can be read").records.collect() };
        let records = read();
        assert_eq!((open(&path).expect("again").count, records.len()), (6, 6));
        let item = |at: usize| records[at].as_ref().expect("an item");
        assert_ne!(item(0)["id"], item(1)["id"], "equal lines are items of their own");
        assert_eq!(item(0), read()[0].as_ref().expect("an item"), "and the same every time");
        assert!(item(2)["id"] == "mine" && item(2)["image_base64"].is_string() && item(2).get("image").is_none());
        let bad = |at: usize| format!("{:#}", records[at].as_ref().expect_err("a bad line"));
        assert!(bad(3).starts_with("line 5: "), "{}", bad(3));
        assert_eq!(item(4)["audio"], "http://127.0.0.1/a");
        assert!(bad(5).contains("x.png is no audio file"), "{}", bad(5));
    }
}
