//! Guards the service behind PgBouncer in transaction mode, where the statements of one connection meet the sessions of all
//! others: every route does its work, no session keeps anything of a project for the next, and options that a pooler refuses
//! are not sent.

use serde_json::{Value, json};
use tempfile::TempDir;
use vw_tests::cluster::Cluster;
use vw_tests::pooler::Pooler;
use vw_tests::samples::{base64, png};
use vw_tests::service::{Answer, ROLE, Service, key, program};

const COLLECTIONS: &str = "/v1/vectors/collections";

/// Connections of the pooler to the database; the service has more of its own to the pooler.
const SESSIONS: u16 = 2;

struct World {
    service: Service,
    pooler: Pooler,
    cluster: Cluster,
    store: TempDir,
}

fn world() -> World {
    let cluster = Cluster::start("");
    drop(cluster.with_vw("app"));
    let pooler = Pooler::start(&cluster, SESSIONS);
    let store = tempfile::tempdir().expect("a folder");
    let (address, folder) = (pooler.address(ROLE, "app"), store.path().to_string_lossy().into_owned());
    let settings =
        [("DATABASE_URL", &*address), ("VW_POOLER", "true"), ("VW_POOL_SIZE", "8"), ("VW_MEDIA_STORE", &folder)];
    let service = Service::start_set(&cluster, "app", &[], &settings);
    World { service, pooler, cluster, store }
}

/// All that a project does, with its own word in everything; asserts that it meets nothing else.
fn live(world: &World, key: &str, word: &str, round: usize) {
    let send = |method: &str, path: &str, body: Value| -> Answer {
        let answer = world.service.send(method, path, key, &body);
        assert_eq!(answer.status, 200, "{method} {path} {body}: {answer:?}");
        let others = ["red", "green", "blue", "grey"].into_iter().filter(|other| *other != word);
        let said = answer.body.to_string();
        others.for_each(|other| assert!(!said.contains(&format!("{other} secret")), "{word} reads {said}"));
        answer
    };
    let name = format!("{word} secret {round}");
    let made = send("POST", COLLECTIONS, json!({"name": name, "description": name}));
    let path = format!("{COLLECTIONS}/{}", made.body["id"].as_str().expect("an id"));
    let texts: Vec<Value> =
        (0..3).map(|n| json!({"id": format!("t{n}"), "text": format!("{name}, text {n}")})).collect();
    let picture =
        json!({"id": "picture", "image_base64": base64(&png(8, [9, 99, round as u8])), "metadata": {"of": name}});
    let items = [&texts[..], &[picture]].concat();
    let indexed = send("POST", &format!("{path}/index"), json!({"items": items}));
    assert_eq!(indexed.body["indexed"], json!(4), "{indexed:?}");
    let found = send(
        "POST",
        &format!("{path}/search"),
        json!({"text": format!("{name}, text 1"), "filter": {"of": {"$exists": false}}}),
    );
    assert_eq!(
        (&found.body["results"][0]["id"], found.body["results"].as_array().map(Vec::len)),
        (&json!("t1"), Some(3))
    );
    let page = send("GET", &format!("{path}/items?limit=2"), Value::Null);
    let next = format!("{path}/items?limit=2&cursor={}", page.body["next_cursor"].as_str().expect("a cursor"));
    assert_eq!(send("GET", &next, Value::Null).body["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(send("DELETE", &format!("{path}/items"), json!({"ids": ["t0", "x"]})).body["deleted"], json!(1));
    assert_eq!(send("GET", &path, Value::Null).body["item_count"], json!(3));
    let listed = send("GET", COLLECTIONS, Value::Null);
    assert_eq!(listed.body["collections"].as_array().map(Vec::len), Some(1), "{listed:?}");
    send("DELETE", &path, Value::Null);
}

#[test]
fn sessions_are_shared_and_projects_are_not() {
    let world = world();
    let words = ["red", "green", "blue", "grey"];
    let keys = words.map(|word| key(&world.cluster, "app", &["create", "--project", word]));
    std::thread::scope(|scope| {
        for (word, key) in words.iter().zip(&keys) {
            scope.spawn(|| (0..6).for_each(|round| live(&world, key, word, round)));
        }
    });
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1";
    let sessions: i64 = world.cluster.connect("app").query_one(sessions, &[&ROLE]).expect("a count").get(0);
    assert!((1..=i64::from(SESSIONS)).contains(&sessions), "{sessions} sessions");
    let text = world.service.text("/metrics");
    let own = text.lines().find_map(|line| line.strip_prefix("vw_pool_connections ")).expect("a number");
    assert!(own.parse::<u16>().is_ok_and(|own| own > SESSIONS), "{own} connections share {SESSIONS} sessions");
    assert!(world.pooler.shown("STATS", "app", "total_xact_count") > 200, "all of it went through the pooler");
}

#[test]
fn what_lasts_for_a_request_needs_no_session() {
    let world = world();
    let key_of = |scopes: &str| key(&world.cluster, "app", &["create", "--project", "default", "--scopes", scopes]);
    let (both, admin) = (key_of("read,write"), key_of("admin"));
    let bearer = format!("Bearer {both}");
    let headers = [("authorization", bearer.as_str()), vw_tests::service::JSON, ("idempotency-key", "once")];
    let make = || world.service.send_raw("POST", COLLECTIONS, &headers, br#"{"name": "once"}"#.to_vec());
    let (first, second) = (make(), make());
    assert_eq!((first.status, second.status, &first.body), (200, 200, &second.body));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let ask = |method: &str, path: &str, body: Value| world.service.send(method, path, &admin, &body);
    let made = ask("POST", "/v1/admin/keys", json!({"project": "default", "scopes": ["read"]}));
    let (text, id) = (made.body["key"].as_str().expect("a key"), made.body["id"].as_str().expect("an id"));
    assert_eq!(world.service.send("GET", COLLECTIONS, text, &Value::Null).status, 200);
    assert_eq!(ask("DELETE", &format!("/v1/admin/keys/{id}"), Value::Null).status, 200);
    assert_eq!(world.service.send("GET", COLLECTIONS, text, &Value::Null).status, 401);
    let missing = ask("DELETE", "/v1/admin/keys/nothing1", Value::Null);
    assert_eq!((missing.status, missing.param()), (404, Some("key")), "an error names its parameter: {missing:?}");
    // A session that ends in the middle of things is replaced.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    world.cluster.connect("app").query(end, &[&ROLE]).expect("sessions end");
    let again = (0..20).map(|_| world.service.send("GET", COLLECTIONS, &both, &Value::Null).status);
    assert!(again.skip_while(|status| *status == 503).all(|status| status == 200));
    assert_eq!(world.service.send("GET", COLLECTIONS, &both, &Value::Null).status, 200);
}

#[test]
fn without_the_setting_check_says_what_is_wrong() {
    let world = world();
    let check = |pooler: &str| {
        let mut command = program();
        command.arg("check").env("DATABASE_URL", world.pooler.address(ROLE, "app")).env("VW_POOLER", pooler);
        command.env("VW_MEDIA_STORE", world.store.path());
        let output = command.output().expect("vw-api starts");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (good, text) = check("true");
    assert!(good, "{text}");
    let (good, text) = check("false");
    assert!(!good && text.contains("unsupported startup parameter: options"), "{text}");
}
