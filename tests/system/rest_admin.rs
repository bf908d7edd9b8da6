//! Guards keys: each opens what its scopes say and nothing else, for as long as it is in force; only an administrator's key
//! manages others, and the service's role cannot do so by itself; no secret is kept or logged.

use serde_json::{Value, json};
use vw_tests::service::{ROLE, key, owner};
use vw_tests::world::{COLLECTIONS, World};

const PROJECTS: &str = "/v1/admin/projects";
const KEYS: &str = "/v1/admin/keys";

fn id(key: &str) -> &str {
    key.split('_').nth(1).expect("vwk_ID_SECRET")
}

#[test]
fn an_administrator_makes_replaces_and_revokes_keys() {
    let world = World::start(&[]);
    let admin = key(&world.cluster, "app", &["create", "--project", "default", "--scopes", "admin"]);
    let ask = |method: &str, path: &str, body: Value| world.service.send(method, path, &admin, &body);
    let list = |key: &str| world.service.send("GET", COLLECTIONS, key, &Value::Null).status;
    let project = ask("POST", PROJECTS, json!({"name": "shop"}));
    assert_eq!((project.status, &project.body["name"]), (200, &json!("shop")), "{project:?}");
    let twice = ask("POST", PROJECTS, json!({"name": "shop"}));
    assert_eq!((twice.status, twice.code(), twice.param()), (409, "conflict", Some("name")));
    let listed = ask("GET", PROJECTS, Value::Null);
    assert_eq!(listed.body["projects"][1], project.body);

    let made = ask("POST", KEYS, json!({"project": "shop", "name": "web", "scopes": ["read"]}));
    assert_eq!((made.status, &made.body["scopes"]), (200, &json!(["read"])), "{made:?}");
    let first = made.body["key"].as_str().expect("a key").to_owned();
    assert_eq!(list(&first), 200);
    let shown = ask("GET", &format!("{KEYS}?project=shop"), Value::Null);
    assert_eq!(shown.body["keys"].as_array().map(Vec::len), Some(1), "{shown:?}");
    assert!(shown.body["keys"][0]["last_used_at"].is_string() && !shown.body.to_string().contains(&first[13..]));

    let next = ask("POST", &format!("{KEYS}/{}/rotate", id(&first)), json!({"grace_seconds": 600}));
    let second = next.body["key"].as_str().expect("a key").to_owned();
    assert_eq!((&next.body["name"], &next.body["scopes"]), (&json!("web"), &json!(["read"])));
    assert_eq!((list(&first), list(&second)), (200, 200), "both for a while");
    let last = ask("POST", &format!("{KEYS}/{}/rotate", id(&second)), json!({"grace_seconds": 0}));
    let third = last.body["key"].as_str().expect("a key").to_owned();
    assert_eq!((list(&second), list(&third)), (401, 200));
    let gone = ask("DELETE", &format!("{KEYS}/{}", id(&third)), Value::Null);
    assert!(gone.status == 200 && gone.body["revoked_at"].is_string(), "{gone:?}");
    assert_eq!(list(&third), 401);

    let missing = [("DELETE", format!("{KEYS}/nothing1")), ("POST", format!("{KEYS}/{}/rotate", id(&third)))];
    for (method, path) in missing {
        let answer = ask(method, &path, json!({}));
        assert_eq!((answer.status, answer.code(), answer.param()), (404, "not_found", Some("key")), "{answer:?}");
    }
    let nowhere = ask("POST", KEYS, json!({"project": "nowhere"}));
    assert_eq!((nowhere.status, nowhere.param()), (404, Some("project")), "{nowhere:?}");
    let log = world.service.log();
    for secret in [&admin, &first, &second, &third] {
        assert!(!log.contains(&secret[13..]), "a secret is in the log");
    }
}

#[test]
fn scopes_say_what_a_key_opens() {
    let world = World::start(&[]);
    let path = world.collection("c");
    let make = |scopes: &str| key(&world.cluster, "app", &["create", "--project", "default", "--scopes", scopes]);
    let keys = ["read", "write", "admin"].map(|scope| (scope, make(scope)));
    let routes: [(&str, String, Value, &str); 12] = [
        ("GET", "/v1/vectors/models".to_owned(), Value::Null, "read"),
        ("GET", COLLECTIONS.to_owned(), Value::Null, "read"),
        ("GET", path.clone(), Value::Null, "read"),
        ("GET", format!("{path}/items"), Value::Null, "read"),
        ("POST", format!("{path}/search"), json!({"text": "x"}), "read"),
        ("POST", COLLECTIONS.to_owned(), json!({"name": "d"}), "write"),
        ("POST", format!("{path}/index"), json!({"items": [{"text": "x"}]}), "write"),
        ("DELETE", format!("{path}/items"), json!({"ids": ["x"]}), "write"),
        ("GET", PROJECTS.to_owned(), Value::Null, "admin"),
        ("POST", PROJECTS.to_owned(), json!({"name": "p"}), "admin"),
        ("GET", KEYS.to_owned(), Value::Null, "admin"),
        ("POST", KEYS.to_owned(), json!({"project": "default"}), "admin"),
    ];
    for (method, path, body, scope) in &routes {
        for (own, key) in &keys {
            let answer = world.service.send(method, path, key, body);
            if own == scope {
                assert_eq!(answer.status, 200, "{method} {path} with {own}: {answer:?}");
            } else {
                assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{method} {path} with {own}");
            }
        }
    }
}

/// The same from the command line, by the role that owns the extension.
#[test]
fn the_owner_makes_lists_replaces_and_revokes_keys_by_command() {
    let world = World::start(&[]);
    let command = |words: &[&str]| key(&world.cluster, "app", words);
    let list = |key: &str| world.service.send("GET", COLLECTIONS, key, &Value::Null).status;
    assert!(owner(&world.cluster, "app", &["project", "create", "shop"]).contains("prj_"));
    let first = command(&["create", "--project", "shop", "--name", "web", "--scopes", "read", "--days", "90"]);
    assert_eq!(list(&first), 200);
    let shown = command(&["list", "--project", "shop"]);
    for word in [id(&first), "web", "read", "shop"] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    assert!(!shown.contains(&first[13..]) && !shown.contains(id(&world.key)), "{shown}");
    let second = command(&["rotate", id(&first), "--grace-seconds", "600"]);
    assert_eq!((list(&first), list(&second)), (200, 200), "both for a while");
    let third = command(&["rotate", id(&second), "--grace-seconds", "0"]);
    assert_eq!((list(&second), list(&third)), (401, 200));
    let refused = world.service.send("POST", COLLECTIONS, &third, &json!({"name": "x"}));
    assert_eq!((refused.status, refused.code()), (403, "forbidden"), "a new key has the rights of the old one");
    command(&["revoke", id(&third)]);
    assert_eq!((list(&third), list(&first)), (401, 200), "of the three, one is left in its time of grace");
}

#[test]
fn a_key_that_has_expired_opens_nothing() {
    let world = World::start(&[]);
    let brief = key(&world.cluster, "app", &["create", "--project", "default", "--days", "1"]);
    let list = || world.service.send("GET", COLLECTIONS, &brief, &Value::Null).status;
    assert_eq!(list(), 200);
    let mut client = world.cluster.connect("app");
    let expire = "UPDATE vw.api_key SET expires_at = now() WHERE id = $1";
    assert_eq!(client.execute(expire, &[&id(&brief)]).expect("the key"), 1);
    assert_eq!(list(), 401);
}

#[test]
fn when_a_key_was_used_is_written_once_a_minute() {
    let world = World::start(&[]);
    let mut client = world.cluster.connect("app");
    let mut writes = || -> String {
        world.send("GET", COLLECTIONS, Value::Null);
        client.query_one("SELECT xmin::text FROM vw.api_key", &[]).expect("one key").get(0)
    };
    let first = writes();
    assert!((0..5).all(|_| writes() == first), "not at every request");
    let mut other = world.cluster.connect("app");
    other.batch_execute("UPDATE vw.api_key SET last_used_at = now() - interval '61 seconds'").expect("a minute later");
    assert_ne!(writes(), first);
    let fresh = "SELECT last_used_at > now() - interval '30 seconds' FROM vw.api_key";
    assert!(other.query_one(fresh, &[]).expect("one key").get::<_, bool>(0));
}

#[test]
fn the_service_role_manages_keys_only_in_the_name_of_an_administrator() {
    let world = World::start(&[]);
    let listed = owner(&world.cluster, "app", &["project", "list"]);
    assert!(listed.contains("prj_default"), "{listed}");
    let mut client = world.cluster.connect_as(ROLE, "app");
    let denied = [
        "SELECT vw.create_key('default', 'x', 'abcdefgh', sha256('x'), '{admin}')",
        "SELECT vw.keys()",
        "SELECT vw.revoke_key('abcdefgh')",
        "SELECT vw.rotate_key('abcdefgh', 'abcdefgi', sha256('x'), '1 hour')",
        "SELECT vw.create_project('x')",
        "SELECT vw.demand_admin('abcdefgh', sha256('x'))",
        "SELECT vw.admin_key('abcdefgh')",
        "SELECT FROM vw.api_key",
        "SELECT FROM vw.request",
        "SELECT vw.admin_keys('abcdefgh', sha256('x'), NULL)",
        "SELECT vw.admin_create_key('abcdefgh', sha256('x'), 'default', 'x', 'abcdefgh', sha256('x'), '{admin}', NULL)",
        "SELECT vw.admin_create_project('abcdefgh', sha256('x'), 'x')",
        "SELECT vw.admin_projects(NULL, NULL)",
    ];
    for statement in denied {
        let error = client.query(statement, &[]).expect_err(statement);
        assert_eq!(error.code(), Some(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE), "{statement}: {error}");
    }
}
