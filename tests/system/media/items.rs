//! Items and queries of all forms: URL, base64, data URI and text in one request; and items that fail beside others.

use serde_json::{Value, json};
use vw_tests::samples::base64;

use super::{Sample, Studio};

/// An item for each form in which a sample may come, the text among them.
fn all_forms(studio: &Studio, sample: &Sample) -> Value {
    let (kind, bare) = (sample.kind, format!("{}_base64", sample.kind));
    let url = studio.files.put("/one", &sample.one);
    let safe = base64(&sample.other).replace('+', "-").replace('/', "_");
    json!([
        {"id": "url", kind: url, "metadata": {"form": "url"}},
        {"id": "base64", &bare: base64(&sample.one)},
        {"id": "safe", &bare: safe.trim_end_matches('=')},
        {"id": "data", &bare: format!("data:text/html;base64,{}", base64(&sample.other))},
        {"id": "text", "text": "a text beside them"},
    ])
}

#[test]
fn media_come_in_all_forms_and_are_found_and_read_back() {
    let studio = Studio::open();
    let (taken, refused) = studio.kinds();
    for sample in &taken {
        let path = studio.collection(sample.kind);
        let report = studio.index(&path, all_forms(&studio, sample));
        assert_eq!((report.status, &report.body["indexed"]), (200, &json!(5)), "{report:?}");
        assert!(report.body.get("errors").is_none(), "{report:?}");
        assert!(report.body["usage"]["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{report:?}");
        for item in studio.items(&path) {
            let id = item["id"].as_str().expect("an id");
            if id == "text" {
                assert_eq!((&item["content_type"], &item["content_url"]), (&json!("text"), &Value::Null));
                continue;
            }
            assert_eq!((&item["content_type"], &item["text"]), (&json!(sample.kind), &Value::Null));
            let content = studio.service.read("GET", item["content_url"].as_str().expect("a URL"), &[]);
            let sent = if matches!(id, "url" | "base64") { &sample.one } else { &sample.other };
            assert!(content.status == 200 && &content.bytes == sent, "{id}: {}", content.status);
            assert_eq!(content.header("content-type"), sample.media_type);
        }
        let again = studio.files.put("/query", &sample.other);
        let bare = format!("{}_base64", sample.kind);
        for query in [json!({sample.kind: again, "top_k": 2}), json!({&bare: base64(&sample.other), "top_k": 2})] {
            let found = studio.send("POST", &format!("{path}/search"), query);
            assert_eq!(found.status, 200, "{found:?}");
            let results = found.body["results"].as_array().expect("results");
            let ids: Vec<&str> = results.iter().filter_map(|result| result["id"].as_str()).collect();
            assert_eq!(ids, ["data", "safe"], "the same file is nearest to itself: {found:?}");
            for result in results {
                assert!(result["score"].as_f64().is_some_and(|score| score > 0.999), "{result}");
                assert_eq!(result["content_type"], json!(sample.kind));
                let content = studio.service.read("GET", result["content_url"].as_str().expect("a URL"), &[]);
                assert_eq!(content.bytes, sample.other);
            }
        }
        let across = studio.send("POST", &format!("{path}/search"), json!({"text": "a text beside them", "top_k": 5}));
        assert_eq!(across.body["results"].as_array().map(Vec::len), Some(5), "one space for all: {across:?}");
        assert_eq!(across.body["results"][0]["id"], json!("text"));
    }
    for sample in &refused {
        let path = studio.collection(sample.kind);
        let asked = studio.files.asked();
        let report = studio.index(&path, all_forms(&studio, sample));
        let param = format!("items[0].{}", sample.kind);
        assert_eq!((report.status, report.code(), report.param()), (422, "unsupported_input", Some(param.as_str())));
        let url = studio.files.put("/one", &sample.one);
        let found = studio.send("POST", &format!("{path}/search"), json!({sample.kind: url}));
        assert_eq!((found.status, found.code(), found.param()), (422, "unsupported_input", Some(sample.kind)));
        assert_eq!((studio.files.asked(), studio.items(&path).len()), (asked, 0), "refused before any work");
    }
}

/// Items of which only the first is good, and the code for each of the others.
fn mostly_bad(studio: &Studio, sample: &Sample) -> (Value, Vec<&'static str>) {
    let (kind, bare) = (sample.kind, format!("{}_base64", sample.kind));
    let most = if kind == "image" { 20 << 20 } else { 25 << 20 };
    let large = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", most + 1);
    let half = &sample.one[..20];
    let bad = [
        (json!({kind: studio.files.put("/half", half)}), "decode_failed"),
        (json!({&bare: base64(half)}), "decode_failed"),
        (json!({kind: studio.files.put("/page", b"<html><script>alert(1)</script>")}), "unsupported_media"),
        (json!({kind: studio.files.put("/empty", b"")}), "unsupported_media"),
        (json!({&bare: base64(b"hello")}), "unsupported_media"),
        (json!({kind: studio.files.put_raw("/large", large.as_bytes())}), "media_too_large"),
        (json!({kind: format!("http://{}/missing", studio.files.host())}), "fetch_failed"),
        (json!({kind: "http://127.0.0.1/x"}), "fetch_failed"),
        (json!({kind: "http://127.0.0.1:22/x"}), "fetch_failed"),
        (json!({kind: "http://169.254.169.254/latest/meta-data/"}), "fetch_failed"),
        (
            json!({kind: studio.files.put_raw("/away", b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:22/\r\ncontent-length: 0\r\n\r\n")}),
            "fetch_failed",
        ),
    ];
    let (items, codes): (Vec<Value>, Vec<&str>) = bad.into_iter().unzip();
    (json!([&[json!({"id": "good", kind: studio.files.put("/good", &sample.one)})], items.as_slice()].concat()), codes)
}

#[test]
fn one_bad_file_spoils_no_other() {
    let studio = Studio::open();
    let (taken, refused) = studio.kinds();
    for (before, sample) in taken.iter().enumerate() {
        let path = studio.collection(sample.kind);
        let (items, codes) = mostly_bad(&studio, sample);
        let report = studio.index(&path, items.clone());
        assert_eq!((report.status, &report.body["indexed"]), (200, &json!(1)), "{report:?}");
        assert_eq!(report.body["items"][0]["id"], json!("good"));
        let errors = report.body["errors"].as_array().expect("errors");
        for (at, (error, code)) in errors.iter().zip(&codes).enumerate() {
            assert_eq!((&error["index"], &error["code"]), (&json!(at + 1), &json!(code)), "{report:?}");
            assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{error}");
        }
        assert_eq!(errors.len(), codes.len());
        let words: Vec<&Value> = errors.iter().filter(|e| e["code"] == "fetch_failed").map(|e| &e["message"]).collect();
        assert!(words.windows(2).all(|pair| pair[0] == pair[1]), "the words tell nothing of the network: {words:?}");

        let all = Value::Array(items.as_array().expect("items")[1..].to_vec());
        let failed = studio.index(&path, all);
        let param = format!("items[0].{}", sample.kind);
        assert_eq!((failed.status, failed.code(), failed.param()), (422, "decode_failed", Some(param.as_str())));
        assert_eq!(failed.body["errors"].as_array().map(Vec::len), Some(codes.len()), "{failed:?}");

        let whole = json!([{"text": "good"}, {"id": "x", sample.kind: studio.files.put("/half", &sample.one[..20])}]);
        let atomic = studio.send("POST", &format!("{path}/index?atomic=true"), json!({"items": whole}));
        assert_eq!((atomic.status, atomic.code()), (422, "decode_failed"), "{atomic:?}");
        assert!(atomic.param().is_some_and(|param| param.starts_with("items[1]")), "{atomic:?}");
        let whole = json!([{"text": "good"}, {sample.kind: format!("http://{}/missing", studio.files.host())}]);
        let atomic = studio.send("POST", &format!("{path}/index?atomic=true"), json!({"items": whole}));
        assert_eq!((atomic.status, atomic.code()), (422, "fetch_failed"), "{atomic:?}");
        assert_eq!(studio.items(&path).len(), 1, "nothing but the good one");
        studio.sweep();
        assert_eq!(studio.stored().len(), before + 1, "and nothing but its file");

        for (query, code) in mostly_bad(&studio, sample).0.as_array().expect("items")[1..].iter().zip(&codes) {
            let found = studio.send("POST", &format!("{path}/search"), query.clone());
            let code = if query.to_string().contains("aGVsbG8") { "decode_failed" } else { code };
            assert_eq!((found.status, found.code()), (422, code), "{query}: {found:?}");
            assert_eq!(found.param(), Some(sample.kind), "{found:?}");
        }
    }
    for sample in &refused {
        let path = studio.collection(sample.kind);
        let report = studio.index(&path, mostly_bad(&studio, sample).0);
        assert_eq!((report.status, report.code()), (422, "unsupported_input"), "{report:?}");
    }
    let path = studio.collection("texts");
    let parted = studio.send("POST", &format!("{path}/index?atomic=maybe"), json!({"items": [{"text": "x"}]}));
    assert_eq!((parted.status, parted.code(), parted.param()), (400, "invalid_request", Some("atomic")));
    let whole = studio.send("POST", &format!("{path}/index?atomic=true"), json!({"items": [{"text": "x"}]}));
    assert_eq!((whole.status, &whole.body["indexed"]), (200, &json!(1)), "{whole:?}");
}

/// The same from psql: whole by default, in part where that is asked for.
#[test]
fn sql_indexes_whole_unless_told_otherwise() {
    let studio = Studio::open();
    let mut client = studio.database();
    client.batch_execute("SELECT vw_create_collection('c')").expect("a collection");
    for sample in &studio.kinds().0 {
        let (images, audios) = match sample.kind {
            "image" => (vec![None, Some(&sample.one[..20]), Some(&sample.one[..])], vec![None; 3]),
            _ => (vec![None; 3], vec![None, Some(&sample.one[..20]), Some(&sample.one[..])]),
        };
        let texts = [Some("a text"), None, None];
        let call = "SELECT ordinal, status, error_code, error FROM vw_index_items('c', $1, $2, $3, atomic => $4)";
        let refused = client.query(call, &[&texts.as_slice(), &images, &audios, &true]).expect_err("one is broken");
        let report = refused.as_db_error().expect("of the database");
        assert!(report.message().starts_with("item 2: ") && report.code().code() == "22023", "{report:?}");
        let rows = client.query(call, &[&texts.as_slice(), &images, &audios, &false]).expect("two are good");
        let states: Vec<(i32, &str)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        assert_eq!(states, [(1, "created"), (2, "failed"), (3, "created")]);
        assert_eq!(rows[1].get::<_, &str>(2), "22023");
        let kept =
            "SELECT media_size, media_sha256 = sha256($1), media_key IS NULL FROM vw.item WHERE content_type = $2";
        let row = client.query_one(kept, &[&sample.one, &sample.kind]).expect("one item");
        assert_eq!((row.get::<_, i64>(0), row.get(1), row.get(2)), (sample.one.len() as i64, true, true));
    }
    let count = "SELECT (SELECT item_count FROM vw_collection('c')) = (SELECT count(*) FROM vw.item)";
    assert!(client.query_one(count, &[]).expect("a row").get::<_, bool>(0));
}
