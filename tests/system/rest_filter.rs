//! Guards filters on metadata: what each operator lets through, that nothing in a filter is taken for anything but data,
//! that REST and SQL refuse at the same place, and that a narrow filter is served by the index on metadata.

use serde_json::{Value, json};
use vw_tests::cluster::Cluster;
use vw_tests::service::ROLE;
use vw_tests::world::World;

fn shop(world: &World) -> String {
    let path = world.collection("shop");
    world.index(
        &path,
        &[
            (
                "a",
                "red shoes",
                json!({"category": "footwear", "price": 40, "tags": ["new", "red"], "maker": {"in": "IT"}}),
            ),
            ("b", "white shoes", json!({"category": "footwear", "price": 60.5, "sale": true, "maker": {"in": "PT"}})),
            ("c", "a pan", json!({"category": "kitchen", "price": "40", "sale": null, "a.b": 1})),
            ("d", "a nail", json!({"parts": [{"size": 3}, {"size": 5}], "quote\"]) || 1 == 1": "it's \\ \"so\""})),
            ("e", "a rose", json!({})),
        ],
    );
    path
}

/// What fits each filter.
fn cases() -> Vec<(Value, &'static str)> {
    vec![
        (json!({}), "abcde"),
        (json!({"category": "footwear"}), "ab"),
        (json!({"category": "footwear", "price": 40}), "a"),
        (json!({"price": {"$eq": 40.0}}), "a"),
        (json!({"sale": null}), "c"),
        (json!({"sale": true}), "b"),
        (json!({"category": {"$ne": "footwear"}}), "cde"),
        (json!({"price": {"$ne": 40}}), "bcde"),
        (json!({"category": {"$in": ["kitchen", "garden", 7]}}), "c"),
        (json!({"category": {"$in": []}}), ""),
        (json!({"category": {"$nin": ["kitchen"]}}), "abde"),
        (json!({"category": {"$nin": []}}), "abcde"),
        (json!({"price": {"$lt": 50}}), "a"),
        (json!({"price": {"$gte": 40, "$lte": 60.5}}), "ab"),
        (json!({"price": {"$gt": 40, "$lt": 60.5}}), ""),
        (json!({"price": {"$gt": -1e300}}), "ab"),
        (json!({"price": {"$gte": "4"}}), "c"),
        (json!({"sale": {"$exists": true}}), "bc"),
        (json!({"sale": {"$exists": false}}), "ade"),
        (json!({"tags": "red"}), "a"),
        (json!({"tags": {"$ne": "red"}}), "bcde"),
        (json!({"maker.in": {"$in": ["IT", "FR"]}}), "a"),
        (json!({"parts.size": {"$gt": 4}}), "d"),
        (json!({"a\\.b": 1}), "c"),
        (json!({"a.b": 1}), ""),
        (json!({"price": {"$not": {"$lt": 50}}}), "bcde"),
        (json!({"$not": {"category": "footwear", "price": 40}}), "bcde"),
        (json!({"$or": [{"tags": "new"}, {"$and": [{"sale": true}, {"price": {"$gt": 50}}]}]}), "ab"),
        (json!({"category": "footwear", "$or": [{"sale": true}, {"price": "40"}]}), "b"),
        (json!({"quote\"]) || 1 == 1": "it's \\ \"so\""}), "d"),
        (json!({"x\") || 1 == 1 || exists($.\"y": {"$exists": true}}), ""),
        (json!({"category": "x\") || (\"a\" == \"a"}), ""),
        (json!({"category": "'; DROP TABLE vw.item; --"}), ""),
    ]
}

#[test]
fn operators_let_through_what_they_say() {
    let world = World::start(&[]);
    let path = shop(&world);
    let mut client = world.cluster.connect("app");
    for (filter, wanted) in cases() {
        let found = world.send("POST", &format!("{path}/search"), json!({"text": "shoes", "filter": filter}));
        let results = found.body["results"].as_array().unwrap_or_else(|| panic!("{filter}: {found:?}"));
        let mut ids: Vec<&str> = results.iter().map(|hit| hit["id"].as_str().expect("an id")).collect();
        ids.sort_unstable();
        assert_eq!(ids.concat(), wanted, "{filter}");
        let query = "SELECT coalesce(string_agg(id, '' ORDER BY id), '') FROM vw_search('shop', 'shoes', filter => $1)";
        let row = client.query_one(query, &[&filter]).unwrap_or_else(|error| panic!("{filter}: {error}"));
        assert_eq!(row.get::<_, String>(0), wanted, "{filter} in SQL");
    }
}

#[test]
fn what_is_wrong_is_named_alike_over_rest_and_in_sql() {
    let world = World::start(&[]);
    let path = shop(&world);
    let mut client = world.cluster.connect("app");
    let deep = (0..8).fold(json!({}), |inner, _| json!({"$not": inner}));
    let cases = [
        (json!([]), "filter"),
        (json!({"a": [1]}), "filter.a"),
        (json!({"a": {}}), "filter.a"),
        (json!({"a": {"b": 1}}), "filter.a.b"),
        (json!({"a": {"$gt": null}}), "filter.a.$gt"),
        (json!({"a": {"$in": "x"}}), "filter.a.$in"),
        (json!({"a": {"$nin": [1, {}]}}), "filter.a.$nin[1]"),
        (json!({"a": {"$exists": "yes"}}), "filter.a.$exists"),
        (json!({"a": {"$where": "1"}}), "filter.a.$where"),
        (json!({"a": {"$not": {"$lte": []}}}), "filter.a.$not.$lte"),
        (json!({"$or": []}), "filter.$or"),
        (json!({"$or": [{"a": 1}, {"b": {"$eq": []}}]}), "filter.$or[1].b.$eq"),
        (json!({"$and": [{"$nor": []}]}), "filter.$and[0].$nor"),
        (json!({"$lt": 5}), "filter.$lt"),
        (json!({"a..b": 5}), "filter.a..b"),
        (json!({"": 5}), "filter."),
        (json!({"a.b.c.d.e.f.g.h.i": 5}), "filter.a.b.c.d.e.f.g.h.i"),
        (deep, "filter.$not.$not.$not.$not.$not.$not.$not.$not"),
    ];
    for (filter, place) in cases {
        let answer = world.send("POST", &format!("{path}/search"), json!({"text": "shoes", "filter": filter}));
        assert_eq!((answer.status, answer.code(), answer.param()), (400, "invalid_request", Some(place)), "{answer:?}");
        let error = client.query("SELECT vw_search('shop', 'shoes', filter => $1)", &[&filter]).expect_err(place);
        let report = error.as_db_error().expect("a report of the server");
        assert_eq!((report.code().code(), report.column()), ("22023", Some(place)), "{filter}: {report:?}");
        assert!(report.message().starts_with(place), "{report:?}");
    }
}

/// The plan of a search that the service's role would run, all indexes but the one on metadata taken away.
fn plan(cluster: &Cluster, filter: &str) -> String {
    let mut client = cluster.connect("app");
    let partition: String = client
        .query_one("SELECT 'vw.' || vw.partition_of(id) FROM vw.collection WHERE name = 'many'", &[])
        .expect("a collection")
        .get(0);
    let fill = [
        "INSERT INTO ", &partition, " (collection_id, id, content_type, content, metadata, embedding, tokens)
             SELECT c.id, i::text, 'text', i::text, jsonb_build_object('sku', 'S' || i, 'n', i % 10),
                 array_fill(i::real, ARRAY[m.dimensions])::vector, 1
             FROM generate_series(1, 5000) i, vw.collection c JOIN vw.model m ON m.id = c.model_id WHERE c.name = 'many'",
    ];
    client.batch_execute(&fill.concat()).expect("items");
    client.batch_execute(&["VACUUM ANALYZE ", &partition].concat()).expect("statistics");
    let mut worker = cluster.connect_as(ROLE, "app");
    worker.batch_execute("SET vw.project = 'prj_default'").expect("a project");
    let query =
        ["EXPLAIN SELECT id FROM ", &partition, " WHERE metadata OPERATOR(vw.@@) vw.filter_path('", filter, "')"];
    let rows = worker.query(&query.concat(), &[]).expect("a plan");
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_narrow_filter_is_served_by_the_index_on_metadata() {
    let world = World::start(&[]);
    world.collection("many");
    let plan = plan(&world.cluster, r#"{"sku": "S4711", "n": {"$gte": 0}}"#);
    assert!(plan.contains("Bitmap Index Scan on") && plan.contains("_metadata_idx"), "beneath the policy too: {plan}");
}
