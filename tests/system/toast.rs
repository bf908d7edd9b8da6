//! Guards values of TOAST tables that the extension reads itself, page by page, against being others than the server
//! fetches: after any history of a table, while it is changed and vacuumed, in every order, in every kind of table.
//!
//! Every check is of the two ways beside each other: an operator's arguments are read the short way, and what a cast gives
//! was made of the value that the server fetched. That the short way is taken at all is told by the scans of the TOAST
//! table's index.

use postgres::Client;
use vw_tests::cluster::Cluster;

#[path = "toast/history.rs"]
mod history;
#[path = "toast/places.rs"]
mod places;

/// The columns of a table, all of which are TOASTed in most rows: between the values of one there are those of the others,
/// and the bits and the note are compressed as well.
const COLUMNS: &str = "(id integer, k integer, v vector, note text, h halfvec, s sparsevec, b varbit)";

/// What rows are made of. `fill(n, dim)`: one with vectors of about so many dimensions, different for each n.
const FUNCTIONS: &str = "
    CREATE FUNCTION numbers(n integer, dim integer) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
        SELECT array_agg(((i::bigint * 7919 + n::bigint * 104729 + i::bigint * n) % 2003) / 1000.0 - 1.0015)
        FROM generate_series(1, dim) i $$;
    CREATE FUNCTION fill(n integer, dim integer, OUT id integer, OUT k integer, OUT v vector, OUT note text, OUT h halfvec,
        OUT s sparsevec, OUT b varbit) LANGUAGE sql IMMUTABLE AS $$
        SELECT n, n::bigint * 7919 % 1009, numbers(n, dim)::vector, repeat(md5(n::text), n % 120),
            numbers(n + 1, 2 * dim - n % 3)::halfvec, numbers(n, 1 + dim * (n % 2))::sparsevec,
            binary_quantize(numbers(n, dim)::vector)::varbit || repeat('01', 6000 * (n % 2))::varbit $$;
    CREATE FUNCTION dim(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
        SELECT CASE n % 8 WHEN 0 THEN 498 WHEN 1 THEN 499 WHEN 2 THEN 997 WHEN 3 THEN 998 WHEN 4 THEN 3
            ELSE 200 + (n * 37) % 1800 END $$";

/// The rows that tables are filled from.
const POOL: i32 = 300;

/// Rows of a table whose values differ between the two ways, and all of them.
const WRONG: &str = "SELECT count(*) FILTER (WHERE v <-> v::real[]::vector IS DISTINCT FROM 0
        OR h <-> h::vector::halfvec IS DISTINCT FROM 0 OR s <-> s::vector::sparsevec IS DISTINCT FROM 0
        OR hamming_distance(b, b::text::varbit) IS DISTINCT FROM 0), count(*) FROM ";

/// A database with these functions, and the table `pool`.
fn prepare(cluster: &Cluster) -> Client {
    let mut client = cluster.connect("postgres");
    client.batch_execute("CREATE EXTENSION vector").expect("an extension");
    client.batch_execute(FUNCTIONS).expect("functions");
    client.batch_execute(&["CREATE TABLE pool ", COLUMNS].concat()).expect("a table");
    let pool = "INSERT INTO pool SELECT f.* FROM generate_series(1, $1) n, fill(n, dim(n)) f";
    client.execute(pool, &[&POOL]).expect("rows");
    client
}

/// Compare all values of a table: in the order of its rows, in another one, and by several processes. Gives their number.
fn check(client: &mut Client, table: &str) -> i64 {
    const ORDERS: [&str; 3] = [
        "SET enable_seqscan = on; SET enable_indexscan = off; SET max_parallel_workers_per_gather = 0",
        "SET enable_seqscan = off; SET enable_indexscan = on",
        "SET enable_seqscan = on; SET enable_indexscan = off; SET max_parallel_workers_per_gather = 2",
    ];
    let statement = [WRONG, table, " WHERE k >= 0"].concat();
    let mut rows = 0;
    client.batch_execute("SET enable_bitmapscan = off; SET min_parallel_table_scan_size = 0").expect("settings");
    for order in ORDERS {
        client.batch_execute(order).expect("settings");
        let row = client.query_one(&statement, &[]).unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        rows = row.get(1);
        assert_eq!(row.get::<_, i64>(0), 0, "of {rows} rows of {table}, {order}");
    }
    rows
}
