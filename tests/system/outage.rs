//! Guards against outages: with the engine or the database down the service answers 503 with a code, writes nothing by
//! halves, and works again by itself when they are back.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vw_tests::cluster::Cluster;
use vw_tests::process;
use vw_tests::service::{Answer, Service, key};

const COLLECTIONS: &str = "/v1/vectors/collections";

fn start(settings: &str) -> (Cluster, Service, String) {
    let cluster = Cluster::start(settings);
    drop(cluster.with_vw("app"));
    let key = key(&cluster, "app", &["create", "--project", "default"]);
    let service = Service::start(&cluster, "app");
    (cluster, service, key)
}

/// Ask until the answer is not an outage; fail after a minute.
fn until_back(ask: impl Fn() -> Answer) -> Answer {
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = ask();
        if answer.status != 503 {
            return answer;
        }
        assert!(Instant::now() < limit, "still out: {answer:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_database_that_is_down_is_a_503_until_it_is_back() {
    let (cluster, service, key) = start("");
    let list = || service.send("GET", COLLECTIONS, &key, &Value::Null);
    assert_eq!(list().status, 200);
    cluster.stop("fast");
    for _ in 0..3 {
        let answer = list();
        assert_eq!((answer.status, answer.code()), (503, "database_unavailable"), "{answer:?}");
        assert!(answer.retry_after.is_some());
    }
    let ready = service.send("GET", "/readyz", &key, &Value::Null);
    assert_eq!(ready.status, 503);
    cluster.resume();
    assert_eq!(until_back(list).status, 200);
}

#[test]
fn an_engine_that_is_down_is_a_503_and_nothing_is_half_written() {
    let (cluster, service, key) = start("");
    let made = service.send("POST", COLLECTIONS, &key, &json!({"name": "c"}));
    let path = format!("{COLLECTIONS}/{}", made.body["id"].as_str().expect("an id"));
    let socket = cluster.data().join("vw/engine.sock");
    // An engine of another host that is not there.
    let mut admin = cluster.connect("app");
    // Settings of a library are known where it is loaded.
    admin.batch_execute("LOAD 'vw'").expect("the library");
    admin.batch_execute("ALTER SYSTEM SET vw.engine_address = '/nonexistent/engine.sock'").expect("a setting");
    admin.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    std::thread::sleep(Duration::from_millis(300));
    let index = || {
        let items: Vec<Value> = (0..100).map(|n| json!({"text": format!("text {n}")})).collect();
        service.send("POST", &format!("{path}/index"), &key, &json!({"items": items}))
    };
    let answer = index();
    assert_eq!((answer.status, answer.code()), (503, "engine_unavailable"), "{answer:?}");
    assert!(answer.retry_after.is_some());
    let search = service.send("POST", &format!("{path}/search"), &key, &json!({"text": "x"}));
    assert_eq!((search.status, search.code()), (503, "engine_unavailable"), "{search:?}");
    let listed = service.send("GET", &format!("{path}/items"), &key, &Value::Null);
    assert_eq!((listed.status, &listed.body["total"]), (200, &json!(0)), "what needs no engine goes on");
    admin.batch_execute("ALTER SYSTEM RESET vw.engine_address").expect("a setting");
    admin.batch_execute("SELECT pg_reload_conf()").expect("a reload");
    assert_eq!(until_back(index).body["indexed"], json!(100));
    assert!(std::fs::metadata(socket).expect("the engine's socket").permissions().mode() & 0o077 == 0);
}

#[test]
fn killing_the_engine_under_requests_costs_at_most_a_503() {
    let (cluster, service, key) = start("shared_preload_libraries = 'vw'");
    let made = service.send("POST", COLLECTIONS, &key, &json!({"name": "c"}));
    let path = format!("{COLLECTIONS}/{}", made.body["id"].as_str().expect("an id"));
    let mut written = 0;
    for round in 0..30 {
        if round % 6 == 3 {
            process::engines(&cluster.data()).into_iter().for_each(process::kill);
        }
        let items: Vec<Value> = (0..20).map(|n| json!({"text": format!("text {round} {n}")})).collect();
        let answer = service.send("POST", &format!("{path}/index"), &key, &json!({"items": items}));
        match answer.status {
            200 => written += 20,
            _ => assert_eq!((answer.status, answer.code()), (503, "engine_unavailable"), "{answer:?}"),
        }
    }
    let listed = service.send("GET", &format!("{path}/items"), &key, &Value::Null);
    assert_eq!(listed.body["total"], json!(written), "whole batches only");
    assert!(written >= 400, "{written}");
}
