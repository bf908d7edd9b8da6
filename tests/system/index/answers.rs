//! Guards what a scan answers: every distance, zero vectors, filters that leave few rows, rescans, cursors, errors.

use postgres::error::SqlState;
use vw_tests::cluster::Cluster;
use vw_tests::process;

use super::{ALL, QUERY, SOME, check, database, rows, same, table, use_index};

/// Each operator class and access method once, on a table with zero vectors and equal rows.
#[test]
fn every_distance_is_the_exact_scans() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 2000);
    client
        .batch_execute(
            "DROP INDEX t_v;
             INSERT INTO t SELECT 5000 + i, 0, '[0,0,0,0]' FROM generate_series(1, 5) i;
             INSERT INTO t SELECT 6000 + i, 0, vec(7) FROM generate_series(1, 5) i;
             INSERT INTO t SELECT 7000 + i, 0, NULL FROM generate_series(1, 5) i",
        )
        .expect("special rows");
    let classes = [("l2", "<->"), ("ip", "<#>"), ("cosine", "<=>"), ("l1", "<+>")];
    for method in ["ivf", "ivfflat", "hnsw"] {
        for (class, operator) in classes.into_iter().filter(|(class, _)| method != "ivfflat" || *class != "l1") {
            let create = ["CREATE INDEX t_v ON t USING ", method, " (v vector_", class, "_ops)"].concat();
            client.batch_execute(&create).expect("an index");
            let all = ["SELECT id, v ", operator, " ", QUERY, " FROM t WHERE v IS NOT NULL ORDER BY 2"].concat();
            let found = same(&mut client, "t_v", &all);
            assert_eq!(found.len(), 2010, "zero vectors are found, NULLs are not in the index");
            if class == "cosine" {
                let zeros = found.iter().rev().take(5);
                assert!(zeros.clone().all(|row| row.0 > 5000 && row.1.is_some_and(f64::is_nan)), "zero vectors last");
            }
            same(&mut client, "t_v", &[&all, " LIMIT 10"].concat());
            check(&mut client, "t_v");
            client.batch_execute("DROP INDEX t_v").expect("no index");
        }
    }
}

/// The other types, each with one class of its own.
#[test]
fn every_type_is_indexed() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 500);
    client
        .batch_execute(
            "ALTER TABLE t ADD h halfvec(4), ADD s sparsevec(4), ADD b bit(8);
             UPDATE t SET h = v, s = v, b = id::int::bit(8)",
        )
        .expect("columns");
    let cases = [
        ("h", "halfvec_cosine_ops", "h <=> '[1,2,3,4]'"),
        ("s", "sparsevec_l2_ops", "s <-> '{1:1,3:2}/4'"),
        ("b", "bit_hamming_ops", "b <~> B'10101010'"),
        ("b", "bit_jaccard_ops", "b <%> B'10101010'"),
    ];
    for (column, class, distance) in cases {
        client.batch_execute(&["CREATE INDEX i ON t USING ivf (", column, " ", class, ")"].concat()).expect("an index");
        same(&mut client, "i", &["SELECT id, ", distance, " FROM t ORDER BY 2"].concat());
        client.batch_execute("DROP INDEX i").expect("no index");
    }
}

/// The index goes on until the executor has enough.
#[test]
fn a_limit_is_met_under_any_filter() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 5000);
    for filter in ["mark = 7", "mark < 10 AND id > 2500", "v <-> '[0,0,0,0]' > 1.9", "mark = -1"] {
        let query = ["SELECT id, v <-> ", QUERY, " FROM t WHERE ", filter, " ORDER BY 2 LIMIT 5"].concat();
        let found = same(&mut client, "t_v", &query);
        assert_eq!(found.len(), if filter == "mark = -1" { 0 } else { 5 }, "{filter}");
    }
}

/// One scan for many queries, in one plan, answers each and keeps no memory of the last.
#[test]
fn rescans_answer_each_query_and_leak_nothing() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 1000);
    let each = "SELECT q.id, n.d FROM generate_series(1, 300::bigint) q(id),
        LATERAL (SELECT v <-> vec(q.id) AS d FROM t ORDER BY 1 LIMIT 1) n ORDER BY q.id";
    use_index(&mut client, "t_v", &each.replace(" ORDER BY q.id", ""));
    let pid: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a number").get(0);
    let answers = rows(&mut client, each);
    assert!(answers.len() == 300 && answers.iter().all(|row| row.1 == Some(0.0)), "each row is its own nearest");
    let before = process::private_memory(pid);
    for _ in 0..3 {
        rows(&mut client, each);
    }
    let grown = process::private_memory(pid).saturating_sub(before);
    assert!(grown < 2048, "900 rescans took {grown} KiB");
}

/// A NULL query has no distances, and all rows still come.
#[test]
fn a_null_query_gives_every_row() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 100);
    let query = "SELECT id, NULL::float8 FROM t ORDER BY v <-> (SELECT NULL::vector)";
    use_index(&mut client, "t_v", query);
    assert_eq!(rows(&mut client, query).len(), 100);
    client.batch_execute("DELETE FROM t").expect("no rows");
    assert_eq!(same(&mut client, "t_v", ALL), []);
}

/// What cannot be compared is an error, the same as without the index.
#[test]
fn other_dimensions_are_the_same_error() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 10);
    let query = "SELECT id, v <-> '[1,2]' FROM t ORDER BY 2 LIMIT 1";
    let exact = client.query(query, &[]).expect_err("two dimensions");
    use_index(&mut client, "t_v", query);
    let found = client.query(query, &[]).expect_err("two dimensions");
    let message = |error: &postgres::Error| error.as_db_error().map(|error| error.message().to_owned());
    assert_eq!(message(&found), message(&exact));
    assert_eq!(found.code(), Some(&SqlState::DATA_EXCEPTION));
    same(&mut client, "t_v", SOME);
}

/// A cursor goes forward a few rows at a time, and back only through the executor's own copy.
#[test]
fn cursors_go_forward() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 1000);
    let expected = same(&mut client, "t_v", ALL);
    let mut transaction = client.transaction().expect("a transaction");
    transaction.batch_execute(&["DECLARE c CURSOR FOR ", ALL].concat()).expect("a cursor");
    transaction.batch_execute(&["DECLARE s SCROLL CURSOR FOR ", ALL].concat()).expect("a cursor");
    let fetch = |transaction: &mut postgres::Transaction, what: &str| {
        let rows = transaction.query(&["FETCH ", what].concat(), &[])?;
        Ok::<_, postgres::Error>(rows.iter().map(|row| row.get(0)).collect::<Vec<i64>>())
    };
    let ids = |range: std::ops::Range<usize>| expected[range].iter().map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(fetch(&mut transaction, "5 FROM c").expect("rows"), ids(0..5));
    assert_eq!(fetch(&mut transaction, "5 FROM c").expect("rows"), ids(5..10));
    fetch(&mut transaction, "7 FROM s").expect("rows");
    assert_eq!(fetch(&mut transaction, "BACKWARD 1 FROM s").expect("a row"), ids(5..6));
    let refused = fetch(&mut transaction, "BACKWARD 1 FROM c").expect_err("no way back");
    assert_eq!(refused.code(), Some(&SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE));
}

/// Checking an index of somebody else's is refused.
#[test]
fn only_the_owner_checks_an_index() {
    let cluster = Cluster::start("");
    let mut client = table(&cluster, 10);
    client.batch_execute("CREATE ROLE stranger; SET ROLE stranger").expect("a role");
    let refused = client.query("SELECT * FROM vw_index_check('t_v')", &[]).expect_err("not the owner");
    assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
}

/// A transaction that read through the index sees no later rows, and one that depends on them fails.
#[test]
fn serializable_transactions_are_kept_apart() {
    let cluster = Cluster::start("");
    let mut client = database(&cluster);
    client
        .batch_execute(
            "CREATE TABLE t (id bigint, v vector(4)); CREATE INDEX t_v ON t USING ivf (v);
             INSERT INTO t SELECT i, vec(i) FROM generate_series(1, 100) i",
        )
        .expect("a table");
    use_index(&mut client, "t_v", SOME);
    let mut other = cluster.connect("app");
    use_index(&mut other, "t_v", SOME);
    for (own, id) in [(&mut client, 101), (&mut other, 102)] {
        own.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE").expect("a transaction");
        assert_eq!(rows(own, ALL).len(), 100);
        own.execute("INSERT INTO t VALUES ($1, vec($1))", &[&i64::from(id)]).expect("a row");
    }
    client.batch_execute("COMMIT").expect("the first to commit");
    let failed = other.batch_execute("COMMIT").expect_err("each read what the other wrote");
    assert_eq!(failed.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE));
}
