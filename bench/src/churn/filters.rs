//! Searches under filters, by the index as it is: whether they find as many rows as are asked for, and the right ones.
//!
//! One filter keeps every tenth row (hundredth, thousandth), whatever its vector is; the other the tenth that is nearest
//! to some other vector, so that most of what is near a query is not kept.

use std::collections::HashSet;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use postgres::Client;
use postgres::types::ToSql;

use crate::ann::data::Data;
use crate::ann::session::Side;
use crate::ann::wire::Wire;

/// Queries of each filter.
const QUERIES: usize = 50;
/// Rows that a search asks for.
const LIMIT: usize = 10;

/// A filter's statement, and its value for a share of the rows.
struct Filter {
    name: String,
    statement: &'static str,
    values: Vec<Box<dyn ToSql + Sync>>,
}

/// Measure every filter. The table has an index of ours.
pub fn run(side: &Side, data: &Data) -> Result<()> {
    let mut client = side.connect()?;
    let set = data.sets.first().context("there are no queries")?;
    let queries: Vec<Wire> = set.queries.rows().take(QUERIES).map(Wire::new).collect();
    println!("\n  {:<34} {:>7} {:>7} {:>8} {:>8}", "rows kept", "recall", "short", "ms", "exact ms");
    for filter in filters(&mut client, data)? {
        client.batch_execute(include_str!("../../sql/churn_exact.sql"))?;
        let (exact, exact_ms) = answers(&mut client, &queries, &filter)?;
        client.batch_execute(include_str!("../../sql/churn_index.sql"))?;
        let (found, ms) = answers(&mut client, &queries, &filter)?;
        let short = found.iter().zip(&exact).filter(|(found, exact)| found.len() < exact.len()).count();
        let hits: usize = found.iter().zip(&exact).map(|(found, exact)| found.intersection(exact).count()).sum();
        let there: usize = exact.iter().map(HashSet::len).sum();
        ensure!(there == LIMIT * queries.len(), "the filter keeps fewer rows than are asked for: {}", filter.name);
        let recall = hits as f64 / there as f64;
        println!("  {:<34} {recall:>7.4} {short:>7} {ms:>8.2} {exact_ms:>8.2}", filter.name);
    }
    Ok(())
}

/// The filters that keep these shares of the rows.
fn filters(client: &mut Client, data: &Data) -> Result<Vec<Filter>> {
    let mut filters = Vec::new();
    for parts in [10_i32, 100, 1_000] {
        let share = 1.0 / f64::from(parts);
        filters.push(Filter {
            name: format!("1 in {parts}, by number"),
            statement: include_str!("../../sql/churn_number.sql"),
            values: vec![Box::new(parts)],
        });
        let other = Wire::new(data.base.row(data.base.len() / 2));
        let reach: f64 = client.query_one(include_str!("../../sql/churn_reach.sql"), &[&other, &share])?.get(0);
        filters.push(Filter {
            name: format!("1 in {parts}, nearest to another"),
            statement: include_str!("../../sql/churn_near.sql"),
            values: vec![Box::new(other), Box::new(reach)],
        });
    }
    Ok(filters)
}

/// The answer to each query, and the milliseconds that one takes.
fn answers(client: &mut Client, queries: &[Wire], filter: &Filter) -> Result<(Vec<HashSet<i32>>, f64)> {
    // A statement that was prepared before would keep its plan, whatever was set since.
    let statement = client.prepare(filter.statement)?;
    let begun = Instant::now();
    let mut answers = Vec::new();
    for query in queries {
        let mut values: Vec<&(dyn ToSql + Sync)> = vec![query];
        values.extend(filter.values.iter().map(AsRef::as_ref));
        answers.push(client.query(&statement, &values)?.iter().map(|row| row.get(0)).collect());
    }
    Ok((answers, 1000.0 * begun.elapsed().as_secs_f64() / queries.len() as f64))
}
