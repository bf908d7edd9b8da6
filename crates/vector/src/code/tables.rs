//! The tables of a query, written so that compilers make vector code of it.

/// Adding this to a number far smaller rounds it to a whole one, which the low bits then hold.
const WHOLE: f32 = 12_582_912.0;

/// The greatest entry.
const MOST: f32 = 255.0;

/// Make the table of each four floats.
#[inline(always)]
pub(super) fn tables(floats: &[f32], scale: f32, tables: &mut [u8]) {
    for (four, table) in floats.as_chunks::<4>().0.iter().zip(tables.as_chunks_mut::<16>().0) {
        // Less the negative ones, a bit that is set adds the positive part, and one that is not, the negative part.
        let set = four.map(|float| if float > 0.0 { float * scale } else { 0.0 });
        let not = four.map(|float| if float < 0.0 { -float * scale } else { 0.0 });
        let low = [not[0] + not[1], set[0] + not[1], not[0] + set[1], set[0] + set[1]];
        let high = [not[2] + not[3], set[2] + not[3], not[2] + set[3], set[2] + set[3]];
        for (entries, high) in table.as_chunks_mut::<4>().0.iter_mut().zip(high) {
            for (entry, low) in entries.iter_mut().zip(low) {
                let sum = low + high;
                let sum = if sum < MOST { sum } else { MOST };
                *entry = (sum + WHOLE).to_bits() as u8;
            }
        }
    }
}
