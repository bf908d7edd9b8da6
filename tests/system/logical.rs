//! Guards logical replication: every type arrives at a subscriber exact, in text and in binary form, and is indexed there.

use std::time::{Duration, Instant};

use postgres::Client;
use vw_tests::cluster::Cluster;

const TABLE: &str = "CREATE EXTENSION vector;
    CREATE TABLE doc (id integer PRIMARY KEY, v vector(3), h halfvec(3), s sparsevec(5), b bit(3), vs vector[])";

/// A value of every column, as text that is the same for the same bits.
fn rows(client: &mut Client) -> Vec<String> {
    let all = "SELECT concat_ws(' ', id, v, h, s, b, vs) FROM doc ORDER BY id";
    client.query(all, &[]).expect("rows").iter().map(|row| row.get(0)).collect()
}

/// Wait until both tables hold the same.
fn until_equal(publisher: &mut Client, subscriber: &mut Client) {
    let limit = Instant::now() + Duration::from_secs(60);
    let wanted = rows(publisher);
    while rows(subscriber) != wanted {
        assert!(Instant::now() < limit, "{:?}\n{wanted:?}", rows(subscriber));
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn values_arrive_in_text_and_in_binary_form() {
    let publisher = Cluster::start("wal_level = logical");
    let mut source = publisher.connect("postgres");
    source.batch_execute(TABLE).expect("a table");
    source.batch_execute("CREATE PUBLICATION docs FOR TABLE doc").expect("a publication");
    source
        .batch_execute(
            "INSERT INTO doc VALUES (1, '[1,-2.5,3e-38]', '[1,-0.5,65504]', '{1:1.5,5:-2}/5', '101', '{\"[1,2]\",\"[3]\"}'),
                 (2, NULL, NULL, NULL, NULL, NULL)",
        )
        .expect("rows");
    for (name, binary) in [("as_text", "false"), ("as_binary", "true")] {
        let subscriber = Cluster::start("");
        let mut target = subscriber.connect("postgres");
        target.batch_execute(TABLE).expect("a table");
        target.batch_execute("CREATE INDEX ON doc USING hnsw (v vector_l2_ops)").expect("an index");
        let (from, to) = (publisher.address("postgres", "postgres"), " PUBLICATION docs WITH (binary = ");
        let subscribe = ["CREATE SUBSCRIPTION ", name, " CONNECTION '", &from, "'", to, binary, ")"].concat();
        target.batch_execute(&subscribe).expect("a subscription");
        until_equal(&mut source, &mut target);
        let change = "INSERT INTO doc SELECT max(id) + 1, '[0.1,0.2,0.3]', '[1e-7,2,3]', '{}/5', '011', '{}' FROM doc;
            UPDATE doc SET v = '[7,8,9]' WHERE id = 1; DELETE FROM doc WHERE id = 2";
        source.batch_execute(change).expect("changes");
        until_equal(&mut source, &mut target);
        target.batch_execute("SET enable_seqscan = off").expect("a setting");
        let nearest = target.query_one("SELECT id FROM doc ORDER BY v <-> '[7,8,9]' LIMIT 1", &[]).expect("a row");
        assert_eq!(nearest.get::<_, i32>(0), 1);
        target.batch_execute(&["DROP SUBSCRIPTION ", name].concat()).expect("no subscription");
    }
}
