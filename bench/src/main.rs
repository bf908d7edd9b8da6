//! Benchmarks over SQL, each beside what it is to be compared with, in the same run on the same machine.
//!
//! Names none of the project's crates. `cargo xtask bench [NAME...]` starts the cluster and calls this.

mod ann;
mod api;
mod churn;
mod crowd;
mod distance;
mod embed;
mod exact;
mod peer;
mod pictures;
mod python;
mod random;
mod rate;
mod service;
mod table;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use postgres::{Client, Config, NoTls};

/// A benchmark's name, what it measures, and the function that prints its tables.
type Benchmark = (&'static str, &'static str, fn() -> Result<()>);

const BENCHMARKS: &[Benchmark] = &[
    ("ann", "approximate search by each kind of index: recall against queries a second", ann::run),
    (
        "api",
        "the service beside SQL: searches of 100,000 items by text, also beside slow clients, and indexing",
        api::run,
    ),
    ("churn", "an index while rows come and go: inserts, growth, replacement, and searches under filters", churn::run),
    ("distance", "every distance of every type, by whole search and by call", distance::run),
    ("embed", "texts and photographs embedded in a second, over SQL and by ONNX Runtime from Python", embed::run),
    ("exact", "the ten nearest of N random unit vectors without an index", exact::run),
];

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = names.iter().find(|name| !BENCHMARKS.iter().any(|(known, ..)| known == name)) {
        let known: Vec<&str> = BENCHMARKS.iter().map(|(name, ..)| *name).collect();
        bail!("no benchmark \"{unknown}\"; there are: {}", known.join(", "));
    }
    for (name, what, run) in BENCHMARKS.iter().filter(|(name, ..)| names.is_empty() || names.iter().any(|n| n == name))
    {
        println!("\n{name}: {what}");
        run()?;
    }
    Ok(())
}

/// The database that VW_BENCH_DATABASE names, as `key=value` words.
fn config() -> Result<Config> {
    let database = std::env::var("VW_BENCH_DATABASE").context("VW_BENCH_DATABASE must name a database with vw")?;
    database.parse().context("VW_BENCH_DATABASE cannot be read")
}

fn connect() -> Result<Client> {
    config()?.connect(NoTls).context("cannot connect to VW_BENCH_DATABASE")
}
