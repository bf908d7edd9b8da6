//! `exact`: the ten nearest by cosine distance over the whole table, as a sequential scan with no index.

use anyhow::Result;
use postgres::Client;

use crate::connect;
use crate::rate::{median, rate};
use crate::table::{Row, render};

/// Rows and dimensions of the tables.
const TABLES: &[(i32, i32)] = &[(50_000, 384), (20_000, 1024)];
const QUERIES: i32 = 10;

pub fn run() -> Result<()> {
    let mut client = connect()?;
    let mut named = Vec::new();
    for (rows, dimensions) in TABLES {
        client.batch_execute(include_str!("../sql/exact_table.sql"))?;
        client.execute(include_str!("../sql/exact_fill.sql"), &[rows, dimensions])?;
        client.batch_execute(include_str!("../sql/exact_settle.sql"))?;
        named.push((format!("{rows} rows of {dimensions} dimensions"), search(&mut client, *dimensions)?));
    }
    let rows: Vec<Row> = named.iter().map(|(name, value)| Row { name, value: *value, reference: None }).collect();
    print!("{}", render("queries/s", &rows));
    Ok(())
}

/// Queries a second, the median of the queries after a warm one.
fn search(client: &mut Client, dimensions: i32) -> Result<f64> {
    let statement = client.prepare(include_str!("../sql/exact_search.sql"))?;
    let mut rates = Vec::new();
    for number in 0..=QUERIES {
        let query: String = client.query_one(include_str!("../sql/exact_query.sql"), &[&dimensions])?.get(0);
        let one = rate(1, || Ok(client.query(&statement, &[&query]).map(drop)?))?;
        if number > 0 {
            rates.push(one);
        }
    }
    Ok(median(&rates))
}
