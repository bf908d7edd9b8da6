//! A projected vector to its row and back: extended RaBitQ.
//!
//! The best code of a vector is found by trying scales: the code that is nearest in direction to r comes of cutting
//! `t * |r_i|` off for some t (arXiv 2409.09913, section 3). The paper goes through all t; a few around the one that
//! suits a normal distribution, and a few around the best of those, come within 0.2 % of that.

use vw_vector::code::{Rounding, codes};
use vw_vector::kernel::kernels;

use super::project::Codec;
use super::space::{Coding, HEAD};

/// The greatest squared norm that codes are made of, and the greatest of queries: what is multiplied stays finite.
pub(super) const MAX_NORM_SQ: f32 = 1e30;
/// The least of either, but for zero.
pub(super) const MIN_NORM_SQ: f32 = 1e-30;

/// The head of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Head {
    pub norm_sq: f32,
    pub f1: f32,
    pub f2: f32,
}

impl Head {
    /// Read the head of a row, if it is long enough to have one.
    pub(super) fn read(row: &[u8]) -> Option<(Self, &[u8])> {
        let (head, code) = row.split_first_chunk::<HEAD>()?;
        let [a, b, c] = head.as_chunks::<4>().0 else { return None };
        let float = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        Some((Self { norm_sq: float(a), f1: float(b), f2: float(c) }, code))
    }

    fn write(self, row: &mut Vec<u8>) {
        [self.norm_sq, self.f1, self.f2].iter().for_each(|float| row.extend_from_slice(&float.to_le_bytes()));
    }
}

impl Codec {
    /// Append the row of a projected vector: `row_bytes()` bytes.
    pub fn encode(&self, projected: &[f32], row: &mut Vec<u8>) {
        match self.coding {
            Coding::None => {}
            Coding::Raw => encode_raw(projected, self.width, row),
            Coding::Bits(bits) => encode_bits(projected, self.width, bits, row),
        }
    }

    /// Write what the row says of the projected vector to `out`, in place of what was there; an estimate without bias.
    /// False, and nothing written, for rows that have no place, are not as long as rows are, or are empty.
    pub fn decode(&self, row: &[u8], out: &mut Vec<f32>) -> bool {
        out.clear();
        if row.len() != self.row_bytes() {
            return false;
        }
        let decoded = match self.coding {
            Coding::None => false,
            Coding::Raw => decode_raw(row, out),
            Coding::Bits(bits) => decode_bits(row, bits, out),
        };
        if !decoded {
            out.clear();
        }
        decoded
    }
}

/// Append the floats of a vector; of one with other dimensions, as many that are no numbers.
pub(super) fn encode_raw(projected: &[f32], width: usize, row: &mut Vec<u8>) {
    if projected.len() == width {
        row.extend(projected.iter().flat_map(|value| value.to_le_bytes()));
    } else {
        row.extend((0..width).flat_map(|_| f32::NAN.to_le_bytes()));
    }
}

/// Read the floats of a row.
pub(super) fn decode_raw(row: &[u8], out: &mut Vec<f32>) -> bool {
    out.extend(row.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    out.iter().all(|value| value.is_finite())
}

/// Append the head and the code of a projected vector.
pub(super) fn encode_bits(projected: &[f32], width: usize, bits: u8, row: &mut Vec<u8>) {
    let norm_sq = (kernels().f32_inner_product)(projected, projected);
    let start = row.len();
    row.resize(start + Coding::Bits(bits).row_bytes(width), 0);
    let Some((head, code)) = row.get_mut(start..).and_then(|row| row.split_first_chunk_mut::<HEAD>()) else { return };
    let last = !projected.is_empty() && projected.iter().all(|value| *value == f32::INFINITY);
    let zero = norm_sq == 0.0 && projected.iter().all(|value| *value == 0.0);
    let fit = projected.len() == width && norm_sq > MIN_NORM_SQ && norm_sq <= MAX_NORM_SQ;
    let found = if last {
        Head { norm_sq: f32::INFINITY, f1: 0.0, f2: 0.0 }
    } else if zero && projected.len() == width {
        Head { norm_sq: 0.0, f1: 0.0, f2: 0.0 }
    } else if fit {
        let tried = best(projected, norm_sq, bits);
        pack(projected, tried.rounding, bits, code);
        factors(projected, norm_sq, &tried)
    } else {
        Head { norm_sq: f32::NAN, f1: 0.0, f2: 0.0 }
    };
    let mut bytes = Vec::with_capacity(HEAD);
    found.write(&mut bytes);
    head.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
}

/// A way of rounding, and what it gives: the product with the values and the squared norm.
struct Tried {
    rounding: Rounding,
    product: f32,
    square: f32,
}

impl Tried {
    /// Try to round values.
    fn new(values: &[f32], rounding: Rounding) -> Self {
        let (product, square) = (codes().measure)(values, rounding);
        Self { rounding, product, square }
    }

    /// The squared cosine between values and code, but for the values' norm.
    fn cosine_sq(&self) -> f32 {
        self.product * self.product / self.square
    }
}

/// The step of the best uniform rounding of a normal distribution to so many codes (J. Max, *Quantizing for Minimum
/// Distortion*, 1960), and the ratios of scales to try around it, then around the best of those, and so on.
fn steps(bits: u8) -> (f32, &'static [&'static [f32]]) {
    match bits {
        1 => (1.0, &[]),
        2 => (0.9957, &[&[0.7, 0.82, 1.2, 1.4], &[0.94, 1.06], &[0.97, 1.03]]),
        4 => (0.3352, &[&[0.6, 0.75, 0.88, 1.13, 1.3], &[0.94, 1.06], &[0.97, 1.03]]),
        _ => (0.0308, &[&[0.6, 0.75, 0.88, 1.13, 1.3], &[0.94, 1.06]]),
    }
}

/// Find the scale at which the code is near to the best in direction.
fn best(values: &[f32], norm_sq: f32, bits: u8) -> Tried {
    let (step, rounds) = steps(bits);
    let deviation = (norm_sq / values.len() as f32).sqrt();
    let at = |scale| Tried::new(values, Rounding { scale, steps: 1 << (bits - 1) });
    let mut best = at(1.0 / (step * deviation));
    for ratios in rounds {
        let around = best.rounding.scale;
        for ratio in *ratios {
            let tried = at(around * ratio);
            if tried.cosine_sq() > best.cosine_sq() {
                best = tried;
            }
        }
    }
    best
}

/// The head of a vector with this code.
fn factors(values: &[f32], norm_sq: f32, tried: &Tried) -> Head {
    // With one step a side, the code is half a step from the centre everywhere: the product is half the sum.
    let halves = Tried::new(values, Rounding { scale: 0.0, steps: 1 });
    Head { norm_sq, f1: norm_sq / (2.0 * halves.product), f2: norm_sq / tried.product }
}

/// Round values and pack the codes.
fn pack(values: &[f32], rounding: Rounding, bits: u8, code: &mut [u8]) {
    let round = codes().round;
    let mut numbers = [0; 64];
    let bytes = numbers.len() * usize::from(bits) / 8;
    for (values, code) in values.chunks(numbers.len()).zip(code.chunks_mut(bytes)) {
        round(values, rounding, &mut numbers);
        for (eight, packed) in numbers.as_chunks::<8>().0.iter().zip(code.chunks_mut(usize::from(bits))) {
            let together = pack_eight(u64::from_le_bytes(*eight), bits);
            packed.iter_mut().zip(together.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
    }
}

/// Pack eight numbers, one in each byte, to so many bits each.
fn pack_eight(numbers: u64, bits: u8) -> u64 {
    match bits {
        1 => numbers.wrapping_mul(0x0102_0408_1020_4080) >> 56,
        2 => {
            let pairs = (numbers | numbers >> 6) & 0x000f_000f_000f_000f;
            let fours = (pairs | pairs >> 12) & 0x0000_00ff_0000_00ff;
            (fours | fours >> 24) & 0xffff
        }
        4 => {
            let pairs = (numbers | numbers >> 4) & 0x00ff_00ff_00ff_00ff;
            let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
            (fours | fours >> 16) & 0xffff_ffff
        }
        _ => numbers,
    }
}

/// Read what a row says of its vector.
pub(super) fn decode_bits(row: &[u8], bits: u8, out: &mut Vec<f32>) -> bool {
    let Some((head, code)) = Head::read(row) else { return false };
    if !head.norm_sq.is_finite() {
        return false;
    }
    let mask = u8::MAX >> (8 - bits);
    let centre = f32::from(mask) / 2.0;
    let value = |number: u8| (f32::from(number & mask) - centre) * head.f2;
    match bits {
        // What most indexes have, and packing a list decodes all of it.
        4 => {
            out.resize(2 * code.len(), 0.0);
            (codes().fours)(code, head.f2, out);
        }
        _ => out.extend(code.iter().flat_map(|byte| (0..8 / bits).map(move |at| value(*byte >> (at * bits))))),
    }
    head.f2.abs() <= MAX_NORM_SQ
}
