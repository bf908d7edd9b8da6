//! Guards what is told of a collection from inside: that it is true, before and after it has an index, and that nobody else
//! is told.

use serde_json::{Value, json};
use vw_tests::service::key;
use vw_tests::world::World;

/// Rows as if they had been embedded, and the count that makes the index.
const FILL: &str = "
    INSERT INTO vw.item (collection_id, id, content_type, content, embedding, tokens)
        SELECT c.id, 'n' || n, 'text', 'number ' || n,
                (SELECT array_agg(random() - 0.5 + 0 * n * g) FROM generate_series(1, 1024) g)::vector, 1
            FROM vw.collection c, generate_series(1, 3000) n;
    UPDATE vw.collection SET item_count = 3000";

fn number(status: &Value, field: &str) -> i64 {
    status[field].as_i64().unwrap_or_else(|| panic!("{field} is no number in {status}"))
}

#[test]
fn a_collection_tells_of_its_model_size_and_index() {
    let world = World::start(&[]);
    let path = world.collection("c");
    let status = || {
        let answer = world.send("GET", &format!("{path}/status"), Value::Null);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    let first = status();
    assert_eq!((&first["item_count"], &first["index"], &first["vacuumed_at"]), (&json!(0), &Value::Null, &Value::Null));
    let models = world.send("GET", "/v1/vectors/models", Value::Null).body;
    let pack = |value: &Value| (value["id"].clone(), value["sha256"].clone());
    assert_eq!(pack(&first["model"]), pack(&models["models"][0]));
    assert!(first["model"]["sha256"].as_str().is_some_and(|sha256| sha256.len() == 64), "{first}");
    let mut owner = world.cluster.connect("app");
    owner.batch_execute(FILL).expect("rows and their index");
    // So many that a vacuum does not leave their places in the index for later.
    owner.batch_execute("DELETE FROM vw.item WHERE id LIKE 'n1%'").expect("1,111 rows fewer");
    owner.batch_execute("VACUUM ANALYZE vw.item").expect("a vacuum");
    let full = status();
    assert_eq!(number(&full["index"], "vectors"), 1889, "{full}");
    assert!(number(&full["index"], "lists") >= 1 && number(&full["index"], "longest_list") >= 1, "{full}");
    assert!(number(&full["index"], "bytes") > 1889 * 128 && number(&full, "bytes") > 3000 * 4096, "{full}");
    assert!(full["vacuumed_at"].is_string() && full["analyzed_at"].is_string(), "{full}");
    let blue = key(&world.cluster, "app", &["create", "--project", "blue"]);
    let stranger = world.service.send("GET", &format!("{path}/status"), &blue, &Value::Null);
    assert_eq!((stranger.status, stranger.code()), (404, "not_found"));
    assert_eq!(world.send("DELETE", &path, Value::Null).status, 200);
    assert_eq!(world.send("GET", &format!("{path}/status"), Value::Null).status, 404);
}
