//! Where values are and how they are asked for: in order, by chance, again in another transaction, through an index of
//! ours, in temporary tables and on a standby; and that those in order are read without the TOAST table's index.

use std::time::{Duration, Instant};

use postgres::Client;
use vw_tests::cluster::Cluster;

use super::{COLUMNS, check, prepare};

/// Scans of the index of the TOAST table of `t` for one statement.
fn searches(client: &mut Client, statement: &str) -> i64 {
    let counted = "SELECT pg_stat_get_xact_numscans(indexrelid) FROM pg_index
        WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = 't'::regclass)";
    let mut transaction = client.transaction().expect("a transaction");
    let mut number = |statement: &str| -> i64 { transaction.query_one(statement, &[]).expect("a row").get(0) };
    let before = number(counted);
    number(statement);
    number(counted) - before
}

#[test]
fn values_in_order_are_read_without_the_index() {
    let cluster = Cluster::start("max_parallel_workers_per_gather = 0");
    let mut client = prepare(&cluster);
    client.batch_execute(&["CREATE TABLE t ", COLUMNS, "; INSERT INTO t SELECT * FROM pool"].concat()).expect("rows");
    client.batch_execute("CREATE INDEX ON t (k)").expect("an index");
    for (statement, least, most) in [
        // Where pages had room left, small chunks lie apart from the others.
        ("SELECT count(v <-> v) FROM t", 1, 100),
        ("SELECT count(h <=> h) FROM t", 1, 100),
        ("SELECT count(vector_norm(v)) FROM t", 200, 400),
    ] {
        let scans = searches(&mut client, statement);
        assert!((least..=most).contains(&scans), "{scans} scans of the index for 300 rows: {statement}");
    }
    check(&mut client, "t");
}

/// The same call site goes on where the table was cut off under it, in place, in the transaction that made it.
#[test]
fn a_call_site_outlives_its_table() {
    let cluster = Cluster::start("");
    let mut client = prepare(&cluster);
    client
        .batch_execute(
            "CREATE FUNCTION walk() RETURNS bigint LANGUAGE plpgsql AS $$
            DECLARE
                one vector;
                wrong bigint := 0;
            BEGIN
                FOR turn IN 1..6 LOOP
                    IF turn % 2 = 1 THEN
                        DROP TABLE IF EXISTS t;
                        EXECUTE CASE turn WHEN 3 THEN 'CREATE TEMPORARY TABLE t (id integer, v vector)'
                            ELSE 'CREATE TABLE t (id integer, v vector)' END;
                    ELSE
                        TRUNCATE t;
                    END IF;
                    INSERT INTO t SELECT id, v FROM pool WHERE id BETWEEN turn * 10 AND turn * 10 + 60 / turn;
                    FOR one IN EXECUTE 'SELECT v FROM t' LOOP
                        IF one <-> one::real[]::vector <> 0 THEN
                            wrong := wrong + 1;
                        END IF;
                    END LOOP;
                    BEGIN
                        INSERT INTO t SELECT id, v FROM pool LIMIT turn;
                        RAISE division_by_zero;
                    EXCEPTION WHEN division_by_zero THEN
                        wrong := wrong + (SELECT count(*) FROM t WHERE v <-> v::real[]::vector <> 0);
                    END;
                END LOOP;
                RETURN wrong;
            END $$",
        )
        .expect("a function");
    for statement in
        ["SELECT walk()", "BEGIN; DROP TABLE t", "SELECT walk()", "ROLLBACK; DROP TABLE t", "SELECT walk()"]
    {
        if statement.starts_with("SELECT") {
            assert_eq!(client.query_one(statement, &[]).expect("a count").get::<_, i64>(0), 0);
        } else {
            client.batch_execute(statement).expect("its end");
        }
    }
}

/// Rows that an index of ours measures are read through the TOAST table's index, which the scan holds open meanwhile:
/// while a cursor goes on, rows come and go, and the index is built of values that are read in order.
#[test]
fn an_index_measures_the_values_that_the_table_has() {
    let cluster = Cluster::start("max_parallel_workers_per_gather = 0");
    let mut client = cluster.with_vw("app");
    for statement in [
        "CREATE TABLE t (id integer PRIMARY KEY, note text, v vector(700), h halfvec(1100))",
        "CREATE FUNCTION add(first integer, last integer) RETURNS void LANGUAGE sql AS $$
            INSERT INTO t SELECT n, repeat(md5(n::text), 80),
                (SELECT array_agg(sin(n * i)) FROM generate_series(1, 700) i)::real[]::vector,
                (SELECT array_agg(cos(n * i)) FROM generate_series(1, 1100) i)::real[]::vector::halfvec
            FROM generate_series(first, last) n $$",
        "SELECT add(1, 400); DELETE FROM t WHERE id % 5 = 0",
        "VACUUM t",
        "SELECT add(401, 600); CREATE INDEX t_v ON t USING ivf (v vector_l2_ops)",
        "CREATE INDEX t_h ON t USING ivf (h halfvec_cosine_ops)",
        "UPDATE t SET v = subvector(h::vector, 1, 700) WHERE id % 7 = 0; SELECT add(601, 640); SET ivf.probes = 10000",
    ] {
        client.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
    const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_indexscan = on";
    let queries = [
        (
            "t_v",
            "SELECT id, v <-> (SELECT v FROM t WHERE id = 33) FROM t ORDER BY v <-> (SELECT v FROM t WHERE id = 33)",
        ),
        (
            "t_h",
            "SELECT id, h <=> (SELECT h FROM t WHERE id = 44) FROM t ORDER BY h <=> (SELECT h FROM t WHERE id = 44)",
        ),
    ];
    for (index, query) in queries {
        let mut answers = |settings: &str| -> Vec<(i32, f64)> {
            client.batch_execute(settings).expect("settings");
            let plan = client.query(&["EXPLAIN ", query].concat(), &[]).expect("a plan");
            let uses = plan.iter().any(|row| row.get::<_, &str>(0).contains(index));
            assert_eq!(uses, settings == BY_INDEX, "{settings}: {plan:?}");
            client.batch_execute(&["BEGIN; DECLARE c CURSOR FOR ", query].concat()).expect("a cursor");
            let mut found = Vec::new();
            loop {
                let rows = client.query("FETCH 50 FROM c", &[]).expect("rows");
                found.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
                if rows.is_empty() {
                    break;
                }
                // What the cursor does not see, in the same TOAST table; an error ends what it had in the making.
                client.batch_execute("SAVEPOINT one; UPDATE t SET v = v WHERE id % 50 = 1").expect("rows");
                client.batch_execute("SELECT v <-> '[1]' FROM t").expect_err("other dimensions");
                client.batch_execute("ROLLBACK TO one; UPDATE t SET note = '' WHERE id % 97 = 1").expect("rows");
            }
            client.batch_execute("ROLLBACK").expect("its end");
            found
        };
        let exact = answers("SET enable_seqscan = on; SET enable_indexscan = off");
        let found = answers(BY_INDEX);
        assert!(exact.len() > 500 && exact == found, "{} and {} rows", exact.len(), found.len());
    }
}

#[test]
fn a_standby_reads_the_values_of_its_primary() {
    let primary = Cluster::start("autovacuum = off");
    let mut client = prepare(&primary);
    let make = ["CREATE TABLE t ", COLUMNS, "; CREATE INDEX ON t (k); INSERT INTO t SELECT * FROM pool"].concat();
    client.batch_execute(&make).expect("a table");
    let standby = primary.replica();
    let mut reader = standby.connect("postgres");
    for change in ["DELETE FROM t WHERE id > 20", "VACUUM t", "INSERT INTO t SELECT * FROM pool WHERE id % 3 = 0"] {
        client.batch_execute(change).expect("a change");
        let place: String = client.query_one("SELECT pg_current_wal_lsn()::text", &[]).expect("a place").get(0);
        let limit = Instant::now() + Duration::from_secs(60);
        let replayed = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn";
        while !reader.query_one(replayed, &[&place]).expect("a place").get::<_, bool>(0) {
            assert!(Instant::now() < limit, "the standby does not follow");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(check(&mut reader, "t"), check(&mut client, "t"));
    }
}
