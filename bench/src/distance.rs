//! `distance`: every distance of every type at several sizes, beside genuine pgvector where the server has it.
//!
//! Two measures: a search through a whole table with no index, and one call on values that are flat already. What counts
//! is the processor time of the backend, so that what else the machine does is left out, but for what it does to caches
//! and memory. All sides are backends of one server on one processor, and take turns of some milliseconds, each of them
//! being the first in turn. After every few turns all tables are made anew in another place, for where rows lie decides
//! which of them stay in the cache. A ratio is the peer's median time over ours in one such block; a cell's is the
//! median of the blocks, with the interval that holds the median with 96 % (the third least to the third greatest of 12).
//!
//! The noise is measured as well: a second session of pgvector, with tables of its own, takes its turns like the others,
//! and pgvector's ratio to itself is printed beside ours. A cell is called slower where its whole interval lies below 1
//! by more than 95 of 100 of these are away from 1, and level where 1 is within that reach of the interval.
//! With 12 blocks of 3 turns, two runs on two processors that other programs kept busy gave ratios that were apart by 1 %
//! for a search and 2 % for a call in the median cell, and by 4 % and 10 % in nine cells of ten.
//! VW_DISTANCE_TYPES, as `vector,bit`, and VW_DISTANCE_DIMENSIONS, as `32,384`, name the types and the sizes to measure;
//! all of them without it.

mod block;
mod compare;
mod side;

use anyhow::Result;
use postgres::NoTls;

use block::{Block, measure};
use compare::{Ratio, noise, ratio};
use side::Side;

use crate::rate::median;
use crate::{connect, peer};

const DIMENSIONS: &[i32] = &[32, 384, 1024, 1536, 4096];
const KINDS: &[(&str, &[&str])] = &[
    ("vector", &["<->", "<#>", "<=>", "<+>"]),
    ("halfvec", &["<->", "<#>", "<=>", "<+>"]),
    ("sparsevec", &["<->", "<#>", "<=>", "<+>"]),
    ("bit", &["<~>", "<%>"]),
];

/// What was measured of one distance of one type at one size.
struct Cell {
    kind: &'static str,
    dims: i32,
    operator: &'static str,
    /// Milliseconds of our search.
    search_time: f64,
    /// Nanoseconds of our call.
    call_time: f64,
    /// Pgvector's times over ours, and over those of its other session; none where it is not installed.
    ratios: Option<Ratios>,
}

struct Ratios {
    search: Ratio,
    call: Ratio,
    search_itself: Ratio,
    call_itself: Ratio,
}

pub fn run() -> Result<()> {
    let (schema, again) = (include_str!("../sql/distance_schema.sql"), include_str!("../sql/distance_again.sql"));
    let mut sides = vec![Side::new(connect()?, schema)?];
    if let Some(client) = peer::connect(&mut connect()?)? {
        sides.push(Side::new(client, schema)?);
        sides.push(Side::new(peer::config()?.connect(NoTls)?, again)?);
    }
    side::pin(&sides)?;
    println!("  {:<10} {:>5} {:>3} {:>10} {:<24} {:>9} {:<24}", "type", "dims", "op", "search ms", "", "call ns", "");
    println!("  {:<31} {:<24} {:>9} {:<24}", "", "ratio (interval) itself", "", "ratio (interval) itself");
    let mut cells = Vec::new();
    for (kind, operators) in KINDS.iter().filter(|(kind, _)| is_chosen("VW_DISTANCE_TYPES", kind)) {
        for dims in DIMENSIONS.iter().filter(|dims| is_chosen("VW_DISTANCE_DIMENSIONS", &dims.to_string())) {
            let blocks = measure(&mut sides, kind, *dims, operators)?;
            for (operator, blocks) in operators.iter().zip(blocks) {
                let cell = cell((kind, *dims, operator), &blocks);
                print_cell(&cell);
                cells.push(cell);
            }
        }
    }
    summarise(&cells);
    Ok(())
}

/// Tell whether a variable names something, or nothing at all.
fn is_chosen(variable: &str, name: &str) -> bool {
    let names = std::env::var(variable).unwrap_or_default();
    names.is_empty() || names.split(',').any(|chosen| chosen == name)
}

fn cell((kind, dims, operator): (&'static str, i32, &'static str), blocks: &[Block]) -> Cell {
    let search: Vec<Vec<f64>> = blocks.iter().map(|block| block.search.clone()).collect();
    let call: Vec<Vec<f64>> = blocks.iter().map(|block| block.call.clone()).collect();
    let ours =
        |blocks: &[Vec<f64>]| median(&blocks.iter().filter_map(|times| times.first().copied()).collect::<Vec<f64>>());
    let ratios = || {
        Some(Ratios {
            search: ratio(&search, 1, 0)?,
            call: ratio(&call, 1, 0)?,
            search_itself: ratio(&search, 1, 2)?,
            call_itself: ratio(&call, 1, 2)?,
        })
    };
    Cell { kind, dims, operator, search_time: ours(&search) / 1e6, call_time: ours(&call), ratios: ratios() }
}

fn print_cell(cell: &Cell) {
    let text = |ratio: &Ratio, itself: &Ratio| {
        format!("{:>5.2} ({:.2} to {:.2}) {:.2}", ratio.middle, ratio.least, ratio.most, itself.middle)
    };
    let (search, call) = cell.ratios.as_ref().map_or_else(Default::default, |ratios| {
        (text(&ratios.search, &ratios.search_itself), text(&ratios.call, &ratios.call_itself))
    });
    println!(
        "  {:<10} {:>5} {:>3} {:>10.2} {search:<24} {:>9.1} {call:<24}",
        cell.kind, cell.dims, cell.operator, cell.search_time, cell.call_time
    );
}

/// Print the medians and the least of the ratios of each type and of all, and which cells are slower.
fn summarise(cells: &[Cell]) {
    let ratios: Vec<(&Cell, &Ratios)> = cells.iter().filter_map(|cell| Some((cell, cell.ratios.as_ref()?))).collect();
    if ratios.is_empty() {
        return println!("  pgvector is not installed on this server, so there are no ratios");
    }
    for kind in KINDS.iter().map(|(kind, _)| *kind).chain(["all"]) {
        let of = |measure: fn(&Ratios) -> f64| -> Vec<f64> {
            ratios.iter().filter(|(cell, _)| kind == "all" || cell.kind == kind).map(|(_, r)| measure(r)).collect()
        };
        let (searches, calls) = (of(|r| r.search.middle), of(|r| r.call.middle));
        if !searches.is_empty() {
            println!(
                "  {kind}: pgvector's time over ours: search median {:.2}, least {:.2}; call median {:.2}, least {:.2}",
                median(&searches),
                least(&searches),
                median(&calls),
                least(&calls)
            );
        }
    }
    verdict("search", &ratios, |ratios| (&ratios.search, &ratios.search_itself));
    verdict("call", &ratios, |ratios| (&ratios.call, &ratios.call_itself));
}

/// Print how many cells are faster, level and slower by one measure, and which are slower.
fn verdict(name: &str, cells: &[(&Cell, &Ratios)], of: fn(&Ratios) -> (&Ratio, &Ratio)) {
    let noise = noise(cells.iter().map(|(_, ratios)| of(ratios).1));
    let count = |is: fn(&Ratio, f64) -> bool| cells.iter().filter(|(_, ratios)| is(of(ratios).0, noise)).count();
    let (faster, slower) = (count(Ratio::is_faster), count(Ratio::is_slower));
    println!(
        "  {name}: pgvector is within {:.1} % of itself; of {} cells we are faster in {faster}, level in {}, slower in {slower}",
        100.0 * noise,
        cells.len(),
        cells.len() - faster - slower,
    );
    for (cell, _) in cells.iter().filter(|(_, ratios)| of(ratios).0.is_slower(noise)) {
        println!("    slower: {} {} {}", cell.kind, cell.dims, cell.operator);
    }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}
