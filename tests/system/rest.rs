//! Guards the contract of the Vectors API: every route with the fields that it promises, and bad input, which is
//! answered by a 4xx that names the parameter and leaves nothing behind.

use serde_json::{Value, json};
use vw_tests::cluster::Cluster;
use vw_tests::service::{JSON, Service, key};

const COLLECTIONS: &str = "/v1/vectors/collections";

struct World {
    service: Service,
    key: String,
    _cluster: Cluster,
}

fn world() -> World {
    let cluster = Cluster::start("");
    drop(cluster.with_vw("app"));
    let key = key(&cluster, "app", &["create", "--project", "default"]);
    World { service: Service::start(&cluster, "app"), key, _cluster: cluster }
}

impl World {
    fn send(&self, method: &str, path: &str, body: Value) -> vw_tests::service::Answer {
        self.service.send(method, path, &self.key, &body)
    }

    /// A new collection's path.
    fn collection(&self, name: &str) -> String {
        let made = self.send("POST", COLLECTIONS, json!({"name": name}));
        assert_eq!(made.status, 200, "{made:?}");
        format!("{COLLECTIONS}/{}", made.body["id"].as_str().expect("an id"))
    }
}

#[test]
fn models_and_collections_keep_their_promise() {
    let world = world();
    let models = world.send("GET", "/v1/vectors/models", Value::Null);
    let model = &models.body["models"][0];
    assert_eq!(model["id"], json!("multimodal-embedding-v1"));
    assert_eq!(model["name"], json!("Multimodal Embedding v1"));
    let space = (&model["types"], &model["dimensions"], &model["metric"]);
    assert_eq!(space, (&json!(["text", "image", "audio"]), &json!(1024), &json!("COSINE")));

    let body = json!({"name": "product-images", "description": "Shoes", "model_id": "multimodal-embedding-v1"});
    let made = world.send("POST", COLLECTIONS, body.clone());
    assert_eq!(made.status, 200, "{made:?}");
    for (field, value) in body.as_object().expect("an object") {
        assert_eq!(&made.body[field], value);
    }
    let id = made.body["id"].as_str().expect("an id");
    assert!(id.starts_with("col_") && id.len() == 30, "{id}");
    let path = format!("{COLLECTIONS}/{id}");
    assert_eq!(world.send("GET", &path, Value::Null).body, made.body);
    let listed = world.send("GET", COLLECTIONS, Value::Null);
    assert_eq!(listed.body["collections"], json!([made.body]));
    let deleted = world.send("DELETE", &path, Value::Null);
    assert_eq!((deleted.status, &deleted.body["deleted"]), (200, &json!(true)), "{deleted:?}");
    for (method, tail, body) in [("GET", "", Value::Null), ("POST", "/search", json!({"text": "shoes"}))] {
        assert_eq!(world.send(method, &format!("{path}{tail}"), body).status, 404);
    }
}

/// A collection with three items, the last with an id of its own; gives its path.
fn shop(world: &World) -> String {
    let path = world.collection("shop");
    let items = json!({"items": [
        {"text": "Red leather running shoes with white soles", "metadata": {"category": "footwear", "sku": "SH-002"}},
        {"text": "A cast iron frying pan"},
        {"text": "White tennis shoes", "id": "my-own.id:1", "metadata": {"sku": "SH-003"}},
    ]});
    let indexed = world.send("POST", &format!("{path}/index"), items);
    assert_eq!((indexed.status, &indexed.body["indexed"]), (200, &json!(3)), "{indexed:?}");
    assert_eq!(indexed.body["model"], json!("multimodal-embedding-v1"));
    assert!(indexed.body["usage"]["input_tokens"].as_u64().is_some_and(|tokens| tokens > 10));
    assert_eq!(indexed.body["items"][2]["id"], json!("my-own.id:1"));
    path
}

#[test]
fn search_keeps_its_promise() {
    let world = world();
    let path = format!("{}/search", shop(&world));
    let found = world.send("POST", &path, json!({"text": "white running shoes", "top_k": 2}));
    assert_eq!(found.status, 200, "{found:?}");
    let results = found.body["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    let scores: Vec<f64> = results.iter().map(|result| result["score"].as_f64().expect("a score")).collect();
    assert!(scores[0] >= scores[1] && scores.iter().all(|score| (0.5..=1.0).contains(score)), "{scores:?}");
    for result in results {
        assert!(result["metadata"]["sku"].as_str().is_some_and(|sku| sku.starts_with("SH-")), "{result}");
        assert_eq!((&result["content_type"], &result["content_url"]), (&json!("text"), &Value::Null));
    }
    assert_eq!(found.body["model"], json!("multimodal-embedding-v1"));
    assert_eq!(found.body["usage"], json!({"input_tokens": 5}));
    let none = world.send("POST", &path, json!({"text": "white running shoes", "threshold": 0.999}));
    assert_eq!((none.status, &none.body["results"]), (200, &json!([])));
    assert_eq!(none.body["usage"], json!({"input_tokens": 5}));
    let filtered = world.send("POST", &path, json!({"text": "shoes", "filter": {"sku": "SH-002"}}));
    assert_eq!(filtered.body["results"].as_array().map(Vec::len), Some(1), "{filtered:?}");
}

#[test]
fn items_are_listed_in_pages_and_deleted() {
    let world = world();
    let path = shop(&world);
    let page = world.send("GET", &format!("{path}/items?limit=2&offset=1"), Value::Null);
    assert_eq!((page.status, &page.body["total"]), (200, &json!(3)), "{page:?}");
    assert_eq!(page.body["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(page.body["items"][1]["id"], json!("my-own.id:1"));
    let beyond = world.send("GET", &format!("{path}/items?offset=99"), Value::Null);
    assert_eq!((&beyond.body["total"], &beyond.body["items"]), (&json!(3), &json!([])));
    let gone = world.send("DELETE", &format!("{path}/items"), json!({"ids": ["my-own.id:1", "item_def456"]}));
    assert_eq!((gone.status, &gone.body["deleted"]), (200, &json!(1)), "{gone:?}");
    assert_eq!(world.send("GET", &path, Value::Null).body["item_count"], json!(2));
}

#[test]
fn an_id_given_again_replaces_its_item() {
    let world = world();
    let path = world.collection("c");
    let index =
        |text: &str| world.send("POST", &format!("{path}/index"), json!({"items": [{"id": "a", "text": text}]}));
    assert_eq!(index("a hammer").body["items"][0]["status"], json!("created"));
    assert_eq!(index("a rose").body["items"][0]["status"], json!("updated"));
    let page = world.send("GET", &format!("{path}/items"), Value::Null);
    assert_eq!((&page.body["total"], &page.body["items"][0]["text"]), (&json!(1), &json!("a rose")));
}

/// One bad request: method, path below the collection, body, and the status, code and param of the answer.
type Bad = (&'static str, &'static str, Value, u16, &'static str, Option<&'static str>);

fn bad_items() -> Vec<Bad> {
    let index = |items: Value, code: u16, word: &'static str, param| {
        ("POST", "/index", json!({"items": items}), code, word, param)
    };
    let many: Vec<Value> = (0..101).map(|_| json!({"text": "x"})).collect();
    vec![
        index(json!([]), 400, "invalid_request", Some("items")),
        index(json!(many), 400, "invalid_request", Some("items")),
        index(json!("text"), 400, "invalid_request", Some("items")),
        index(json!([{"text": "x"}, {}]), 400, "invalid_request", Some("items[1]")),
        index(json!([{"text": "x", "image": "https://example.com/a.png"}]), 400, "invalid_request", Some("items[0]")),
        index(json!([{"text": 7}]), 400, "invalid_request", Some("items[0].text")),
        index(json!([{"text": ""}]), 400, "invalid_request", Some("items[0].text")),
        index(json!([{"text": "a\u{0}b"}]), 400, "invalid_request", Some("items[0].text")),
        index(json!([{"text": "x".repeat(32_001)}]), 400, "invalid_request", Some("items[0].text")),
        index(json!([{"text": "x", "colour": "red"}]), 400, "invalid_request", Some("items[0].colour")),
        index(json!([{"text": "x", "metadata": 5}]), 400, "invalid_request", Some("items[0].metadata")),
        index(json!([{"text": "x", "metadata": {"a": ["\u{0}"]}}]), 400, "invalid_request", Some("items[0].metadata")),
        index(json!([{"text": "x", "metadata": {"\u{0}": 1}}]), 400, "invalid_request", Some("items[0].metadata")),
        index(
            json!([{"text": "x", "metadata": {"a": "y".repeat(20_000)}}]),
            400,
            "invalid_request",
            Some("items[0].metadata"),
        ),
        index(json!([{"text": "x", "id": ""}]), 400, "invalid_request", Some("items[0].id")),
        index(json!([{"text": "x", "id": "a"}, {"text": "y", "id": "a"}]), 400, "invalid_request", Some("items[1].id")),
        index(json!([{"text": "x"}, {"image_base64": "!!"}]), 400, "invalid_request", Some("items[1].image_base64")),
        index(json!([{"image": "file:///etc/passwd"}]), 400, "invalid_request", Some("items[0].image")),
        ("POST", "/index", json!({}), 400, "invalid_request", Some("items")),
        ("POST", "/index", json!([]), 400, "invalid_request", None),
        ("POST", "/index", json!({"items": [{"text": "x"}], "more": 1}), 400, "invalid_request", Some("more")),
        ("DELETE", "/items", json!({"ids": []}), 400, "invalid_request", Some("ids")),
        ("DELETE", "/items", json!({"ids": [1]}), 400, "invalid_request", Some("ids[0]")),
        ("DELETE", "/items", json!({}), 400, "invalid_request", Some("ids")),
    ]
}

fn bad_searches() -> Vec<Bad> {
    let search = |body: Value, code: u16, word: &'static str, param| ("POST", "/search", body, code, word, param);
    vec![
        search(json!({}), 400, "invalid_request", None),
        search(json!({"text": "x", "audio": "https://example.com/a.wav"}), 400, "invalid_request", None),
        search(json!({"text": ""}), 400, "invalid_request", Some("text")),
        search(json!({"text": ["x"]}), 400, "invalid_request", Some("text")),
        search(json!({"text": "a\u{0}"}), 400, "invalid_request", Some("text")),
        search(json!({"text": "x", "top_k": 0}), 400, "invalid_request", Some("top_k")),
        search(json!({"text": "x", "top_k": 101}), 400, "invalid_request", Some("top_k")),
        search(json!({"text": "x", "top_k": 1.5}), 400, "invalid_request", Some("top_k")),
        search(json!({"text": "x", "top_k": "5"}), 400, "invalid_request", Some("top_k")),
        search(json!({"text": "x", "threshold": 1.01}), 400, "invalid_request", Some("threshold")),
        search(json!({"text": "x", "threshold": -0.01}), 400, "invalid_request", Some("threshold")),
        search(json!({"text": "x", "limit": 5}), 400, "invalid_request", Some("limit")),
        ("GET", "/items?limit=0", Value::Null, 400, "invalid_request", Some("limit")),
        ("GET", "/items?limit=101", Value::Null, 400, "invalid_request", Some("limit")),
        ("GET", "/items?limit=ten", Value::Null, 400, "invalid_request", Some("limit")),
        ("GET", "/items?offset=-1", Value::Null, 400, "invalid_request", Some("offset")),
        ("GET", "/items?page=2", Value::Null, 400, "invalid_request", Some("page")),
    ]
}

#[test]
fn bad_requests_on_a_collection_are_refused_whole() {
    let world = world();
    let path = world.collection("c");
    for (method, tail, body, status, code, param) in bad_items().into_iter().chain(bad_searches()) {
        let answer = world.send(method, &format!("{path}{tail}"), body.clone());
        let shown: String = body.to_string().chars().take(120).collect();
        assert_eq!(
            (answer.status, answer.code(), answer.param()),
            (status, code, param),
            "{method} {tail} {shown}: {answer:?}"
        );
    }
    assert_eq!(world.send("GET", &path, Value::Null).body["item_count"], json!(0), "no half of a batch was written");
}

#[test]
fn bad_collections_are_refused() {
    let world = world();
    world.collection("taken");
    let cases = [
        (json!({}), 400, "invalid_request", Some("name")),
        (json!({"name": ""}), 400, "invalid_request", Some("name")),
        (json!({"name": " "}), 400, "invalid_request", Some("name")),
        (json!({"name": null}), 400, "invalid_request", Some("name")),
        (json!({"name": 5}), 400, "invalid_request", Some("name")),
        (json!({"name": "é".repeat(101)}), 400, "invalid_request", Some("name")),
        (json!({"name": "a\u{0}"}), 400, "invalid_request", Some("name")),
        (json!({"name": "a", "description": "d".repeat(501)}), 400, "invalid_request", Some("description")),
        (json!({"name": "a", "model_id": "nope"}), 400, "unknown_model", Some("model_id")),
        (json!({"name": "a", "colour": 1}), 400, "invalid_request", Some("colour")),
        (json!({"name": "taken"}), 409, "conflict", Some("name")),
    ];
    for (body, status, code, param) in cases {
        let answer = world.send("POST", COLLECTIONS, body.clone());
        assert_eq!((answer.status, answer.code(), answer.param()), (status, code, param), "{body}: {answer:?}");
    }
    let huge = world.send("POST", COLLECTIONS, json!({"name": "n".repeat(1 << 20)}));
    assert!(matches!((huge.status, huge.code()), (400, "invalid_request") | (413, "payload_too_large")), "{huge:?}");
    assert_eq!(world.send("POST", COLLECTIONS, json!({"name": "é".repeat(100)})).status, 200);
}

#[test]
fn bad_http_gets_the_error_body_too() {
    let world = world();
    let bearer = format!("Bearer {}", world.key);
    let auth = ("authorization", bearer.as_str());
    let raw = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        world.service.send_raw(method, path, headers, body.as_bytes().to_vec())
    };
    let expect = |answer: vw_tests::service::Answer, status: u16, code: &str| {
        assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
    };
    for body in ["", "{", "{\"name\": }", "\u{feff}{}", "{\"name\": \"a\"} trailing", &"[".repeat(100_000)] {
        expect(raw("POST", COLLECTIONS, &[auth, JSON], body), 400, "invalid_json");
    }
    let not_utf8 = world.service.send_raw("POST", COLLECTIONS, &[auth, JSON], b"{\"name\": \"\xff\"}".to_vec());
    expect(not_utf8, 400, "invalid_json");
    expect(raw("POST", COLLECTIONS, &[auth, ("content-type", "text/plain")], "{}"), 415, "unsupported_media_type");
    expect(raw("GET", "/v1/vectors/nothing", &[auth], ""), 404, "not_found");
    expect(raw("PUT", COLLECTIONS, &[auth], ""), 405, "method_not_allowed");
    expect(raw("GET", COLLECTIONS, &[], ""), 401, "unauthorized");
    expect(raw("GET", COLLECTIONS, &[("authorization", "Basic abc")], ""), 401, "unauthorized");
    expect(raw("POST", COLLECTIONS, &[JSON], "{"), 401, "unauthorized");
    let echoed = raw("GET", COLLECTIONS, &[auth, ("x-request-id", "mine-1")], "");
    assert_eq!(echoed.request_id.as_deref(), Some("mine-1"));
}
