//! A CSV file with a header: columns for the id and the input, all others metadata, as the strings that they are.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Map, Value};

use super::{Columns, Record, Source, id_of, media, unreadable, with_id};

/// What each column becomes.
struct Header {
    names: Vec<String>,
    roles: Vec<Option<&'static str>>,
}

/// Open a file.
pub fn open(path: &Path, columns: &Columns) -> anyhow::Result<Source> {
    let reader = || csv::Reader::from_path(path).with_context(unreadable(path));
    let header = Header::read(reader()?.headers().with_context(unreadable(path))?, columns)?;
    let count = reader()?.into_byte_records().count() as u64;
    let folder: PathBuf = path.parent().unwrap_or(Path::new("")).to_owned();
    let rows = reader()?.into_records().enumerate();
    let records = rows.map(move |(at, row)| {
        let row = row.with_context(|| format!("row {}", at + 1))?;
        record(&header, &row, &folder, at + 1).with_context(|| format!("row {}", at + 1))
    });
    Ok(Source { records: Box::new(records), count })
}

impl Header {
    fn read(found: &csv::StringRecord, columns: &Columns) -> anyhow::Result<Header> {
        let names: Vec<String> = found.iter().map(|name| name.trim().to_owned()).collect();
        let roles = columns.roles(&names)?;
        Ok(Header { names, roles })
    }
}

/// Empty cells are left out.
fn record(header: &Header, row: &csv::StringRecord, folder: &Path, number: usize) -> Record {
    let (mut item, mut metadata) = (Map::new(), Map::new());
    for ((name, role), cell) in header.names.iter().zip(&header.roles).zip(row).filter(|(_, cell)| !cell.is_empty()) {
        let (place, key) = match role {
            Some(role) => (&mut item, *role),
            None => (&mut metadata, name.as_str()),
        };
        place.insert(key.to_owned(), Value::String(cell.to_owned()));
    }
    item.insert("metadata".to_owned(), Value::Object(metadata));
    let mut item = Value::Object(item);
    media::inline(&mut item, folder)?;
    let cells: Vec<u8> = row.iter().flat_map(|cell| [cell.as_bytes(), b"\0"].concat()).collect();
    with_id(item, || id_of(&[b"row", &number.to_le_bytes(), &cells]))
}

#[cfg(test)]
mod tests {
    //! Guards which column becomes what.
    use super::*;
    use serde_json::json;

    fn read(text: &str, columns: &Columns) -> anyhow::Result<Vec<Record>> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("items.csv");
        std::fs::write(&path, text).expect("a file");
        open(&path, columns).map(|source| source.records.collect())
    }

    #[test]
    fn columns_become_ids_inputs_and_metadata() {
        let records = read("sku,text,price\n007,\"white, shoes\",12\n008,boots,\n", &Columns::default()).expect("good");
        let item = records[0].as_ref().expect("an item");
        assert_eq!((&item["text"], &item["metadata"]), (&json!("white, shoes"), &json!({"sku": "007", "price": "12"})));
        assert_eq!(records[1].as_ref().expect("an item")["metadata"], json!({"sku": "008"}));
        let columns = Columns { id: Some("sku".into()), text: Some("title".into()), ..Columns::default() };
        let records = read("sku,title\nx1,boots\n", &columns).expect("good");
        assert_eq!(records[0].as_ref().expect("an item"), &json!({"id": "x1", "text": "boots", "metadata": {}}));
    }

    #[test]
    fn a_header_without_an_input_is_refused() {
        let said = |text: &str, columns: &Columns| read(text, columns).expect_err("bad").to_string();
        assert!(said("sku,title\n", &Columns::default()).contains("--text"));
        let missing = Columns { text: Some("name".into()), ..Columns::default() };
        assert!(said("sku,title\n", &missing).contains("there are sku, title"));
    }
}
