//! Guards what runs the service: health, numbers, times, the log, and settings that are wrong.

use std::process::Output;

use serde_json::{Value, json};
use vw_tests::cluster::Cluster;
use vw_tests::service::{ROLE, grant, program};
use vw_tests::world::{COLLECTIONS, World};

#[test]
fn health_and_numbers_tell_what_happened() {
    let world = World::start(&[]);
    for path in ["/livez", "/readyz"] {
        assert_eq!(world.send("GET", path, Value::Null).body, json!({"status": "ok"}));
    }
    let path = world.collection("c");
    assert_eq!(world.send("GET", &path, Value::Null).status, 200);
    assert_eq!(world.send("GET", &format!("{COLLECTIONS}/nothing"), Value::Null).status, 404);
    assert_eq!(world.send("GET", "/v1/no/such/path", Value::Null).status, 404);
    let text = world.service.text("/metrics");
    for line in [
        "vw_http_requests_total{method=\"POST\",route=\"/v1/vectors/collections\",status=\"200\"} 1",
        "vw_http_requests_total{method=\"GET\",route=\"/v1/vectors/collections/{id}\",status=\"200\"} 1",
        "vw_http_requests_total{method=\"GET\",route=\"/v1/vectors/collections/{id}\",status=\"404\"} 1",
        "vw_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 1",
        "vw_http_in_flight 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(text.contains("vw_http_request_seconds_bucket{") && text.contains("vw_pool_connections "), "{text}");
    assert!(!text.contains("col_"), "no label has a client's words:\n{text}");
    let towers = "SELECT count(*) > 0 FROM pg_proc WHERE proname = 'engine_stats'";
    if world.cluster.connect("app").query_one(towers, &[]).expect("the catalog").get(0) {
        assert!(text.contains("vw_engine_batches_total{"), "{text}");
    }
}

#[test]
fn a_request_is_timed_and_logged_under_its_id() {
    let world = World::start(&["--log-format", "json"]);
    let headers = [("authorization", &*format!("Bearer {}", world.key)), ("x-request-id", "mine-17")];
    let answer = world.service.send_raw("GET", COLLECTIONS, &headers, Vec::new());
    let timing = answer.header("server-timing").expect("times");
    assert!(timing.starts_with("total;dur=") && timing.contains(", db;dur="), "{timing}");
    let log = world.service.log();
    let line = log.lines().find(|line| line.contains("mine-17")).unwrap_or_else(|| panic!("no line in\n{log}"));
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["status"], &line["request_id"]), (&json!(200), &json!("mine-17")), "{line}");
    assert_eq!(line["message"], json!(format!("GET {COLLECTIONS}")));
}

/// Run `vw-api check` with a file of settings.
fn check(settings: &str, words: &[&str]) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("vw.toml");
    std::fs::write(&file, settings).expect("own file");
    let mut command = program();
    command.arg("check").args(words).env("VW_CONFIG", file).env_remove("DATABASE_URL");
    // Where no store is set, media are kept where the program runs.
    command.current_dir(folder.path());
    let output = command.output().expect("vw-api starts");
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output, String::from_utf8(text).expect("UTF-8"))
}

#[test]
fn check_tells_whether_the_service_would_work() {
    let cluster = Cluster::start("");
    drop(cluster.with_vw("app"));
    grant(&cluster, "app");
    cluster.connect("app").batch_execute("CREATE ROLE stranger LOGIN").expect("a role");
    let with = |role: &str, database: &str| format!("database_url = \"{}\"\n", cluster.address(role, database));
    let (output, text) = check(&with(ROLE, "app"), &[]);
    assert!(output.status.success() && text.contains("ok    model multimodal-embedding-v1: text"), "{text}");
    let (output, text) = check(&with("postgres", "app"), &[]);
    assert!(output.status.success() && text.contains("warn  role postgres may do anything"), "{text}");
    let bad = [
        (with("stranger", "app"), "vw.grant_service('stranger')"),
        (with(ROLE, "postgres"), "CREATE EXTENSION vw"),
        (with(ROLE, "nowhere"), "\"nowhere\" does not exist"),
        ("listen = \"127.0.0.1:0\"".to_owned(), "database_url is not set"),
        (with(ROLE, "app") + "pool_sise = 3", "pool_sise"),
        (with(ROLE, "app") + "pool_size = 0", "pool_size must be from 1 to 1000"),
        ("database_url = \"what\"".to_owned(), "database_url must be like"),
    ];
    for (settings, wanted) in bad {
        let (output, text) = check(&settings, &[]);
        assert!(!output.status.success() && text.contains(wanted), "{settings}: {text}");
    }
    let (output, text) = check(&with(ROLE, "app"), &["--rate-limits", "searches=5"]);
    assert!(!output.status.success() && text.contains("searches=5"), "{text}");
}
