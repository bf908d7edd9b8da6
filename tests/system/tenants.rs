//! Guards the wall between projects: by no route, and by no call of the service's role, does one see, search, change or
//! delete what is another's, and a foreign id answers like a missing one.

use serde_json::{Value, json};
use vw_tests::cluster::Cluster;
use vw_tests::service::{ROLE, Service, key};

const MISSING: &str = "col_00000000000000000000000000";

fn service(cluster: &Cluster) -> (Service, String, String) {
    drop(cluster.with_vw("app"));
    let make = |project: &str| key(cluster, "app", &["create", "--project", project]);
    (Service::start(cluster, "app"), make("red"), make("blue"))
}

/// Make a collection with one item; give both ids.
fn fill(service: &Service, key: &str, text: &str) -> (String, String) {
    let made = service.send("POST", "/v1/vectors/collections", key, &json!({"name": "things"}));
    assert_eq!(made.status, 200, "{made:?}");
    let collection = made.body["id"].as_str().expect("an id").to_owned();
    let body = json!({"items": [{"text": text, "metadata": {"secret": text}}]});
    let indexed = service.send("POST", &format!("/v1/vectors/collections/{collection}/index"), key, &body);
    assert_eq!((indexed.status, &indexed.body["indexed"]), (200, &json!(1)), "{indexed:?}");
    (collection, indexed.body["items"][0]["id"].as_str().expect("an id").to_owned())
}

#[test]
fn a_foreign_id_answers_like_a_missing_one_on_every_route() {
    let cluster = Cluster::start("");
    let (service, red, blue) = service(&cluster);
    let (collection, item) = fill(&service, &red, "the red secret");
    fill(&service, &blue, "the blue secret");
    let routes: [(&str, &str, Value); 6] = [
        ("GET", "", Value::Null),
        ("DELETE", "", Value::Null),
        ("POST", "/index", json!({"items": [{"text": "intruder"}]})),
        ("GET", "/items", Value::Null),
        ("DELETE", "/items", json!({"ids": [item]})),
        ("POST", "/search", json!({"text": "secret"})),
    ];
    for (method, tail, body) in &routes {
        let path = |id: &str| format!("/v1/vectors/collections/{id}{tail}");
        let foreign = service.send(method, &path(&collection), &blue, body);
        let missing = service.send(method, &path(MISSING), &blue, body);
        assert_eq!((foreign.status, foreign.code()), (404, "not_found"), "{method} {tail}");
        let words = |answer: &vw_tests::service::Answer, id: &str| {
            answer.body["error"]["message"].as_str().expect("a message").replace(id, "ID")
        };
        assert_eq!(words(&foreign, &collection), words(&missing, MISSING), "{method} {tail}");
        assert_eq!((missing.status, missing.code()), (404, "not_found"), "{method} {tail}");
    }
    let listed = service.send("GET", "/v1/vectors/collections", &blue, &Value::Null);
    assert!(!listed.body.to_string().contains(&collection), "{listed:?}");
    let found = service.send("GET", &format!("/v1/vectors/collections/{collection}/items"), &red, &Value::Null);
    assert_eq!(found.body["total"], json!(1), "nothing was added or deleted: {found:?}");
    assert_eq!(found.body["items"][0]["metadata"]["secret"], json!("the red secret"));
}

#[test]
fn the_service_role_sees_no_row_without_a_project() {
    let cluster = Cluster::start("");
    let (service, red, _) = service(&cluster);
    let (collection, _) = fill(&service, &red, "the red secret");
    let mut client = cluster.connect_as(ROLE, "app");
    let partition: String = client.query_one("SELECT vw.partition_of($1)", &[&collection]).expect("a name").get(0);
    for table in ["collection", "item", &partition] {
        let rows = client.query(&["SELECT FROM vw.", table].concat(), &[]).expect("a table that may be read");
        assert!(rows.is_empty(), "{table} shows rows");
        let deleted = client.execute(&["DELETE FROM vw.", table].concat(), &[]).expect("a table that may be written");
        assert_eq!(deleted, 0, "{table} gives up rows");
    }
    let denied = client.query("SELECT FROM vw.api_key", &[]).expect_err("keys are nobody's business");
    assert_eq!(denied.code(), Some(&postgres::error::SqlState::INSUFFICIENT_PRIVILEGE));
}

#[test]
fn keys_open_their_project_until_they_are_revoked() {
    let cluster = Cluster::start("");
    let (service, red, blue) = service(&cluster);
    let (collection, _) = fill(&service, &red, "the red secret");
    let path = format!("/v1/vectors/collections/{collection}");
    let second = key(&cluster, "app", &["create", "--project", "red", "--name", "second"]);
    assert_eq!(service.send("GET", &path, &second, &Value::Null).status, 200);
    let id = second.split('_').nth(1).expect("vwk_ID_SECRET");
    assert!(key(&cluster, "app", &["list"]).contains(id));
    key(&cluster, "app", &["revoke", id]);
    let mut wrong = red.clone();
    wrong.replace_range(red.len() - 1.., if red.ends_with('A') { "B" } else { "A" });
    for refused in [second.as_str(), &wrong, "", "vwk_", &red[..20], &format!("{red}x"), &blue.replace("vwk", "key")] {
        let answer = service.send("GET", &path, refused, &Value::Null);
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{refused}");
    }
    assert_eq!(service.send("GET", &path, &red, &Value::Null).status, 200);
}
