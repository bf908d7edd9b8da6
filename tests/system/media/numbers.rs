//! What /metrics tells of media: what was fetched, why URLs were not, and what files were good for nothing. Never a word of a
//! client's.

use serde_json::{Value, json};
use vw_tests::samples::base64;

use super::Studio;

#[test]
fn failures_are_counted_by_reason() {
    let studio = Studio::open();
    let Some(sample) = studio.kinds().0.into_iter().next() else { return };
    let (kind, bare, path) = (sample.kind, format!("{}_base64", sample.kind), studio.collection("c"));
    let raw = |name: &str, answer: &str| studio.files.put_raw(name, answer.as_bytes());
    let hop = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: ";
    let large = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 99 << 20);
    let closed = { std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address") };
    let cases = [
        ("ok", studio.files.put("/good", &sample.one)),
        ("status", format!("http://{}/missing", studio.files.host())),
        ("address", "http://127.0.0.1/x".to_owned()),
        ("address", "http://localhost/x".to_owned()),
        ("address", raw("/inside", &format!("{hop}http://169.254.169.254/\r\n\r\n"))),
        ("port", format!("http://{closed}/x")),
        ("url", raw("/file", &format!("{hop}file:///etc/passwd\r\n\r\n"))),
        ("redirect", raw("/round", &format!("{hop}/round\r\n\r\n"))),
        ("coding", raw("/coded", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx")),
        ("size", raw("/large", &large)),
        ("exchange", raw("/ssh", "SSH-2.0-OpenSSH_9.2\r\n")),
    ];
    for (outcome, url) in &cases {
        let answer = studio.index(&path, json!([{kind: url, "id": "x"}]));
        assert_eq!(answer.status == 200, *outcome == "ok", "{url}: {answer:?}");
    }
    studio.index(&path, json!([{"text": "x"}, {&bare: base64(b"hello")}, {&bare: base64(&sample.one[..20])}]));
    studio.send("POST", &format!("{path}/index?atomic=true"), json!({"items": [{&bare: base64(&sample.one[..20])}]}));
    studio.send("POST", &format!("{path}/search"), json!({&bare: base64(&sample.one[..20])}));
    let text = studio.service.text("/metrics");
    let mut wanted = vec![
        format!("vw_media_rejected_total{{kind=\"{kind}\",reason=\"media_too_large\"}} 1"),
        format!("vw_media_rejected_total{{kind=\"{kind}\",reason=\"unsupported_media\"}} 1"),
        format!("vw_media_rejected_total{{kind=\"{kind}\",reason=\"decode_failed\"}} 3"),
    ];
    for (outcome, _) in &cases {
        let count = cases.iter().filter(|(other, _)| other == outcome).count();
        wanted.push(format!("vw_fetches_total{{outcome=\"{outcome}\"}} {count}"));
    }
    for line in wanted {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(!text.contains("169.254") && !text.contains("/etc"), "no label has a client's words");
    assert_eq!(studio.send("GET", &path, Value::Null).body["item_count"], json!(2));
}
