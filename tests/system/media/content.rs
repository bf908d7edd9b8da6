//! Content URLs: who has one reads the file and nothing else, for its time, in parts or whole, and no browser runs it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use vw_tests::samples::base64;
use vw_tests::service::program;

use super::{Sample, Studio};

/// Index a sample; give the path of its content URL, query included.
fn link(studio: &Studio, sample: &Sample) -> String {
    let path = studio.collection("c");
    let bare = format!("{}_base64", sample.kind);
    let report = studio.index(&path, json!([{bare: base64(&sample.one)}]));
    assert_eq!(report.status, 200, "{report:?}");
    let items = studio.items(&path);
    let url = items[0]["content_url"].as_str().expect("a URL");
    let (_, rest) = url.split_once("//").expect("an absolute URL");
    rest[rest.find('/').expect("a path")..].to_owned()
}

#[test]
fn files_are_served_whole_and_in_parts() {
    let studio = Studio::open();
    let Some(sample) = studio.kinds().0.into_iter().next() else { return forged(&studio, "/v1/vectors/content/a/b/c") };
    let link = link(&studio, &sample);
    let size = sample.one.len();
    let whole = studio.service.read("GET", &link, &[]);
    assert!(whole.status == 200 && whole.bytes == sample.one);
    let expected = [
        ("content-type", sample.media_type),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        ("accept-ranges", "bytes"),
        ("content-length", &size.to_string()),
    ];
    for (name, value) in expected {
        assert_eq!(whole.header(name), value, "{name}");
    }
    assert!(whole.header("content-disposition").starts_with("attachment; filename=\"med_"));
    assert!(whole.header("cache-control").starts_with("private, max-age="));
    let head = studio.service.read("HEAD", &link, &[]);
    assert_eq!((head.status, head.header("content-length"), head.bytes.len()), (200, size.to_string().as_str(), 0));
    for (range, from, to) in
        [("bytes=0-0", 0, 1), ("bytes=10-19", 10, 20), ("bytes=-5", size - 5, size), ("bytes=7-", 7, size)]
    {
        let part = studio.service.read("GET", &link, &[("range", range)]);
        assert!(part.status == 206 && part.bytes == sample.one[from..to], "{range}: {}", part.status);
        assert_eq!(part.header("content-range"), format!("bytes {from}-{}/{size}", to - 1));
        assert_eq!(part.header("content-length"), (to - from).to_string());
    }
    let behind = studio.service.read("GET", &link, &[("range", &format!("bytes={size}-"))]);
    assert_eq!((behind.status, behind.header("content-range")), (416, format!("bytes */{size}").as_str()));
    let tag = whole.header("etag");
    assert_eq!(studio.service.read("GET", &link, &[("if-none-match", tag)]).status, 304);
    assert_eq!(studio.service.read("GET", &link, &[("if-range", "\"x\""), ("range", "bytes=0-0")]).status, 200);
    assert_eq!(studio.service.read("POST", &link, &[]).status, 405);
    forged(&studio, &link);
}

/// No change to a URL opens anything.
fn forged(studio: &Studio, link: &str) {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let other = path.replace("content/", "content/x");
    let forged = [
        path.to_owned(),
        format!("{path}?exp=99999999999"),
        format!("{path}?{}", query.replace("exp=", "exp=9")),
        format!("{path}?{query}&x=1"),
        format!("{other}?{query}"),
        format!("{path}/?{query}"),
        format!("/v1/vectors/content/../../../keys?{query}"),
        format!("/v1/vectors/content/%2e%2e/keys?{query}"),
        format!("/v1/vectors/content/..%2fkeys?{query}"),
    ];
    for link in forged {
        let answer = studio.service.read("GET", &link, &[]);
        assert!(matches!(answer.status, 401 | 403 | 404), "{link}: {}", answer.status);
        assert!(!answer.bytes.windows(4).any(|window| window == b"\x89PNG" || window == b"RIFF"), "{link}");
    }
}

#[test]
fn content_urls_end_with_their_time_and_with_their_secret() {
    let studio = Studio::open_with(&[("VW_CONTENT_SECONDS", "604800")]);
    let Some(sample) = studio.kinds().0.into_iter().next() else { return };
    let link = link(&studio, &sample);
    let rotate = || {
        let mut command = program();
        command
            .args(["media", "rotate"])
            .env("DATABASE_URL", "dbname=none")
            .envs(studio.settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null());
        assert!(command.status().expect("vw-api starts").success());
    };
    rotate();
    let fresh = studio.index(&studio.collection("d"), json!([{"text": "x"}]));
    assert_eq!(fresh.status, 200);
    assert_eq!(studio.service.read("GET", &link, &[]).status, 200, "the secret before the newest is still good");
    rotate();
    // The service learns of new secrets by itself, a minute later or as soon as it meets one that it does not know.
    let stranger = link.replace("kid=", "kid=x");
    assert_eq!(studio.service.read("GET", &stranger, &[]).status, 403);
    assert_eq!(studio.service.read("GET", &link, &[]).status, 403, "two rotations end a URL");

    let brief = Studio::open_with(&[("VW_CONTENT_SECONDS", "1")]);
    let link = super::content::link(&brief, &sample);
    std::thread::sleep(Duration::from_millis(2100));
    let late = brief.service.read("GET", &link, &[]);
    assert_eq!(late.status, 403);
    assert!(String::from_utf8_lossy(&late.bytes).contains("expired"));
}
