//! The measurements of a cell: blocks of turns that all sides take.

use anyhow::Result;

use super::side::Side;
use crate::rate::median;

/// Bytes of values that a table holds in all: more than a core's own cache.
const BYTES: i32 = 16 << 20;
const MOST_ROWS: i32 = 50_000;
/// Components that are drawn for a table: what is drawn is drawn slowly, so more rows repeat them.
const DRAWN: i32 = 2_000_000;
/// Calls of a turn: as many as read so many bytes, within bounds, so that it takes a millisecond or two.
const CALLED: i32 = 64 << 20;
const FEWEST_CALLS: i32 = 20_000;
const MOST_CALLS: i32 = 200_000;
/// Tables are made anew for every block.
const BLOCKS: usize = 12;
/// Every side is first in as many turns of a block.
const TURNS: usize = 3;

/// The median time of each side, in nanoseconds.
pub struct Block {
    pub search: Vec<f64>,
    /// One call, without the loop around it.
    pub call: Vec<f64>,
}

/// Measure every operator of a type at one size, in blocks.
pub fn measure(sides: &mut [Side], kind: &str, dims: i32, operators: &[&str]) -> Result<Vec<Vec<Block>>> {
    let calls = make(sides, kind, dims)?;
    let mut blocks: Vec<Vec<Block>> = operators.iter().map(|_| Vec::new()).collect();
    for _ in 0..BLOCKS {
        for side in &mut *sides {
            side.client.execute(include_str!("../../sql/distance_move.sql"), &[])?;
        }
        for (operator, blocks) in operators.iter().zip(&mut blocks) {
            blocks.push(block(sides, operator, calls)?);
        }
    }
    Ok(blocks)
}

/// Make the values of a cell on every side, and tell how many calls are a turn.
fn make(sides: &mut [Side], kind: &str, dims: i32) -> Result<i32> {
    // Bytes of a value, about; values that calls are made with: a kernel for sparse vectors has branches that depend on
    // the values, and processors learn those of a hundred pairs by heart; and bytes of calls.
    let (bytes, others, called) = match kind {
        "vector" => (4 * dims, 10, CALLED),
        "halfvec" => (2 * dims, 10, CALLED),
        "sparsevec" => (16 + 4 * dims / 5, 300, CALLED / 4),
        _ => (8 + dims / 8, 10, CALLED),
    };
    let rows = (BYTES / bytes).min(MOST_ROWS);
    let drawn = (DRAWN / dims).min(rows);
    for side in sides {
        side.client.execute(include_str!("../../sql/distance_make.sql"), &[&kind, &dims, &rows, &drawn, &others])?;
    }
    Ok((called / bytes).clamp(FEWEST_CALLS, MOST_CALLS))
}

/// Let the sides take turns, each statement once before it counts.
fn block(sides: &mut [Side], operator: &str, calls: i32) -> Result<Block> {
    let statements = [
        include_str!("../../sql/distance_search.sql"),
        include_str!("../../sql/distance_call.sql"),
        include_str!("../../sql/distance_around.sql"),
    ];
    let mut counts = Vec::new();
    for side in &mut *sides {
        let prepared = side.client.query_one(include_str!("../../sql/distance_prepare.sql"), &[&operator, &calls])?;
        counts.push(f64::from(prepared.get::<_, i32>(0)));
        for statement in statements {
            side.turn(statement)?;
        }
    }
    // Of each statement, the times of each side.
    let mut times = statements.map(|_| vec![Vec::with_capacity(TURNS); sides.len()]);
    let count = sides.len();
    for turn in 0..TURNS {
        for (statement, times) in statements.iter().zip(&mut times) {
            for place in 0..count {
                let at = (turn + place) % count;
                if let (Some(side), Some(times)) = (sides.get_mut(at), times.get_mut(at)) {
                    times.push(side.turn(statement)?);
                }
            }
        }
    }
    let [search, call, around] = times.map(|sides| sides.iter().map(|times| median(times)).collect::<Vec<f64>>());
    let call = call.iter().zip(around).zip(counts).map(|((call, around), count)| ((call - around) / count).max(0.1));
    Ok(Block { search, call: call.collect() })
}
