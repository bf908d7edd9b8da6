//! The level of every CPU: the definitions in plain Rust, which the other levels are tested against.

use super::{Codes, LANES, bounds, checksum, fours, hadamard, panel, products, rounding, tables};

pub(super) static LEVEL: Codes = Codes {
    name: "scalar",
    scan,
    bounds: bounds::bounds,
    dot1: dot::<1>,
    dot2: dot::<2>,
    dot4: dot::<4>,
    dot8: dot::<8>,
    fours: fours::fours,
    products: products::products,
    eight: panel::eight::<4, false>,
    one: panel::one::<false>,
    measure: rounding::measure,
    round: rounding::round,
    tables: tables::tables,
    hadamard: hadamard::hadamard,
    checksum: checksum::checksum,
};

/// Sum the table entries that the nibbles of each member choose.
pub(super) fn scan(tables: &[u8], planes: &[u8]) -> [u32; LANES] {
    let mut sums = [0; LANES];
    let (low, high) = sums.split_at_mut(LANES / 2);
    for (table, plane) in tables.as_chunks::<16>().0.iter().zip(planes.as_chunks::<16>().0) {
        for ((byte, low), high) in plane.iter().zip(low.iter_mut()).zip(high.iter_mut()) {
            *low += entry(table, byte & 15);
            *high += entry(table, byte >> 4);
        }
    }
    sums
}

/// The table's entry for a nibble.
#[inline(always)]
fn entry(table: &[u8; 16], nibble: u8) -> u32 {
    table.get(usize::from(nibble)).copied().map_or(0, u32::from)
}

/// Sum the products of the `BITS`-bit numbers of a code with floats.
pub(super) fn dot<const BITS: usize>(code: &[u8], floats: &[f32]) -> f32 {
    let mask = u8::MAX >> (8 - BITS);
    let mut partial = [0.0; 8];
    for (bytes, floats) in code.chunks(BITS).zip(floats.chunks(8)) {
        let numbers = bytes.iter().flat_map(|byte| (0..8 / BITS).map(move |at| (byte >> (at * BITS)) & mask));
        for ((sum, number), float) in partial.iter_mut().zip(numbers).zip(floats) {
            *sum += f32::from(number) * float;
        }
    }
    partial.iter().sum()
}
