//! Guards what a value is outside of memory: random values of every type come back from their text, from binary COPY and
//! from a dump to the last bit, text is the server's own, the bytes sent are pgvector's, and a long statement leaves none
//! of them behind.

use std::io::{Read, Write};

use postgres::Client;
use vw_tests::cluster::Cluster;

/// Values of each type.
const COUNT: usize = 10_000;

/// A seeded source of bits (splitmix64).
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> usize {
        (self.bits() % bound) as usize
    }

    /// The next bits that make an element: those of infinity and NaN, whose exponents are all ones, do not.
    fn element(&mut self, exponent: u32) -> u32 {
        loop {
            let bits = self.bits() as u32;
            if bits & exponent != exponent {
                return bits;
            }
        }
    }
}

/// `vector`, as pgvector sends it: int16 dimensions, int16 zero, float4 elements.
fn vector(random: &mut Random) -> Vec<u8> {
    let dim = 1 + random.below(40);
    let elements: Vec<u8> = (0..dim).flat_map(|_| random.element(0x7f80_0000).to_be_bytes()).collect();
    [&[0, dim as u8, 0, 0], elements.as_slice()].concat()
}

/// `halfvec`: the same with IEEE halves.
fn halfvec(random: &mut Random) -> Vec<u8> {
    let dim = 1 + random.below(40);
    let elements: Vec<u8> = (0..dim).flat_map(|_| (random.element(0x7c00) as u16).to_be_bytes()).collect();
    [&[0, dim as u8, 0, 0], elements.as_slice()].concat()
}

/// `sparsevec`: int32 dimensions, elements and zero, then int32 indices from 0, then float4 elements, none of them zero.
fn sparsevec(random: &mut Random) -> Vec<u8> {
    let dim = 1 + random.below(40);
    let indices: Vec<u32> = (0..dim as u32).filter(|_| random.below(3) == 0).collect();
    let elements: Vec<u32> = indices.iter().map(|_| random.element(0x7f80_0000) | 1).collect();
    let head = [dim as u32, indices.len() as u32, 0];
    head.iter().chain(&indices).chain(&elements).flat_map(|word| word.to_be_bytes()).collect()
}

/// `bit varying`, as the server sends it: int32 length, then the bits, zeros behind the last one.
fn bits(random: &mut Random) -> Vec<u8> {
    let length = random.below(80);
    let mut bytes: Vec<u8> = (0..length.div_ceil(8)).map(|_| random.bits() as u8).collect();
    if let Some(last) = bytes.last_mut() {
        *last &= 0xff << ((8 - length % 8) % 8);
    }
    [(length as u32).to_be_bytes().as_slice(), &bytes].concat()
}

/// A table's content in the form of binary COPY: a signature, flags, no extension; one field a row; an end.
fn rows(value: Draw, seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for _ in 0..COUNT {
        let bytes = value(&mut random);
        out.extend([0, 1]);
        out.extend((bytes.len() as u32).to_be_bytes());
        out.extend(bytes);
    }
    out.extend([0xff, 0xff]);
    out
}

/// How one value of a table is drawn, in the form that is sent.
type Draw = fn(&mut Random) -> Vec<u8>;

const TABLES: [(&str, Draw); 4] =
    [("vectors", vector), ("halfvecs", halfvec), ("sparsevecs", sparsevec), ("codes", bits)];

fn fill(client: &mut Client) {
    client
        .batch_execute(
            "CREATE EXTENSION vector;
             CREATE TABLE vectors (id serial, v vector); CREATE TABLE halfvecs (id serial, v halfvec);
             CREATE TABLE sparsevecs (id serial, v sparsevec); CREATE TABLE codes (id serial, v varbit)",
        )
        .expect("tables");
    for (table, value) in TABLES {
        let mut writer = client.copy_in(&["COPY ", table, " (v) FROM STDIN BINARY"].concat()).expect("COPY");
        writer.write_all(&rows(value, 1)).expect("bytes are taken");
        assert_eq!(writer.finish().expect("values are read"), COUNT as u64);
    }
}

/// Every table's bytes are those that were sent.
fn check_bytes(client: &mut Client) {
    for (table, value) in TABLES {
        let mut bytes = Vec::new();
        let mut reader =
            client.copy_out(&["COPY (SELECT v FROM ", table, " ORDER BY id) TO STDOUT BINARY"].concat()).expect("COPY");
        reader.read_to_end(&mut bytes).expect("bytes are given");
        assert!(bytes == rows(value, 1), "{table}: other bytes than were sent");
    }
}

fn count(client: &mut Client, query: &str) -> i64 {
    client.query_one(query, &[]).unwrap_or_else(|error| panic!("{query}: {error}")).get(0)
}

#[test]
fn random_values_survive_text_and_binary_forms() {
    let cluster = Cluster::start("");
    let mut client = cluster.connect("postgres");
    fill(&mut client);
    check_bytes(&mut client);
    for query in [
        "SELECT count(*) FROM vectors WHERE vector_send(v::text::vector) <> vector_send(v)",
        "SELECT count(*) FROM halfvecs WHERE halfvec_send(v::text::halfvec) <> halfvec_send(v)",
        "SELECT count(*) FROM sparsevecs WHERE sparsevec_send(v::text::sparsevec) <> sparsevec_send(v)",
        "SELECT count(*) FROM vectors WHERE v::text <> translate(v::real[]::text, '{}', '[]')",
        "SELECT count(*) FROM halfvecs WHERE v::text <> translate(v::real[]::text, '{}', '[]')",
        "SELECT count(*) FROM sparsevecs WHERE v::text <> (
            SELECT '{' || coalesce(string_agg(at || ':' || x, ',' ORDER BY at) FILTER (WHERE x <> 0), '') || '}/' || count(*)
            FROM unnest(v::vector::real[]) WITH ORDINALITY AS e (x, at))",
        "SELECT count(*) FROM vectors WHERE vector_send(v::real[]::vector) <> vector_send(v)",
        "SELECT count(*) FROM halfvecs WHERE halfvec_send(v::vector::halfvec) <> halfvec_send(v)",
        "SELECT count(*) FROM sparsevecs WHERE sparsevec_send(v::vector::sparsevec) <> sparsevec_send(v)",
    ] {
        assert_eq!(count(&mut client, query), 0, "{query}");
    }
}

/// Short values have one-byte headers in a row and none of a number's alignment; long ones are in a TOAST table.
#[test]
fn values_are_the_same_wherever_they_are_stored() {
    let cluster = Cluster::start("");
    let mut client = cluster.connect("postgres");
    client
        .batch_execute(
            "CREATE EXTENSION vector;
             CREATE TABLE stored AS SELECT dim, repeat('x', dim % 9) AS before, array_fill(1, ARRAY[dim])::vector AS v,
                 array_fill(1, ARRAY[dim])::halfvec AS h, array_fill(1, ARRAY[dim])::sparsevec AS s,
                 repeat('1', dim)::varbit AS b
             FROM (SELECT generate_series(1, 80) UNION VALUES (600), (2000), (16000)) d (dim)",
        )
        .expect("a table");
    let wrong = "SELECT count(*) FROM stored WHERE vector_dims(v) <> dim OR vector_dims(h) <> dim
            OR v <#> v <> -dim OR h <#> h <> -dim OR s <#> s <> -dim OR v <+> v <> 0 OR hamming_distance(b, b) <> 0
            OR h::vector <> v OR s::vector <> v OR v::halfvec <> h OR v::sparsevec <> s OR binary_quantize(v) <> b
            OR round(l2_norm(s) * l2_norm(h)) <> dim OR v::text::vector <> v";
    assert_eq!(count(&mut client, wrong), 0);
    let storage =
        "SELECT count(*) FROM pg_type WHERE typname IN ('vector', 'halfvec', 'sparsevec') AND typstorage = 'e'";
    assert_eq!(count(&mut client, storage), 3, "values are never compressed");
}

#[test]
fn a_dump_restores_every_bit() {
    let cluster = Cluster::start("");
    fill(&mut cluster.connect("postgres"));
    cluster.connect("postgres").batch_execute("CREATE DATABASE copy").expect("a database");
    let dump = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(dump.path(), cluster.client_program("pg_dump", &[], "postgres")).expect("own file");
    let output = cluster.psql("copy", &["-q", "-v", "ON_ERROR_STOP=1"], dump.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    check_bytes(&mut cluster.connect("copy"));
}

/// The most memory that a backend has held so far, in KiB.
fn peak(client: &mut Client) -> u64 {
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("a backend").get(0);
    let status = std::fs::read_to_string(["/proc/", &backend.to_string(), "/status"].concat()).expect("a live backend");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux counts it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A statement that leaves something behind for every row would need gigabytes for these: values in a TOAST table are
/// detoasted on both sides of each call, and each function makes a value of kilobytes.
#[test]
fn a_long_statement_leaves_nothing_behind_for_a_row() {
    let cluster = Cluster::start("");
    let mut client = cluster.connect("postgres");
    client
        .batch_execute(
            "CREATE EXTENSION vector;
             CREATE TABLE long AS SELECT i, array_fill(1.0 / i, ARRAY[2000])::vector AS v,
                 array_fill(1.0 / i, ARRAY[2000])::halfvec AS h, array_fill(1.0 / i, ARRAY[2000])::sparsevec AS s,
                 (repeat('01', 8500 + i))::bit(17000) AS b FROM generate_series(1, 200) i;
             SET enable_material = off; SET max_parallel_workers_per_gather = 0; SET work_mem = '1MB'",
        )
        .expect("a table");
    let calls = "SELECT count((l.v <-> r.v) + (l.h <=> r.h) + (l.s <+> r.s) + (l.b <~> r.b) + (l.v <#> r.h::vector))
        FROM long l, long r WHERE l.i <= ";
    let values = "SELECT count(vector_dims(l.v + r.v) + vector_dims(l2_normalize(l.h)) + length(l.v::text)
            + vector_dims(r.s::vector) + length(binary_quantize(r.v)) + vector_dims((l.h::real[])::vector)), avg(l.v), sum(r.h)
        FROM long l, long r WHERE l.i <= ";
    for statement in [calls, values] {
        client.batch_execute(&[statement, "2"].concat()).expect("a short run");
        let before = peak(&mut client);
        client.batch_execute(&[statement, "100"].concat()).expect("a long run");
        let grown = peak(&mut client) - before;
        assert!(grown < 16 * 1024, "{grown} KiB more for fifty times the rows: {statement}");
    }
}
