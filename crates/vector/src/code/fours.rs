//! Codes of four bits a dimension as floats, written so that compilers make vector code of it.

/// The middle of the numbers that four bits hold.
const CENTRE: f32 = 7.5;

/// Bytes that are taken at once.
const BYTES: usize = 32;

/// Write the numbers of a code, less the middle of what they can be and times `scale`, as far as there is room.
#[inline(always)]
pub(super) fn fours(code: &[u8], scale: f32, to: &mut [f32]) {
    let value = |number: u8| (f32::from(number) - CENTRE) * scale;
    let (chunks, rest) = code.as_chunks::<BYTES>();
    let (rooms, _) = to.as_chunks_mut::<{ 2 * BYTES }>();
    let whole = chunks.len().min(rooms.len());
    for (bytes, room) in chunks.iter().zip(rooms) {
        // Interleaved as bytes and only then made floats, which are four times as long.
        let mut numbers = [0; 2 * BYTES];
        for (pair, byte) in numbers.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
            *pair = [byte & 15, byte >> 4];
        }
        *room = numbers.map(value);
    }
    let bytes = chunks.get(whole..).unwrap_or_default().as_flattened().iter().chain(rest);
    let numbers = bytes.flat_map(|byte| [byte & 15, byte >> 4]);
    let left = to.get_mut(2 * BYTES * whole..).unwrap_or_default();
    left.iter_mut().zip(numbers).for_each(|(to, number)| *to = value(number));
}
