//! `ann`: approximate search, by every kind of index that the server has: recall@10 against queries a second.
//!
//! Ours runs in the benchmark's database. The peers' indexes run there too when its type `vector` is pgvector's, and
//! else in a database of their own on the same server (see `peer`). Each index is built, measured and dropped in turn,
//! with nothing else running. Everything is warm, and the statement is prepared.
//!
//! What it reads from the environment:
//! - `VW_ANN_BASE` and `VW_ANN_QUERIES`: arrays of float32 that NumPy saved, a vector a row. Without them, a data set is
//!   made on the spot: 50,000 vectors of 128 dimensions.
//! - `VW_ANN_OTHER_QUERIES`: queries of another distribution, measured beside the first ones.
//! - `VW_ANN_METRIC`: `cosine` (the default), `l2` or `ip`.
//! - `VW_ANN_INDEXES`: the access methods to measure, separated by commas; all that are there when left out.
//! - `VW_ANN_MEMORY`: maintenance_work_mem of a build, 2GB when left out; `VW_ANN_WORKERS`: its parallel workers, 2.
//! - `VW_ANN_SECONDS`: the least time of one measurement, 2; by one client, it also goes through all queries once.
//! - `VW_ANN_NAME`: the name of the files that it writes, `ann` when left out.
//!
//! It writes NAME.csv (every measurement), NAME.builds.csv and NAME.svg (the curves) into `target/bench`.

pub mod build;
pub mod data;
mod files;
pub mod kinds;
mod npy;
mod plot;
pub mod report;
pub mod search;
pub mod session;
mod truth;
pub mod wire;

use anyhow::{Context, Result, bail};
use postgres::Config;

use crate::{config, peer};
use build::Build;
use data::Data;
use kinds::Kind;
use report::Row;
use session::Side;

/// How it is measured, as the environment says.
pub struct Plan {
    memory: String,
    workers: i32,
    seconds: f64,
    indexes: Vec<String>,
}

pub fn run() -> Result<()> {
    let plan = Plan::read()?;
    let data = Data::read()?;
    println!("  {}", data.describe());
    let (mut builds, mut rows) = (Vec::new(), Vec::new());
    for side in sides()? {
        session::load(&side, &data, &plan)?;
        measure(&side, &data, &plan, &mut builds, &mut rows)?;
        session::clear(&side)?;
    }
    if rows.is_empty() {
        bail!("the server has none of these indexes");
    }
    print!("\n{}", report::builds(&builds));
    print!("\n{}", report::summary(&rows, data.sets.len() > 1));
    files::write(&data.name, &builds, &rows)
}

impl Plan {
    pub fn read() -> Result<Plan> {
        let indexes = variable("VW_ANN_INDEXES").unwrap_or_default();
        Ok(Plan {
            memory: variable("VW_ANN_MEMORY").unwrap_or_else(|| "2GB".to_owned()),
            workers: number("VW_ANN_WORKERS", 2.0)? as i32,
            seconds: number("VW_ANN_SECONDS", 2.0)?,
            indexes: indexes.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        })
    }

    /// Tell whether an access method is to be measured.
    pub fn wants(&self, method: &str) -> bool {
        self.indexes.is_empty() || self.indexes.iter().any(|name| name == method)
    }
}

/// An environment variable that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str, otherwise: f64) -> Result<f64> {
    variable(name).map_or(Ok(otherwise), |text| text.parse().with_context(|| format!("{name} is no number: {text}")))
}

/// The databases to measure in: ours, then the peers' where they have one.
pub fn sides() -> Result<Vec<Side>> {
    let ours: Config = config()?;
    let mut client = crate::connect()?;
    let mut sides = vec![Side::new(ours)?];
    if peer::connect(&mut client)?.is_some() {
        sides.push(Side::new(peer::config()?)?);
    }
    Ok(sides)
}

/// Measure every wanted index of one database.
fn measure(side: &Side, data: &Data, plan: &Plan, builds: &mut Vec<Build>, rows: &mut Vec<Row>) -> Result<()> {
    let wanted: Vec<Kind> = kinds::all().into_iter().filter(|kind| plan.wants(kind.method) && side.has(kind)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    println!("\n  {}\n{}", side.describe(), Row::header());
    if plan.wants("exact") {
        keep(rows, search::exact(side, data)?);
    }
    for kind in wanted {
        let built = build::build(side, &kind, data, plan)?;
        println!("  {}", built.describe());
        builds.push(built);
        search::warm(side, &kind, data)?;
        for sweep in kind.sweeps {
            for value in sweep.values {
                let row = search::measure(side, &kind, sweep, value, data, plan)?;
                let enough = row.is_enough();
                keep(rows, row);
                if enough {
                    break;
                }
            }
        }
        session::drop_index(side)?;
    }
    Ok(())
}

fn keep(rows: &mut Vec<Row>, row: Row) {
    println!("{}", row.line());
    rows.push(row);
}
