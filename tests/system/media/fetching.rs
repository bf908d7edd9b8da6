//! Where the service may be sent: nowhere inside, whatever the URL looks like, and never for a collection that is another's.

use serde_json::{Value, json};
use vw_tests::files::Files;
use vw_tests::service::key;

use super::Studio;

/// Ways to write an address of this machine that a filter may miss.
const HOSTS: &str = "127.0.0.1 127.1 0 0.0.0.0 0x7f.1 2130706433 017700000001 localhost LOCALHOST localhost. 127.0.0.2 [::1] [::] \
    [::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1] [2002:7f00:1::] １２７.０.０.１ example.com@127.0.0.1 127.0.0.1#@example.com";

#[test]
fn no_url_reaches_a_listener_of_this_machine() {
    let studio = Studio::open();
    let canary = Files::start();
    let path = studio.collection("c");
    let (taken, _) = studio.kinds();
    let port = canary.host().rsplit(':').next().expect("a port").to_owned();
    let place = |host: &str| match host.split_once('#') {
        Some((host, rest)) => format!("http://{host}:{port}#{rest}/"),
        None => format!("http://{host}:{port}/"),
    };
    let mut urls: Vec<String> = HOSTS.split_whitespace().map(place).collect();
    for (at, host) in HOSTS.split_whitespace().enumerate() {
        let answer = format!("HTTP/1.1 301 Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", place(host));
        urls.push(studio.files.put_raw(&format!("/hop/{at}"), answer.as_bytes()));
    }
    urls.extend(["file:///etc/passwd", "gopher://127.0.0.1:70/_x", "ftp://127.0.0.1/x"].map(str::to_owned));
    for url in &urls {
        for kind in ["image", "audio"] {
            let indexed = studio.index(&path, json!([{kind: url}]));
            let found = studio.send("POST", &format!("{path}/search"), json!({kind: url}));
            for answer in [indexed, found] {
                let well_formed = url.starts_with("http") && !url.contains("com@");
                let expected = match (well_formed, taken.iter().any(|sample| sample.kind == kind)) {
                    (false, _) => (400, "invalid_request"),
                    (true, true) => (422, "fetch_failed"),
                    (true, false) => (422, "unsupported_input"),
                };
                assert_eq!((answer.status, answer.code()), expected, "{url}: {answer:?}");
            }
        }
    }
    assert_eq!(canary.asked(), 0, "the canary was reached");
}

#[test]
fn nothing_is_fetched_for_a_collection_of_another_project() {
    let studio = Studio::open();
    let stranger = key(&studio.cluster, "app", &["create", "--project", "strangers"]);
    let path = studio.collection("mine");
    for sample in super::samples() {
        let url = studio.files.put("/one", &sample.one);
        for (tail, body) in [("index", json!({"items": [{sample.kind: url}]})), ("search", json!({sample.kind: url}))] {
            for target in [path.as_str(), "/v1/vectors/collections/col_00000000000000000000000000"] {
                let answer = studio.service.send("POST", &format!("{target}/{tail}"), &stranger, &body);
                assert_eq!((answer.status, answer.code()), (404, "not_found"), "{answer:?}");
            }
            let nobody = studio.service.send("POST", &format!("{path}/{tail}"), "vwk_none", &body);
            assert_eq!(nobody.status, 401);
        }
    }
    assert_eq!(studio.files.asked(), 0);
    assert_eq!(studio.send("GET", &path, Value::Null).body["item_count"], json!(0));
}
