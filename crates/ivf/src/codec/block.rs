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
        for ((lane, row), (norm, factor)) in rows.iter().take(BLOCK_ROWS).enumerate().zip(slots) {
            match Head::read(row).filter(|_| row.len() == self.row_bytes()) {
                Some((found, code)) => {
                    (*norm, *factor) = (found.norm_sq.to_le_bytes(), found.f1.to_le_bytes());
                    place(code, bits, lane, planes);
                }
                None => *norm = f32::NAN.to_le_bytes(),
            }
        }
    }
}

/// Put the signs of a code into the member's nibbles of all planes.
fn place(code: &[u8], bits: u8, lane: usize, planes: &mut [u8]) {
    let shift = if lane < PLANE { 0 } else { 4 };
    let signs = code.chunks_exact(usize::from(bits)).map(|bytes| signs(bytes, bits));
    for (signs, pair) in signs.zip(planes.as_chunks_mut::<{ 2 * PLANE }>().0) {
        let (first, second) = pair.split_at_mut(PLANE);
        for (plane, nibble) in [(first, signs & 15), (second, signs >> 4)] {
            plane.iter_mut().skip(lane % PLANE).take(1).for_each(|byte| *byte |= nibble << shift);
        }
    }
}

/// The top bits of eight numbers of `bits` bits, which are in as many bytes.
fn signs(bytes: &[u8], bits: u8) -> u8 {
    let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    let tops = match bits {
        1 => word,
        2 => {
            let ones = (word >> 1) & 0x5555;
            let twos = (ones | ones >> 1) & 0x3333;
            let fours = (twos | twos >> 2) & 0x0f0f;
            fours | fours >> 4
        }
        4 => {
            let ones = (word >> 3) & 0x1111_1111;
            let twos = (ones | ones >> 3) & 0x0303_0303;
            let fours = (twos | twos >> 6) & 0x000f_000f;
            fours | fours >> 12
        }
        _ => ((word >> 7) & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56,
    };
    tops as u8
}
