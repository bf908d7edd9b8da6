//! Rows inserted one by one, each by a statement and a transaction of its own. What is committed may reach the disk later:
//! the index is measured, not the disk.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::ann::build::build;
use crate::ann::data::{Data, Vectors};
use crate::ann::kinds::{self, Kind};
use crate::ann::search::processor_time;
use crate::ann::session::{self, Side};
use crate::ann::wire::Wire;
use crate::ann::{Plan, session::set};
use crate::random::Random;

/// Rows that are inserted: into a graph fewer, which takes long.
const ROWS: usize = 20_000;
const ROWS_OF_GRAPH: usize = 2_000;
/// How far a new row is from one that is there, in parts of its length.
const NOISE: f32 = 0.2;

/// What one kind of index did.
struct Done {
    name: String,
    ours: bool,
    rate: f64,
    /// Microseconds of processor time that a row takes in the server; none where it cannot be told.
    work: Option<f64>,
}

/// Insert into every kind of index, and into the bare table.
pub fn run(sides: &[Side], data: &Data, plan: &Plan) -> Result<()> {
    let mut all = Vec::new();
    for side in sides {
        session::load(side, data, plan)?;
        let whose = if side.is_ours() { "ours" } else { "pgvector" };
        all.push(insert(side, format!("no index, {whose}"), side.is_ours(), data, ROWS)?);
        for kind in wanted(side, plan) {
            build(side, &kind, data, plan)?;
            let rows = if kind.method == "hnsw" { ROWS_OF_GRAPH } else { ROWS };
            all.push(insert(side, kind.name.to_owned(), kind.ours, data, rows)?);
            session::drop_index(side)?;
        }
        session::clear(side)?;
    }
    let ours = all.iter().find(|done| done.ours && done.name == "ivf").context("the server has no ivf")?;
    println!("\n  {:<26} {:>9} {:>9} {:>9} {:>9}", "rows one by one", "rows/s", "CPU us", "ours/it", "by CPU");
    for Done { name, rate, work, .. } in &all {
        let by_work = ours.work.zip(*work).map(|(ours, its)| its / ours);
        let (work, by_work) = (work.unwrap_or(f64::NAN), by_work.unwrap_or(f64::NAN));
        println!("  {name:<26} {rate:>9.0} {work:>9.1} {:>9.2} {by_work:>9.2}", ours.rate / rate);
    }
    Ok(())
}

/// The kinds of index that can be made on a table with rows and be inserted into as they are; `ivfflat` cannot stand it.
fn wanted(side: &Side, plan: &Plan) -> impl Iterator<Item = Kind> {
    let kinds = kinds::all().into_iter().filter(|kind| kind.method != "ivfflat");
    kinds.filter(|kind| plan.wants(kind.method) && side.has(kind))
}

/// Insert so many rows, and take them out again.
fn insert(side: &Side, name: String, ours: bool, data: &Data, rows: usize) -> Result<Done> {
    let values: Vec<Wire> = new(&data.base, rows).rows().map(Wire::new).collect();
    let mut client = side.connect()?;
    set(&mut client, "synchronous_commit", "off")?;
    let statement = client.prepare(include_str!("../../sql/churn_insert.sql"))?;
    let pid: i32 = client.query_one(include_str!("../../sql/ann_pid.sql"), &[])?.get(0);
    let first = i32::try_from(data.base.len())?;
    let (begun, before) = (Instant::now(), processor_time(pid));
    for (id, value) in (first..).zip(&values) {
        client.execute(&statement, &[&id, value])?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let work = before.zip(processor_time(pid)).map(|(before, after)| 1000.0 * (after - before) / rows as f64);
    client.execute(include_str!("../../sql/churn_cut.sql"), &[&first])?;
    client.batch_execute(include_str!("../../sql/ann_settle.sql"))?;
    Ok(Done { name, ours, rate: rows as f64 / seconds, work })
}

/// Rows beside some of those that are there.
fn new(base: &Vectors, rows: usize) -> Vectors {
    let mut random = Random::new(21);
    let noise = NOISE / (base.dims as f32).sqrt();
    let mut values = Vec::with_capacity(rows * base.dims);
    for _ in 0..rows {
        let row = base.row(random.below(base.len()));
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.extend(row.iter().map(|value| value + noise * length * random.normal()));
    }
    Vectors { dims: base.dims, values }
}
