//! Guards what maintenance costs: pages that vacuum and ANALYZE write, and the size and recall of an index most of whose
//! rows are replaced again and again.

use postgres::Client;
use vw_tests::cluster::Cluster;

use super::{check, database, run, stats};

/// A table of rows of `dimensions` dimensions around a hundred places, and its index.
fn start(cluster: &Cluster, dimensions: i32, rows: i64) -> Client {
    let mut client = database(cluster);
    client
        .batch_execute(
            "CREATE FUNCTION around(i bigint, dimensions int) RETURNS vector IMMUTABLE LANGUAGE sql AS $$
                 SELECT array_agg(sin(i % 100 * j) + 0.5 * sin(i * i % 7919 * j))::real[]::vector
                 FROM generate_series(1, dimensions) j $$",
        )
        .expect("a function");
    let make = ["CREATE TABLE t (id bigint, v vector(", &dimensions.to_string(), "))"].concat();
    run(&mut client, &[&make]);
    fill(&mut client, dimensions, 1, rows);
    run(&mut client, &["CREATE INDEX t_v ON t USING ivf (v)", "VACUUM ANALYZE t"]);
    client
}

fn fill(client: &mut Client, dimensions: i32, first: i64, last: i64) {
    let insert = "INSERT INTO t SELECT i, around(i, $3) FROM generate_series($1::bigint, $2::bigint) i";
    client.execute(insert, &[&first, &last, &dimensions]).expect("rows");
}

/// Run a statement; give how many pages of the index it wrote, of how many: a page says where in the WAL it was last.
fn written(cluster: &Cluster, client: &mut Client, statement: &str) -> (usize, usize) {
    let here = "SELECT (pg_current_wal_insert_lsn() - '0/0')::int8, pg_relation_filepath('t_v')";
    let row = client.query_one(here, &[]).expect("a place");
    let (before, path) = (row.get::<_, i64>(0) as u64, cluster.data().join(row.get::<_, String>(1)));
    run(client, &[statement, "CHECKPOINT"]);
    let bytes = std::fs::read(path).expect("the index");
    let places = bytes.chunks_exact(8192).map(|page| {
        let half = |at: usize| u64::from(u32::from_le_bytes(page[at..at + 4].try_into().expect("four bytes")));
        half(0) << 32 | half(4)
    });
    (places.filter(|place| *place > before).count(), bytes.len() / 8192)
}

#[test]
fn vacuum_writes_few_pages_and_analyze_none() {
    let cluster = Cluster::start("autovacuum = off");
    let mut client = start(&cluster, 768, 4000);
    run(&mut client, &["DELETE FROM t WHERE id % 100 = 17"]);
    let (pages, all) = written(&cluster, &mut client, "VACUUM t");
    assert!(
        pages > 0 && pages * 20 <= all,
        "vacuum wrote {pages} of {all} pages after one row in a hundred was deleted"
    );
    assert_eq!(stats(&mut client, "t_v").0, 3960);
    assert_eq!(written(&cluster, &mut client, "ANALYZE t").0, 0, "ANALYZE");
    assert_eq!(written(&cluster, &mut client, "VACUUM t").0, 0, "a vacuum that finds nothing dead");
    check(&mut client, "t_v");
}

#[test]
fn rows_that_are_replaced_ten_times_leave_size_and_recall_as_they_were() {
    const DIMENSIONS: i32 = 96;
    const ROWS: i64 = 20_000;
    let cluster = Cluster::start("autovacuum = off");
    let mut client = start(&cluster, DIMENSIONS, ROWS);
    for round in 1..=10 {
        run(&mut client, &["DELETE FROM t WHERE id % 10 <> 0", "VACUUM t"]);
        // Ids that are multiples of ten stay for ever: none of the new ones is.
        let first = round * 1_000_000;
        let refill = "INSERT INTO t SELECT i, around(i, $3) FROM generate_series($1::bigint, $2) i WHERE i % 10 <> 0";
        client.execute(refill, &[&first, &(first + ROWS - 1), &DIMENSIONS]).expect("rows");
    }
    run(&mut client, &["VACUUM ANALYZE t"]);
    check(&mut client, "t_v");
    let measure = |client: &mut Client| {
        let row = client.query_one("SELECT recall FROM vw_index_recall('t_v', 1000)", &[]).expect("a row");
        (row.get::<_, f64>(0), stats(client, "t_v").1)
    };
    let (recall, pages) = measure(&mut client);
    run(&mut client, &["REINDEX INDEX t_v"]);
    let (fresh, least) = measure(&mut client);
    assert!(recall > fresh - 0.01, "recall {recall}, of a fresh index {fresh}");
    assert!(pages * 5 <= least * 6, "{pages} pages, of a fresh index {least}");
}
