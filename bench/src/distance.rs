//! `distance`: every distance of every type at several sizes, beside genuine pgvector where the server has it.
//!
//! Two measures: a search through a whole table with no index, and one call on values that are flat already. Both sides are
//! backends of one server.
//! VW_DISTANCE_TYPES, as `vector,bit`, names the types to measure; all of them without it.

use std::process::{Command, Stdio};

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
/// Bytes of values that a table holds in all: more than a core's own cache.
const BYTES: i32 = 16 << 20;
const MOST_ROWS: i32 = 50_000;
/// Components that are drawn for a table: what is drawn is drawn slowly, so more rows repeat them.
const DRAWN: i32 = 2_000_000;
/// Calls in a row: few, so that a run is seldom interrupted.
const CALLS: i32 = 20_000;
/// The sides take turns, and what is printed is the median of the rounds: what else the machine does then disturbs both.
/// In every round the rows are in another place, for where they are decides which of them stay in the cache.
const ROUNDS: usize = 9;

/// What one side took, round by round.
#[derive(Clone, Default)]
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
    pin(&mut sides)?;
    println!(
        "  {:<10} {:>5} {:>4} {:>11} {:>7} {:>11} {:>7}",
        "type", "dims", "op", "search ms", "ratio", "call ns", "ratio"
    );
    let mut all = Vec::new();
    let types = std::env::var("VW_DISTANCE_TYPES").unwrap_or_default();
    for (kind, operators) in KINDS.iter().filter(|(kind, _)| types.is_empty() || types.split(',').any(|t| t == *kind)) {
        let before = all.len();
        for dims in DIMENSIONS {
            make(&mut sides, kind, *dims)?;
            for (operator, cell) in operators.iter().zip(measure(&mut sides, operators)?) {
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

/// Let all sides run on one processor, so that they have the same cache; where it cannot be done, that is said.
fn pin(sides: &mut [Client]) -> Result<()> {
    let processor = std::thread::available_parallelism()?.get() - 1;
    for side in sides {
        let backend: i32 = side.query_one(include_str!("../sql/ann_pid.sql"), &[])?.get(0);
        let mut taskset = Command::new("taskset");
        taskset.args(["--pid", "--cpu-list", &processor.to_string(), &backend.to_string()]);
        if !taskset.stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
            println!("  taskset does not work here: the sides run on any processor");
            break;
        }
    }
    Ok(())
}

/// Make the values of a cell on every side.
fn make(sides: &mut [Client], kind: &str, dims: i32) -> Result<()> {
    // Bytes of a value, about; and values that calls are made with: a kernel for sparse vectors has branches that depend
    // on the values, and processors learn those of a hundred pairs by heart.
    let (bytes, others) = match kind {
        "vector" => (4 * dims, 10),
        "halfvec" => (2 * dims, 10),
        "sparsevec" => (16 + 4 * dims / 5, 300),
        _ => (8 + dims / 8, 10),
    };
    let rows = (BYTES / bytes).min(MOST_ROWS);
    for side in sides {
        let drawn = (DRAWN / dims).min(rows);
        side.execute(include_str!("../sql/distance_make.sql"), &[&kind, &dims, &rows, &drawn, &others])?;
    }
    Ok(())
}

/// Measure every operator on each side in turn, round by round.
fn measure(sides: &mut [Client], operators: &[&str]) -> Result<Vec<Vec<Side>>> {
    let mut cells = vec![vec![Side::default(); sides.len()]; operators.len()];
    for _ in 0..ROUNDS {
        for side in &mut *sides {
            side.execute(include_str!("../sql/distance_move.sql"), &[])?;
        }
        for (operator, cell) in operators.iter().zip(&mut cells) {
            for (client, side) in sides.iter_mut().zip(&mut *cell) {
                side.search.push(client.query_one(include_str!("../sql/distance_search.sql"), &[&operator])?.get(0));
            }
            for (client, side) in sides.iter_mut().zip(cell) {
                let call = include_str!("../sql/distance_call.sql");
                side.around.push(client.query_one(call, &[&"", &CALLS])?.get(0));
                side.call.push(client.query_one(call, &[&operator, &CALLS])?.get(0));
            }
        }
    }
    Ok(cells)
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
