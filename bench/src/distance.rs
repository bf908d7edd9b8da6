//! `distance`: every distance of every type at several sizes, beside genuine pgvector where the server has it.
//!
//! Two measures: a search through a whole table with no index, and one call on values that are flat already.

use anyhow::Result;
use postgres::Client;

use crate::rate::median;
use crate::{connect, peer};

const DIMENSIONS: &[i32] = &[32, 384, 1024, 1536, 4096];
const KINDS: &[(&str, &[&str])] = &[
    ("vector", &["<->", "<#>", "<=>", "<+>"]),
    ("halfvec", &["<->", "<#>", "<=>", "<+>"]),
    ("sparsevec", &["<->", "<#>", "<=>", "<+>"]),
    ("bit", &["<~>", "<%>"]),
];
/// Components that a table holds in all, so that every cell takes about as long.
const COMPONENTS: i32 = 4_000_000;
/// Calls in a row: few, so that a run is seldom interrupted.
const CALLS: i32 = 20_000;
/// The sides take turns, and what is printed is the median of the rounds: what else the machine does then disturbs both.
const ROUNDS: usize = 7;

/// What one side took, round by round.
#[derive(Default)]
struct Side {
    /// Milliseconds of a search.
    search: Vec<f64>,
    /// Nanoseconds of a call, with the loop around it.
    call: Vec<f64>,
    /// Nanoseconds of the loop alone.
    around: Vec<f64>,
}

impl Side {
    /// Nanoseconds of a call alone in each round; the loop's own are those of the median round.
    fn calls(&self) -> Vec<f64> {
        let around = median(&self.around);
        self.call.iter().map(|call| (call - around).max(0.1)).collect()
    }
}

/// How many times our time the peer's is, in the median round.
struct Ratio {
    search: f64,
    call: f64,
}

pub fn run() -> Result<()> {
    let mut sides = vec![connect()?];
    sides.extend(peer::connect(&mut connect()?)?);
    for side in &mut sides {
        side.batch_execute(include_str!("../sql/distance_functions.sql"))?;
    }
    println!(
        "  {:<10} {:>5} {:>4} {:>11} {:>7} {:>11} {:>7}",
        "type", "dims", "op", "search ms", "ratio", "call ns", "ratio"
    );
    let mut all = Vec::new();
    for (kind, operators) in KINDS {
        let before = all.len();
        for dims in DIMENSIONS {
            for side in &mut sides {
                let rows = (COMPONENTS / dims).min(50_000);
                side.execute(include_str!("../sql/distance_make.sql"), &[kind, dims, &rows])?;
            }
            for operator in *operators {
                let cell = measure(&mut sides, operator)?;
                let ratio = ratio(&cell);
                print_row(kind, *dims, operator, &cell, ratio.as_ref());
                all.extend(ratio);
            }
        }
        summarise(kind, all.get(before..).unwrap_or_default());
    }
    match all.is_empty() {
        true => println!("  pgvector is not installed on this server, so there are no ratios"),
        false => summarise("all", &all),
    }
    Ok(())
}

/// Measure each side in turn, round by round.
fn measure(sides: &mut [Client], operator: &str) -> Result<Vec<Side>> {
    let mut cell: Vec<Side> = sides.iter().map(|_| Side::default()).collect();
    for _ in 0..ROUNDS {
        for (client, side) in sides.iter_mut().zip(&mut cell) {
            let call = include_str!("../sql/distance_call.sql");
            side.search.push(client.query_one(include_str!("../sql/distance_search.sql"), &[&operator])?.get(0));
            side.around.push(client.query_one(call, &[&"", &CALLS])?.get(0));
            side.call.push(client.query_one(call, &[&operator, &CALLS])?.get(0));
        }
    }
    Ok(cell)
}

/// Compare the sides, if there are two.
fn ratio(cell: &[Side]) -> Option<Ratio> {
    let [ours, theirs] = cell else { return None };
    let ratios = |ours: &[f64], theirs: &[f64]| -> Vec<f64> { theirs.iter().zip(ours).map(|(t, o)| t / o).collect() };
    let (search, call) = (ratios(&ours.search, &theirs.search), ratios(&ours.calls(), &theirs.calls()));
    Some(Ratio { search: median(&search), call: median(&call) })
}

fn print_row(kind: &str, dims: i32, operator: &str, cell: &[Side], ratio: Option<&Ratio>) {
    let text = |of: fn(&Ratio) -> f64| ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{:.2}", of(ratio)));
    if let Some(ours) = cell.first() {
        let (search, call) = (median(&ours.search), median(&ours.calls()));
        let (of_search, of_call) = (text(|ratio| ratio.search), text(|ratio| ratio.call));
        println!("  {kind:<10} {dims:>5} {operator:>4} {search:>11.2} {of_search:>7} {call:>11.1} {of_call:>7}");
    }
}

/// Print the medians and the least of some cells' ratios; nothing of none.
fn summarise(name: &str, ratios: &[Ratio]) {
    let searches: Vec<f64> = ratios.iter().map(|ratio| ratio.search).collect();
    let calls: Vec<f64> = ratios.iter().map(|ratio| ratio.call).collect();
    if !ratios.is_empty() {
        println!(
            "  {name}: pgvector's time over ours: search median {:.2}, least {:.2}; call median {:.2}, least {:.2}",
            median(&searches),
            least(&searches),
            median(&calls),
            least(&calls)
        );
    }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
