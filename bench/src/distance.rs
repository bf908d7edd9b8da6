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
const CALLS: i32 = 500_000;
const ROUNDS: usize = 5;

/// Milliseconds of a search and nanoseconds of a call; the least of the rounds, which noise can only raise.
#[derive(Clone, Copy)]
struct Cell {
    search: f64,
    call: f64,
    /// What the loop around a call takes; it is taken off at the end.
    around: f64,
}

impl Cell {
    fn call(&self) -> f64 {
        (self.call - self.around).max(0.1)
    }
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
    let (mut searches, mut calls) = (Vec::new(), Vec::new());
    for (kind, operators) in KINDS {
        let mut of_kind = Vec::new();
        for dims in DIMENSIONS {
            for side in &mut sides {
                let rows = (COMPONENTS / dims).min(50_000);
                side.execute(include_str!("../sql/distance_make.sql"), &[kind, dims, &rows])?;
            }
            for operator in *operators {
                let cells = cells(&mut sides, kind, operator)?;
                print_row(kind, *dims, operator, &cells);
                if let [ours, theirs] = cells.as_slice() {
                    searches.push(theirs.search / ours.search);
                    calls.push(theirs.call() / ours.call());
                    of_kind.push(theirs.call() / ours.call());
                }
            }
        }
        if !of_kind.is_empty() {
            println!("  {kind}: {:.2} times as fast a call in the median cell", median(&of_kind));
        }
    }
    match searches.is_empty() {
        true => println!("  pgvector is not installed on this server, so there are no ratios"),
        false => println!(
            "  pgvector's time over ours: search median {:.2}, least {:.2}; call median {:.2}, least {:.2}",
            median(&searches),
            least(&searches),
            median(&calls),
            least(&calls)
        ),
    }
    Ok(())
}

/// Measure each side in turn, round by round.
fn cells(sides: &mut [Client], kind: &str, operator: &str) -> Result<Vec<Cell>> {
    let mut best = vec![Cell { search: f64::INFINITY, call: f64::INFINITY, around: f64::INFINITY }; sides.len()];
    for _ in 0..ROUNDS {
        for (side, best) in sides.iter_mut().zip(&mut best) {
            let search: f64 = side.query_one(include_str!("../sql/distance_search.sql"), &[&operator])?.get(0);
            let call: f64 =
                side.query_one(include_str!("../sql/distance_call.sql"), &[&kind, &operator, &CALLS])?.get(0);
            let loop_alone: f64 =
                side.query_one(include_str!("../sql/distance_call.sql"), &[&kind, &"", &CALLS])?.get(0);
            best.search = best.search.min(search);
            best.call = best.call.min(call);
            best.around = best.around.min(loop_alone);
        }
    }
    Ok(best)
}

fn print_row(kind: &str, dims: i32, operator: &str, cells: &[Cell]) {
    let ratio = |of: fn(&Cell) -> f64| match cells {
        [ours, theirs] => format!("{:.2}", of(theirs) / of(ours)),
        _ => "-".to_owned(),
    };
    if let Some(ours) = cells.first() {
        let (search, call) = (ratio(|cell| cell.search), ratio(Cell::call));
        println!(
            "  {kind:<10} {dims:>5} {operator:>4} {:>11.2} {search:>7} {:>11.0} {call:>7}",
            ours.search, ours.call
        );
    }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
