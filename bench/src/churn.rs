//! `churn`: what becomes of an index while rows come and go.
//!
//! - Rows inserted one by one into an index that is there, by every kind of index that the server has.
//! - An index that was made on the empty table and then got all rows in the order of clusters, beside one that was built;
//!   the same after 90 % of the rows were deleted and filled in again, ten times.
//! - Searches under filters that keep a tenth, a hundredth and a thousandth of the rows, whether they have to do with the
//!   vectors or not.
//!
//! It reads the data set of `ann`, by the same variables, with cosine distance.

mod filters;
mod growth;
mod inserts;

use anyhow::{Context, Result, ensure};

use crate::ann;
use crate::ann::data::{Data, Metric};

pub fn run() -> Result<()> {
    let plan = ann::Plan::read()?;
    let data = Data::read()?;
    ensure!(data.metric == Metric::Cosine, "churn is measured by cosine distance");
    println!("  {}", data.describe());
    let sides = ann::sides()?;
    inserts::run(&sides, &data, &plan)?;
    let ours =
        sides.iter().find(|side| side.is_ours()).context("the benchmark's database does not have our library")?;
    ann::session::load(ours, &data, &plan)?;
    growth::run(ours, &data, &plan)?;
    filters::run(ours, &data)?;
    ann::session::clear(ours)
}
