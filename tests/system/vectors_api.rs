//! Guards the contract of the Vectors API sentence by sentence: each test is named after what the contract says and holds
//! the service to that and to the fields of its examples. Bad input is a matter of `rest`, media of `media`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tempfile::TempDir;
use vw_tests::cluster::Cluster;
use vw_tests::files::Files;
use vw_tests::samples::{base64, png, wav};
use vw_tests::service::{Answer, Service, key};

const COLLECTIONS: &str = "/v1/vectors/collections";
const MODEL: &str = "multimodal-embedding-v1";

struct Api {
    service: Service,
    key: String,
    files: Files,
    cluster: Cluster,
    _store: TempDir,
}

fn api() -> Api {
    let cluster = Cluster::start("");
    drop(cluster.with_vw("app"));
    let (files, store) = (Files::start(), tempfile::tempdir().expect("a folder"));
    let (host, folder) = (files.host(), store.path().to_string_lossy().into_owned());
    let service = Service::start_set(&cluster, "app", &[], &[("VW_MEDIA_STORE", &folder), ("VW_FETCH_ALLOW", &host)]);
    let key = key(&cluster, "app", &["create", "--project", "default"]);
    Api { service, key, files, cluster, _store: store }
}

impl Api {
    fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.service.send(method, path, &self.key, &body)
    }

    /// The same, which must be answered 200; gives the body.
    fn done(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, body);
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        answer.body
    }

    fn collection(&self, name: &str) -> String {
        let made = self.done("POST", COLLECTIONS, json!({"name": name}));
        format!("{COLLECTIONS}/{}", made["id"].as_str().expect("an id"))
    }

    /// A collection of so many texts with the ids i0, i1, …
    fn filled(&self, count: usize) -> String {
        let path = self.collection("filled");
        let items: Vec<Value> = (0..count)
            .map(|n| json!({"id": format!("i{n}"), "text": format!("a thing with the number {n}")}))
            .collect();
        let report = self.done("POST", &format!("{path}/index"), json!({"items": items}));
        assert_eq!(report["indexed"], json!(count));
        path
    }

    /// What the default model embeds.
    fn types(&self) -> Vec<String> {
        let models = self.done("GET", "/v1/vectors/models", Value::Null);
        let own = models["models"].as_array().expect("models").iter().find(|model| model["id"] == json!(MODEL));
        let types = own.expect("the default model")["types"].as_array().expect("types").clone();
        types.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    }

    /// An input of each form that the contract names, with its content type: URL, base64, text, URL of a sound.
    fn inputs(&self) -> Vec<(&'static str, Value, &'static str)> {
        let picture = png(24, [200, 30, 30]);
        vec![
            ("image", json!(self.files.put("/shoe.png", &picture)), "image"),
            ("image_base64", json!(base64(&picture)), "image"),
            ("text", json!("Red leather running shoes with white soles"), "text"),
            ("audio", json!(self.files.put("/tone.wav", &wav(440.0))), "audio"),
        ]
    }
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// Assert that a value has the fields of the contract; others may stand beside them.
fn has(value: &Value, fields: &[&str]) {
    fields.iter().for_each(|field| assert!(names(value).contains(field), "{field} is missing in {value}"));
}

/// Assert RFC 3339 in UTC with milliseconds, not long ago.
fn is_time(value: &Value) {
    let text = value.as_str().expect("a time");
    let form: String = text.chars().map(|sign| if sign.is_ascii_digit() { '0' } else { sign }).collect();
    assert_eq!(form, "0000-00-00T00:00:00.000Z", "{text}");
    assert!(text > "2024", "{text}");
}

#[test]
fn lists_available_embedding_models_for_creating_collections() {
    let api = api();
    let models = api.done("GET", "/v1/vectors/models", Value::Null);
    let models = models["models"].as_array().expect("an array");
    assert!(!models.is_empty());
    for (at, model) in models.iter().enumerate() {
        has(model, &["id", "name", "types", "dimensions", "metric"]);
        let body = json!({"name": format!("of model {at}"), "model_id": model["id"]});
        assert_eq!(api.done("POST", COLLECTIONS, body)["model_id"], model["id"], "it is one for creating collections");
    }
    let own = models.iter().find(|model| model["id"] == json!(MODEL)).expect("the contract's model");
    let told = (&own["name"], &own["dimensions"], &own["metric"]);
    assert_eq!(told, (&json!("Multimodal Embedding v1"), &json!(1024), &json!("COSINE")));
    let types = own["types"].as_array().expect("an array");
    let known = ["image", "text", "audio"].map(Value::from);
    assert!(types.iter().all(|word| known.contains(word)) && types.contains(&json!("text")), "{types:?}");
}

#[test]
fn a_name_is_required_unique_within_its_project_and_has_at_most_100_characters() {
    let api = api();
    let make = |body: Value| api.ask("POST", COLLECTIONS, body);
    assert_eq!(make(json!({"description": "no name"})).param(), Some("name"));
    let longest = "é".repeat(100);
    assert_eq!(api.done("POST", COLLECTIONS, json!({"name": longest}))["name"], json!(longest));
    let (over, twice) = (make(json!({"name": "x".repeat(101)})), make(json!({"name": longest})));
    assert_eq!((over.status, over.param()), (400, Some("name")));
    assert_eq!((twice.status, twice.code(), twice.param()), (409, "conflict", Some("name")));
    let other = key(&api.cluster, "app", &["create", "--project", "other"]);
    assert_eq!(api.service.send("POST", COLLECTIONS, &other, &json!({"name": longest})).status, 200, "another project");
}

#[test]
fn a_description_has_at_most_500_characters_and_the_model_a_default() {
    let api = api();
    let body = json!({"name": "product-images", "description": "é".repeat(500), "model_id": MODEL});
    let made = api.done("POST", COLLECTIONS, body.clone());
    names(&body).into_iter().for_each(|field| assert_eq!(made[field], body[field]));
    let over = api.ask("POST", COLLECTIONS, json!({"name": "b", "description": "x".repeat(501)}));
    assert_eq!((over.status, over.param()), (400, Some("description")));
    let plain = api.done("POST", COLLECTIONS, json!({"name": "plain"}));
    assert_eq!((&plain["description"], &plain["model_id"]), (&Value::Null, &json!(MODEL)));
    has(
        &plain,
        &["id", "name", "description", "model_id", "dimensions", "metric", "item_count", "created_at", "updated_at"],
    );
    is_time(&plain["created_at"]);
    is_time(&plain["updated_at"]);
    let unknown = api.ask("POST", COLLECTIONS, json!({"name": "c", "model_id": "clip"}));
    assert_eq!((unknown.status, unknown.code(), unknown.param()), (400, "unknown_model", Some("model_id")));
}

#[test]
fn collections_are_listed_shown_and_deleted_with_their_items() {
    let api = api();
    let path = api.filled(3);
    let other = api.collection("other");
    let listed = api.done("GET", COLLECTIONS, Value::Null);
    let shown = [&path, &other].map(|path| api.done("GET", path, Value::Null));
    assert_eq!(listed["collections"], json!(shown), "the project's, each as it is shown alone");
    assert_eq!(shown[0]["item_count"], json!(3));
    let gone = api.done("DELETE", &path, Value::Null);
    assert_eq!(gone["deleted"], json!(true));
    for (method, tail, body) in [
        ("GET", "", Value::Null),
        ("DELETE", "", Value::Null),
        ("GET", "/items", Value::Null),
        ("DELETE", "/items", json!({"ids": ["i0"]})),
        ("POST", "/index", json!({"items": [{"text": "x"}]})),
        ("POST", "/search", json!({"text": "x"})),
    ] {
        let answer = api.ask(method, &format!("{path}{tail}"), body);
        assert_eq!((answer.status, answer.code()), (404, "not_found"), "{method} {tail}");
    }
    let rows = api.cluster.connect("app").query_one("SELECT count(*) FROM vw.item", &[]).expect("a count");
    assert_eq!(rows.get::<_, i64>(0), 0, "its items are gone, not only out of sight");
    assert_eq!(api.done("GET", COLLECTIONS, Value::Null)["collections"].as_array().map(Vec::len), Some(1));
}

#[test]
fn each_item_may_carry_an_image_image_base64_text_or_audio_input() {
    let api = api();
    let (types, path) = (api.types(), api.collection("inputs"));
    for (field, value, kind) in api.inputs() {
        let item = json!({"id": field, field: value, "metadata": {"category": "footwear", "sku": "SH-001"}});
        let answer = api.ask("POST", &format!("{path}/index"), json!({"items": [item]}));
        if !types.iter().any(|word| word == kind) {
            assert_eq!((answer.status, answer.code()), (422, "unsupported_input"), "{field}: {answer:?}");
            continue;
        }
        assert_eq!((answer.status, &answer.body["indexed"]), (200, &json!(1)), "{field}: {answer:?}");
        assert_eq!(answer.body["model"], json!(MODEL));
        assert!(answer.body["usage"]["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{answer:?}");
        let items = api.done("GET", &format!("{path}/items?limit=100"), Value::Null);
        let own = items["items"].as_array().expect("items").iter().find(|item| item["id"] == json!(field));
        let own = own.unwrap_or_else(|| panic!("{field} is not listed"));
        assert_eq!((&own["content_type"], &own["metadata"]["sku"]), (&json!(kind), &json!("SH-001")));
        assert_eq!(own["content_url"].is_string(), kind != "text", "for media, a URL: {own}");
    }
}

#[test]
fn all_land_in_the_same_vector_space_for_cross_modal_search() {
    let api = api();
    let (types, path) = (api.types(), api.collection("space"));
    let taken: Vec<_> = api.inputs().into_iter().filter(|(.., kind)| types.iter().any(|word| word == kind)).collect();
    let items: Vec<Value> = taken.iter().map(|(field, value, _)| json!({"id": field, *field: value})).collect();
    assert_eq!(api.done("POST", &format!("{path}/index"), json!({"items": items}))["indexed"], json!(items.len()));
    for (field, value, kind) in &taken {
        let found = api.done("POST", &format!("{path}/search"), json!({*field: value, "top_k": 100}));
        let results = found["results"].as_array().expect("results");
        assert_eq!(results.len(), taken.len(), "a query by {field} reaches items of all kinds: {found}");
        assert!(results[0]["score"].as_f64().is_some_and(|score| score > 0.999), "{found}");
        assert_eq!(results[0]["content_type"], json!(kind));
        for hit in results {
            has(hit, &["id", "score", "content_type", "metadata", "content_url"]);
            assert_eq!(hit["content_url"].is_null(), hit["content_type"] == json!("text"), "{hit}");
        }
        assert_eq!(found["model"], json!(MODEL));
        assert!(found["usage"]["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{found}");
    }
}

#[test]
fn up_to_100_items_per_request() {
    let api = api();
    let path = api.filled(100);
    let more: Vec<Value> = (0..101).map(|_| json!({"text": "x"})).collect();
    let over = api.ask("POST", &format!("{path}/index"), json!({"items": more}));
    assert_eq!((over.status, over.param()), (400, Some("items")));
    assert_eq!(api.done("GET", &path, Value::Null)["item_count"], json!(100));
}

#[test]
fn usage_counts_the_tokens_of_all_inputs() {
    let api = api();
    let path = api.collection("usage");
    let tokens = |report: &Value| report["usage"]["input_tokens"].as_u64().expect("a number");
    let index = |texts: &[&str]| {
        let items: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
        let report = api.done("POST", &format!("{path}/index"), json!({"items": items}));
        assert_eq!(report["indexed"], json!(texts.len()));
        tokens(&report)
    };
    let (one, other) = (index(&["white running shoes"]), index(&["a cast iron frying pan"]));
    assert_eq!(index(&["white running shoes", "a cast iron frying pan"]), one + other);
    let found = api.done("POST", &format!("{path}/search"), json!({"text": "white running shoes"}));
    assert_eq!(tokens(&found), one, "a query counts like an item");
}

#[test]
fn returns_up_to_100_items_per_page_with_metadata() {
    let api = api();
    let path = api.filled(100);
    api.done(
        "POST",
        &format!("{path}/index"),
        json!({"items": [{"id": "last", "text": "x", "metadata": {"a": [1, {"b": null}]}}]}),
    );
    let page = |query: &str| api.done("GET", &format!("{path}/items{query}"), Value::Null);
    let count = |page: &Value| page["items"].as_array().map(Vec::len).expect("items");
    let plain = page("");
    has(&plain, &["items", "total", "limit", "offset"]);
    assert_eq!(
        (count(&plain), &plain["limit"], &plain["offset"], &plain["total"]),
        (20, &json!(20), &json!(0), &json!(101))
    );
    assert_eq!(page("?limit=20&offset=0"), plain, "these are the defaults");
    assert_eq!((count(&page("?limit=100")), count(&page("?limit=1")), count(&page("?offset=101"))), (100, 1, 0));
    let last = page("?limit=100&offset=100");
    assert_eq!((count(&last), &last["items"][0]["metadata"]), (1, &json!({"a": [1, {"b": null}]})));
    has(&last["items"][0], &["id", "content_type", "metadata", "content_url", "created_at", "updated_at"]);
    is_time(&last["items"][0]["created_at"]);
    let ids = |page: &Value| -> Vec<Value> {
        page["items"].as_array().expect("items").iter().map(|i| i["id"].clone()).collect()
    };
    let parts: Vec<Value> = (0..6).flat_map(|at| ids(&page(&format!("?offset={}", at * 20)))).collect();
    let distinct: BTreeSet<String> = parts.iter().map(Value::to_string).collect();
    assert_eq!((parts.len(), distinct.len()), (101, 101), "each item is on one page");
    for bad in ["?limit=101", "?limit=0", "?offset=-1"] {
        assert_eq!(api.ask("GET", &format!("{path}/items{bad}"), Value::Null).status, 400, "{bad}");
    }
}

#[test]
fn items_are_deleted_by_their_ids() {
    let api = api();
    let path = api.filled(3);
    let made = api.done("POST", &format!("{path}/index"), json!({"items": [{"text": "a violin"}]}));
    let id = made["items"][0]["id"].as_str().expect("an id");
    assert!(id.starts_with("item_"), "{id}");
    let gone = api.done("DELETE", &format!("{path}/items"), json!({"ids": [id, "i1", "item_def456"]}));
    assert_eq!(gone["deleted"], json!(2), "those that were there");
    let found = api.done("POST", &format!("{path}/search"), json!({"text": "a violin"}));
    let ids: BTreeSet<&str> =
        found["results"].as_array().expect("results").iter().filter_map(|hit| hit["id"].as_str()).collect();
    assert_eq!(ids, BTreeSet::from(["i0", "i2"]), "no search finds them");
    assert_eq!(api.done("GET", &path, Value::Null)["item_count"], json!(2));
}

#[test]
fn provide_exactly_one_of_image_image_base64_text_or_audio_as_the_query() {
    let api = api();
    let path = format!("{}/search", api.filled(1));
    let inputs = api.inputs();
    for (at, (one, first, _)) in inputs.iter().enumerate() {
        for (two, second, _) in &inputs[at + 1..] {
            let answer = api.ask("POST", &path, json!({*one: first, *two: second}));
            assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{one} and {two}");
        }
    }
    let all: Value = inputs
        .iter()
        .map(|(field, value, _)| ((*field).to_owned(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for body in [json!({}), json!({"top_k": 5}), json!({"text": null}), all] {
        let answer = api.ask("POST", &path, body.clone());
        assert_eq!((answer.status, answer.code()), (400, "invalid_request"), "{body}");
    }
}

#[test]
fn max_results_from_1_to_100_by_default_10() {
    let api = api();
    let path = format!("{}/search", api.filled(100));
    let found = |body: Value| api.done("POST", &path, body)["results"].as_array().expect("results").clone();
    let all = found(json!({"text": "a thing with the number 7", "top_k": 100}));
    assert_eq!((all.len(), &all[0]["id"]), (100, &json!("i7")));
    assert_eq!(found(json!({"text": "a thing with the number 7"})), all[..10]);
    assert_eq!(found(json!({"text": "a thing with the number 7", "top_k": 1})), all[..1]);
    assert_eq!(
        found(json!({"text": "a thing with the number 7", "top_k": 5.0})),
        all[..5],
        "a number, as JSON has them"
    );
    let scores: Vec<f64> = all.iter().map(|hit| hit["score"].as_f64().expect("a score")).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    for top_k in [json!(0), json!(101), json!(1.5), json!("5")] {
        assert_eq!(api.ask("POST", &path, json!({"text": "x", "top_k": top_k})).param(), Some("top_k"), "{top_k}");
    }
}

#[test]
fn a_threshold_is_the_minimum_similarity_score_from_0_to_1() {
    let api = api();
    let path = format!("{}/search", api.filled(20));
    let found = |threshold: Value| {
        let body = json!({"text": "a thing with the number 7", "top_k": 100, "threshold": threshold});
        api.done("POST", &path, body)["results"].as_array().expect("results").clone()
    };
    let all = found(Value::Null);
    assert_eq!(all.len(), 20, "without one, nothing is cut");
    let middle = all[9]["score"].as_f64().expect("a score");
    let cut = found(json!(middle - 0.000_001));
    assert!(cut.len() >= 10 && cut.len() < 20 && cut[..] == all[..cut.len()], "{middle}: {cut:?}");
    assert!(cut.iter().all(|hit| hit["score"].as_f64().is_some_and(|score| score >= middle - 0.000_002)));
    assert_eq!((found(json!(0)).len(), found(json!(0.9999)).len()), (20, 1));
    for threshold in [json!(-0.01), json!(1.01), json!("0.5")] {
        let answer = api.ask("POST", &path, json!({"text": "x", "threshold": threshold}));
        assert_eq!((answer.status, answer.param()), (400, Some("threshold")), "{threshold}");
    }
}

#[test]
fn every_route_wants_a_key_and_answers_errors_in_one_form() {
    let api = api();
    let routes = [
        ("GET", "/v1/vectors/models".to_owned()),
        ("POST", COLLECTIONS.to_owned()),
        ("GET", COLLECTIONS.to_owned()),
        ("GET", format!("{COLLECTIONS}/col_x")),
        ("DELETE", format!("{COLLECTIONS}/col_x")),
        ("POST", format!("{COLLECTIONS}/col_x/index")),
        ("GET", format!("{COLLECTIONS}/col_x/items?limit=20&offset=0")),
        ("DELETE", format!("{COLLECTIONS}/col_x/items")),
        ("POST", format!("{COLLECTIONS}/col_x/search")),
    ];
    for (method, path) in &routes {
        let answer = api.service.send_raw(method, path, &[], Vec::new());
        assert_eq!((answer.status, answer.code()), (401, "unauthorized"), "{method} {path}");
        assert_eq!(names(&answer.body["error"]), BTreeSet::from(["code", "message", "param", "request_id"]));
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        let other = if *method == "GET" { "PUT" } else { "PATCH" };
        let answer = api.ask(other, path, Value::Null);
        assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"), "{other} {path}");
    }
}
