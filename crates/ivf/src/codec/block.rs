//! The 1-bit plane of a block: the top bits of up to 32 rows, turned so that one instruction looks up many members.

use super::project::Codec;
use super::row::Head;
use super::space::Coding;

/// The most rows of a block.
pub const BLOCK_ROWS: usize = vw_vector::code::LANES;

/// The bytes of a block before the planes: the squared norms and the factors of its members.
pub(super) const HEAD: usize = 8 * BLOCK_ROWS;

/// The bytes of planes for each four dimensions.
const PLANE: usize = BLOCK_ROWS / 2;

impl Codec {
    /// Append the block of up to 32 rows: `block_bytes()` bytes. Of more rows, those behind are left out; a row that is
    /// not as long as rows are becomes one that may be anywhere.
    pub fn block(&self, rows: &[&[u8]], out: &mut Vec<u8>) {
        let Coding::Bits(bits) = self.coding else { return };
        let start = out.len();
        out.resize(start + self.block_bytes(), 0);
        let Some((head, planes)) = out.get_mut(start..).and_then(|block| block.split_first_chunk_mut::<HEAD>()) else {
            return;
        };
        let (norms, factors) = head.split_at_mut(HEAD / 2);
        let slots = norms.as_chunks_mut::<4>().0.iter_mut().zip(factors.as_chunks_mut::<4>().0);
        let groups = planes.len() / (2 * PLANE);
        // All members' signs of eight dimensions, and then those of the next.
        let mut signs = vec![[0; BLOCK_ROWS]; groups];
        for ((lane, row), (norm, factor)) in rows.iter().enumerate().zip(slots) {
            match Head::read(row).filter(|_| row.len() == self.row_bytes()) {
                Some((found, code)) => {
                    (*norm, *factor) = (found.norm_sq.to_le_bytes(), found.f1.to_le_bytes());
                    read(code, bits, lane, &mut signs);
                }
                None => *norm = f32::NAN.to_le_bytes(),
            }
        }
        place(&signs, planes);
    }
}

/// Write the signs of a code to the member's place among all members'.
fn read(code: &[u8], bits: u8, lane: usize, signs: &mut [[u8; BLOCK_ROWS]]) {
    match bits {
        1 => turn::<1>(code, lane, signs),
        2 => turn::<2>(code, lane, signs),
        4 => turn::<4>(code, lane, signs),
        _ => turn::<8>(code, lane, signs),
    }
}

/// Codes that are read at once: compilers make vector code of so many.
const AT_ONCE: usize = 16;

/// The same of a code of `BITS` bits a dimension.
fn turn<const BITS: usize>(code: &[u8], lane: usize, signs: &mut [[u8; BLOCK_ROWS]]) {
    let (eights, _) = code.as_chunks::<BITS>();
    let write = |tops: &[u8], to: &mut [[u8; BLOCK_ROWS]]| {
        to.iter_mut().zip(tops).for_each(|(all, top)| all.iter_mut().skip(lane).take(1).for_each(|to| *to = *top));
    };
    let (many, few) = eights.as_chunks::<AT_ONCE>();
    let (to_many, to_few) = signs.split_at_mut((many.len() * AT_ONCE).min(signs.len()));
    for (eights, to) in many.iter().zip(to_many.chunks_mut(AT_ONCE)) {
        write(&eights.map(tops), to);
    }
    few.iter().zip(to_few.chunks_mut(1)).for_each(|(bytes, to)| write(&[tops(*bytes)], to));
}

/// Write the signs of all members to the planes: for each eight dimensions two planes, of a nibble of each member.
fn place(signs: &[[u8; BLOCK_ROWS]], planes: &mut [u8]) {
    for (signs, pair) in signs.iter().zip(planes.as_chunks_mut::<{ 2 * PLANE }>().0) {
        let (low, high) = signs.split_at(PLANE);
        let (first, second) = pair.split_at_mut(PLANE);
        for (((first, second), low), high) in first.iter_mut().zip(second).zip(low).zip(high) {
            (*first, *second) = (low & 15 | high << 4, low >> 4 | high & 0xf0);
        }
    }
}

/// The top bits of eight numbers of `BITS` bits, which are in as many bytes.
#[inline(always)]
fn tops<const BITS: usize>(bytes: [u8; BITS]) -> u8 {
    let word = |at: usize| bytes.get(at).copied().map_or(0, u32::from) << (8 * (at % 4));
    let low = word(0) | word(1) | word(2) | word(3);
    match BITS {
        1 => low as u8,
        2 => {
            let ones = (low >> 1) & 0x5555;
            let twos = (ones | ones >> 1) & 0x3333;
            let fours = (twos | twos >> 2) & 0x0f0f;
            (fours | fours >> 4) as u8
        }
        4 => {
            let ones = (low >> 3) & 0x1111_1111;
            let twos = (ones | ones >> 3) & 0x0303_0303;
            let fours = (twos | twos >> 6) & 0x000f_000f;
            (fours | fours >> 12) as u8
        }
        _ => {
            let high = word(4) | word(5) | word(6) | word(7);
            let four = |word: u32| ((word >> 7) & 0x0101_0101).wrapping_mul(0x0102_0408) >> 24;
            (four(low) | four(high) << 4) as u8
        }
    }
}
