//! Guards the index against being wrong: its answers are the exact scan's, whatever was done to the table, and stay so
//! through crashes and on a replica. Speed and recall are not the matter here. One file for each kind of risk.

use std::collections::BTreeSet;

use postgres::Client;
use vw_tests::cluster::Cluster;

#[path = "index/answers.rs"]
mod answers;
#[path = "index/build.rs"]
mod build;
#[path = "index/changes.rs"]
mod changes;
#[path = "index/crash.rs"]
mod crash;
#[path = "index/kills.rs"]
mod kills;
#[path = "index/memory.rs"]
mod memory;
#[path = "index/pages.rs"]
mod pages;
#[path = "index/places.rs"]
mod places;
#[path = "index/planner.rs"]
mod planner;
#[path = "index/replica.rs"]
mod replica;

/// A query vector that is no row's.
const QUERY: &str = "'[0.3,-0.2,0.1,0.7]'";
/// All rows, the nearest first.
const ALL: &str = "SELECT id, v <-> '[0.3,-0.2,0.1,0.7]' FROM t ORDER BY 2";
/// The nearest rows.
const SOME: &str = "SELECT id, v <-> '[0.3,-0.2,0.1,0.7]' FROM t ORDER BY 2 LIMIT 10";

/// `vec(i)`: the vector of row i, different for each.
const VEC: &str = "CREATE FUNCTION vec(i bigint) RETURNS vector IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
    $$ SELECT ARRAY[sin(i), cos(1.3 * i), sin(0.7 * i * i), cos(0.1 * i)]::real[]::vector $$";

/// A database with the extensions and `vec`.
fn database(cluster: &Cluster) -> Client {
    let mut client = cluster.with_vw("app");
    client.batch_execute(VEC).expect("a function");
    client
}

/// The same with the table `t` of `rows` rows and its index `t_v`.
fn table(cluster: &Cluster, rows: i64) -> Client {
    let mut client = database(cluster);
    client.batch_execute("CREATE TABLE t (id bigint PRIMARY KEY, mark int, v vector(4))").expect("a table");
    fill(&mut client, 1, rows);
    client.batch_execute("CREATE INDEX t_v ON t USING ivf (v)").expect("an index");
    client
}

/// Insert the rows `first` to `last` into `t`.
fn fill(client: &mut Client, first: i64, last: i64) {
    let insert = "INSERT INTO t SELECT i, i % 1000, vec(i) FROM generate_series($1::bigint, $2::bigint) i";
    client.execute(insert, &[&first, &last]).expect("rows");
}

/// The plan of a query, as one text.
fn plan(client: &mut Client, query: &str) -> String {
    let rows = client.query(&["EXPLAIN (COSTS OFF) ", query].concat(), &[]).expect("a plan");
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

/// Let the planner use the index and nothing else, and assert that it does.
fn use_index(client: &mut Client, index: &str, query: &str) {
    client.batch_execute("SET enable_seqscan = off; SET enable_sort = off; RESET enable_indexscan").expect("settings");
    let plan = plan(client, query);
    assert!(plan.contains(&["Index Scan using ", index, " "].concat()), "{query}\n{plan}");
}

/// Let the planner use no index.
fn use_table(client: &mut Client, query: &str) {
    let settings = "RESET enable_seqscan; RESET enable_sort; SET enable_indexscan = off; SET enable_bitmapscan = off";
    client.batch_execute(settings).expect("settings");
    let plan = plan(client, query);
    assert!(!plan.contains("Index Scan"), "{query}\n{plan}");
}

/// What a query of ids and distances answers.
fn rows(client: &mut Client, query: &str) -> Vec<(i64, Option<f64>)> {
    let rows = client.query(query, &[]).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Assert that a query answers the same with the index as without. Gives the answer.
///
/// Without LIMIT it is all rows: each is found once with no setting given, and in exact order by a search that looks
/// at all lists. With the usual target of recall a row may come a little late.
fn same(client: &mut Client, index: &str, query: &str) -> Vec<(i64, Option<f64>)> {
    use_table(client, query);
    let exact = rows(client, query);
    use_index(client, index, query);
    let mut found = rows(client, query);
    if !query.contains("LIMIT") {
        same_rows(&found, &exact, query);
        let target: String = client.query_one("SHOW ivf.recall_target", &[]).expect("a setting").get(0);
        client.batch_execute("SET ivf.recall_target = 1").expect("a setting");
        found = rows(client, query);
        client.batch_execute(&["SET ivf.recall_target = ", &target].concat()).expect("a setting");
    }
    agree(&found, &exact, query);
    found
}

/// Assert that two answers have the same distances one after another, of the same rows, and each row once; rows at the
/// same distance may change places.
fn agree(found: &[(i64, Option<f64>)], exact: &[(i64, Option<f64>)], query: &str) {
    // Not a number is equal to itself here, as in PostgreSQL.
    let bits = |row: &(i64, Option<f64>)| row.1.map(f64::to_bits);
    let differs = found.iter().zip(exact).position(|(found, exact)| bits(found) != bits(exact));
    let around =
        |rows: &[(i64, Option<f64>)]| differs.map(|at| rows[at.saturating_sub(2)..rows.len().min(at + 3)].to_vec());
    assert_eq!(
        differs,
        None,
        "place of the first wrong distance of {query}: {:?}, not {:?}",
        around(found),
        around(exact)
    );
    same_rows(found, exact, query);
}

/// Assert that two answers have the same rows, each once.
fn same_rows(found: &[(i64, Option<f64>)], exact: &[(i64, Option<f64>)], query: &str) {
    let ids = |rows: &[(i64, Option<f64>)]| rows.iter().map(|row| row.0).collect::<BTreeSet<_>>();
    let (found_ids, exact_ids) = (ids(found), ids(exact));
    let wrong: Vec<_> = found_ids.symmetric_difference(&exact_ids).take(10).collect();
    assert!(wrong.is_empty(), "{query}: rows {wrong:?} are in one answer and not in the other");
    assert_eq!((found.len(), found_ids.len()), (exact.len(), exact.len()), "each row once: {query}");
}

/// Run statements one by one, as VACUUM needs it.
fn run(client: &mut Client, statements: &[&str]) {
    for statement in statements {
        client.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

/// Assert that the check finds nothing wrong with an index; space that a crash wasted is not wrong.
fn check(client: &mut Client, index: &str) {
    let check = "SELECT page, problem FROM vw_index_check($1::text::regclass, true) WHERE NOT harmless";
    let problems = client.query(check, &[&index]).expect("a check");
    let problems: Vec<(Option<i64>, String)> = problems.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(problems.is_empty(), "{index}: {problems:?}");
}

/// Members and pages of an index.
fn stats(client: &mut Client, index: &str) -> (i64, i64) {
    let row = client.query_one("SELECT members, pages FROM vw_index_stats($1::text::regclass)", &[&index]);
    let row = row.expect("statistics");
    (row.get(0), row.get(1))
}
