//! Rounding of values to codes, written so that compilers make vector code of it.
//!
//! A value's sign is the code's top bit and its magnitude is rounded to the nearest of `0.5, 1.5, …, greatest` by
//! cutting off. No search for a good scale: that is the caller's.

/// How values become codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rounding {
    /// The number of steps in one.
    pub scale: f32,
    /// The steps on each side of zero, half as many as there are codes: 1, 2, 8 or 128.
    pub steps: u8,
}

/// Adding this to a number far smaller rounds it to a whole one.
const WHOLE: f32 = 12_582_912.0;

/// Partial sums.
const PARTIAL: usize = 32;

/// Cut a magnitude off to whole steps.
#[inline(always)]
fn cut(magnitude: f32, scale: f32, last: f32) -> f32 {
    let steps = magnitude * scale - 0.5;
    let steps = if steps < last { steps } else { last };
    (steps + WHOLE) - WHOLE
}

/// Give the product of values and code, and the squared norm of the code, both as distances from the code's centre.
#[inline(always)]
pub(super) fn measure(values: &[f32], rounding: Rounding) -> (f32, f32) {
    let last = f32::from(rounding.steps) - 1.0;
    let mut products = [0.0; PARTIAL];
    let mut squares = [0.0; PARTIAL];
    let mut add = |values: &[f32]| {
        for ((value, product), square) in values.iter().zip(&mut products).zip(&mut squares) {
            let magnitude = value.abs();
            let level = cut(magnitude, rounding.scale, last) + 0.5;
            *product += magnitude * level;
            *square += level * level;
        }
    };
    let (chunks, rest) = values.as_chunks::<PARTIAL>();
    chunks.iter().for_each(|chunk| add(chunk));
    add(rest);
    (total(products), total(squares))
}

/// Add partial sums pairwise, which vector registers do well.
#[inline(always)]
fn total(partial: [f32; PARTIAL]) -> f32 {
    let (pairs, _) = partial.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for pair in pairs {
        sums.iter_mut().zip(pair).for_each(|(sum, value)| *sum += value);
    }
    sums.iter().sum()
}

/// Round each value to a code.
#[inline(always)]
pub(super) fn round(values: &[f32], rounding: Rounding, codes: &mut [u8]) {
    let steps = i32::from(rounding.steps);
    let last = f32::from(rounding.steps) - 1.0;
    for (value, code) in values.iter().zip(codes) {
        // The low bits of the sum are the whole number, so no conversion is needed.
        let cut = (cut(value.abs(), rounding.scale, last) + WHOLE).to_bits() as i32 - WHOLE.to_bits() as i32;
        let code_of = if *value >= 0.0 { steps + cut } else { steps - 1 - cut };
        *code = code_of as u8;
    }
}
