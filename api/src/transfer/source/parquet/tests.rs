//! Guards what becomes of the columns of files that another writer (pyarrow) wrote in several codecs and encodings, and that
//! no broken file ends the program. `api/fixtures/parquet.py` makes the files.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;

const WAYS: [&str; 5] = ["snappy", "gzip", "zstd", "lz4", "none"];

fn fixture(way: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/parquet")).join(way).with_extension("parquet")
}

fn by_sku() -> Columns {
    Columns { id: Some("sku".to_owned()), ..Columns::default() }
}

#[test]
fn columns_become_items_with_typed_metadata() {
    for way in WAYS {
        let source = open(&fixture(way), &by_sku()).expect("it can be read");
        assert_eq!(source.count, 3);
        let records: Vec<Value> = source.records.map(|record| record.expect(way)).collect();
        let maker = json!({"name": "Acme", "sites": [{"city": "Bonn", "staff": 12}]});
        let metadata = json!({
            "price": 12.5, "exact": 12.50, "seen": "2024-02-29T12:00:00.250Z", "since": "2024-02-29", "raw": "AP8=",
            "tags": ["a", "b"], "stock": {"north": 3, "south": 0}, "maker": maker, "shelf": {"row": 4},
        });
        let first = json!({"id": "7", "text": "white running shoes", "metadata": metadata});
        assert_eq!(records[0], first, "{way}");
        let metadata = json!({
            "price": 0.1, "exact": -0.05, "seen": "1969-12-31T23:59:59Z", "since": "1960-01-01", "tags": [],
            "stock": {}, "maker": {},
        });
        assert_eq!(records[1], json!({"id": "8", "text": "a cast iron pan", "metadata": metadata}), "{way}");
        let picture = records[2]["image_base64"].as_str().expect("a picture");
        assert!(STANDARD.decode(picture).expect("base64").starts_with(b"\x89PNG"), "{way}");
        assert_eq!((&records[2]["id"], &records[2]["metadata"]), (&json!("9"), &json!({"metadata": "not JSON"})));
    }
}

#[test]
fn ids_are_the_same_every_time_and_whatever_the_codec() {
    let read = |way: &str| -> Vec<Value> {
        let records = open(&fixture(way), &Columns::default()).expect("it can be read").records;
        records.map(|record| record.expect(way)["id"].clone()).collect()
    };
    let ids = read("snappy");
    assert!(ids.iter().all(|id| id.as_str().is_some_and(|id| id.starts_with("imported_"))) && ids[0] != ids[1]);
    WAYS.iter().for_each(|way| assert_eq!(read(way), ids, "{way}"));
}

#[test]
fn what_cannot_be_an_input_is_named() {
    let refused = |columns: &Columns| match open(&fixture("snappy"), columns) {
        Err(error) => format!("{error:#}"),
        Ok(source) => format!("{:#}", source.records.filter_map(Record::err).next().expect("a bad row")),
    };
    let with = |text: &str| Columns { text: Some(text.to_owned()), ..Columns::default() };
    assert!(refused(&with("title")).contains("there are sku, text, image"));
    assert_eq!(refused(&with("maker")), "row 1: the column maker holds no text");
    let pictures = Columns { image: Some("raw".to_owned()), ..Columns::default() };
    assert_eq!(refused(&pictures), "row 1: the bytes are no image file");
    let sounds = Columns { audio: Some("price".to_owned()), ..Columns::default() };
    assert_eq!(refused(&sounds), "row 1: the column price holds neither bytes nor paths");
}

#[test]
fn broken_files_are_refused_and_no_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("items.parquet");
    let (mut state, mut refused) = (1_u64, 0);
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for way in WAYS {
        let whole = std::fs::read(fixture(way)).expect("a fixture");
        for _ in 0..60 {
            let mut bytes = whole.clone();
            bytes.truncate(if random(4) == 0 { random(whole.len()) } else { whole.len() });
            for _ in 0..=random(3) {
                let (at, bit) = (random(bytes.len().max(1)), random(8));
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= 1 << bit);
            }
            std::fs::write(&path, &bytes).expect("own file");
            refused += match open(&path, &by_sku()) {
                Err(_) => 1,
                Ok(source) => usize::from(source.records.take(100).any(|record| record.is_err())),
            };
        }
    }
    assert!(refused > 100, "{refused} of 300 were noticed");
}
