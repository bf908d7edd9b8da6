//! From coefficients to samples: the inverse transform, to the bit as libjpeg's accurate integer method does it.
//!
//! C. Loeffler, A. Ligtenberg and G. Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications", ICASSP 1989,
//! with constants of 13 bits and 2 more bits kept between the passes. Eight columns are worked on side by side. As in
//! libjpeg-turbo's vector code, products with the quantiser wrap at 16 bits, and the first pass is cut to 16 bits.

#[cfg(target_arch = "x86_64")]
mod avx2;

use super::scan::Block;

const BITS: u32 = 13;
const KEPT: u32 = 2;

/// One number for each column.
type Lanes = [i32; 8];

#[inline(always)]
fn add(mut left: Lanes, right: Lanes) -> Lanes {
    for (lane, other) in left.iter_mut().zip(right) {
        *lane = lane.wrapping_add(other);
    }
    left
}

#[inline(always)]
fn sub(mut left: Lanes, right: Lanes) -> Lanes {
    for (lane, other) in left.iter_mut().zip(right) {
        *lane = lane.wrapping_sub(other);
    }
    left
}

#[inline(always)]
fn times(mut lanes: Lanes, factor: i32) -> Lanes {
    for lane in &mut lanes {
        *lane = lane.wrapping_mul(factor);
    }
    lanes
}

/// Round `cut` bits away.
#[inline(always)]
fn round(mut lanes: Lanes, cut: u32) -> Lanes {
    for lane in &mut lanes {
        *lane = lane.wrapping_add(1 << (cut - 1)) >> cut;
    }
    lanes
}

/// One pass over eight rows of lanes; `cut` bits are rounded away.
#[inline(always)]
fn pass(rows: [Lanes; 8], cut: u32) -> [Lanes; 8] {
    let shared = times(add(rows[2], rows[6]), 4433);
    let low = add(shared, times(rows[6], -15137));
    let high = add(shared, times(rows[2], 6270));
    let sum = times(add(rows[0], rows[4]), 1 << BITS);
    let difference = times(sub(rows[0], rows[4]), 1 << BITS);
    let even = [add(sum, high), add(difference, low), sub(difference, low), sub(sum, high)];
    let all = times(add(add(rows[7], rows[3]), add(rows[5], rows[1])), 9633);
    let outer = times(add(rows[7], rows[1]), -7373);
    let inner = times(add(rows[5], rows[3]), -20995);
    let left = add(times(add(rows[7], rows[3]), -16069), all);
    let right = add(times(add(rows[5], rows[1]), -3196), all);
    let odd = [
        add(times(rows[1], 12299), add(outer, right)),
        add(times(rows[3], 25172), add(inner, left)),
        add(times(rows[5], 16819), add(inner, right)),
        add(times(rows[7], 2446), add(outer, left)),
    ];
    let mut result = [[0; 8]; 8];
    let (upper, lower) = result.split_at_mut(4);
    for (((above, below), even), odd) in upper.iter_mut().zip(lower.iter_mut().rev()).zip(even).zip(odd) {
        *above = round(add(even, odd), cut);
        *below = round(sub(even, odd), cut);
    }
    result
}

#[inline(always)]
fn transpose(rows: [Lanes; 8]) -> [Lanes; 8] {
    let mut columns = [[0; 8]; 8];
    for (place, row) in rows.iter().enumerate() {
        for (column, value) in columns.iter_mut().zip(row) {
            if let Some(target) = column.get_mut(place) {
                *target = *value;
            }
        }
    }
    columns
}

/// Turn a row of blocks into eight rows of samples, `stride` apart.
pub fn row(blocks: &[Block], quantiser: &[u16; 64], samples: &mut [u8], stride: usize) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the function only needs a processor with AVX2, which this one was just found to be.
        unsafe { avx2::row(blocks, quantiser, samples, stride) };
        return;
    }
    row_plain(blocks, quantiser, samples, stride);
}

fn row_plain(blocks: &[Block], quantiser: &[u16; 64], samples: &mut [u8], stride: usize) {
    for (at, block) in blocks.iter().enumerate() {
        let result = transform(block, quantiser);
        for (target, row) in samples.chunks_mut(stride).zip(result) {
            if let Some(target) = target.get_mut(8 * at..).and_then(|tail| tail.first_chunk_mut::<8>()) {
                *target = row;
            }
        }
    }
}

#[inline(always)]
fn transform(block: &Block, quantiser: &[u16; 64]) -> [[u8; 8]; 8] {
    // Or-ing is a few instructions; stopping at the first is a branch for each.
    if block.iter().skip(1).fold(0, |all, coefficient| all | coefficient) == 0 {
        let mean = i32::from(block[0].wrapping_mul(quantiser[0].cast_signed()));
        return [[sample((mean.wrapping_mul(1 << KEPT).clamp(-32768, 32767) + 16) >> 5); 8]; 8];
    }
    let mut rows = [[0i32; 8]; 8];
    for ((value, coefficient), factor) in rows.as_flattened_mut().iter_mut().zip(block).zip(quantiser) {
        *value = i32::from(coefficient.wrapping_mul(factor.cast_signed()));
    }
    let mut columns = pass(rows, BITS - KEPT);
    for lane in columns.as_flattened_mut() {
        *lane = (*lane).clamp(-32768, 32767);
    }
    let rows = transpose(pass(transpose(columns), BITS + KEPT + 3));
    let mut result = [[0u8; 8]; 8];
    for (target, value) in result.as_flattened_mut().iter_mut().zip(rows.as_flattened()) {
        *target = sample(*value);
    }
    result
}

#[inline(always)]
fn sample(value: i32) -> u8 {
    (value + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32) -> Block {
        let mut state = seed;
        std::array::from_fn(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 20) as i16 - 2048) / (1 + at as i16)
        })
    }

    /// The definition, in floating point.
    fn exact(block: &Block) -> [f64; 64] {
        let basis = |x: usize, u: usize| {
            let scale = if u == 0 { 0.5f64.sqrt() } else { 1.0 };
            scale * ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos()
        };
        std::array::from_fn(|at| {
            let (y, x) = (at / 8, at % 8);
            let terms = (0..64).map(|k| f64::from(block[k]) * basis(x, k % 8) * basis(y, k / 8));
            (terms.sum::<f64>() / 4.0 + 128.0).clamp(0.0, 255.0)
        })
    }

    #[test]
    fn samples_are_within_one_of_the_definition() {
        for seed in 0..200 {
            let mut block = noise(seed);
            if seed % 5 == 0 {
                block[1..].fill(0);
            }
            let result = transform(&block, &[1; 64]);
            for (ours, exact) in result.iter().flatten().zip(exact(&block)) {
                assert!((f64::from(*ours) - exact).abs() < 1.0, "{seed}: {ours} {exact}");
            }
        }
    }

    /// Blocks of all kinds: as photographs have them, of a mean alone, of one coefficient, and of numbers that wrap.
    fn blocks() -> Vec<Block> {
        let mut blocks: Vec<Block> = (0..500).map(noise).collect();
        for value in [i16::MIN, -2000, -1, 0, 1, 777, i16::MAX] {
            blocks.extend((0..64).map(|place| std::array::from_fn(|at| if at == place { value } else { 0 })));
            blocks.push([value; 64]);
            blocks.push(std::array::from_fn(|at| if at % 2 == 0 { value } else { !value }));
        }
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16
        };
        blocks.extend((0..500).map(|_| std::array::from_fn(|_| next())));
        blocks
    }

    #[test]
    fn the_fast_way_gives_the_samples_of_the_plain_one() {
        let blocks = blocks();
        for quantiser in [[1; 64], std::array::from_fn(|at| 1 + at as u16), [255; 64], [u16::MAX; 64]] {
            // A stride that is longer than the blocks leaves samples behind them as they are.
            let stride = 8 * blocks.len() + 8;
            let (mut wide, mut plain) = (vec![7; 8 * stride], vec![7; 8 * stride]);
            row(&blocks, &quantiser, &mut wide, stride);
            row_plain(&blocks, &quantiser, &mut plain, stride);
            assert!(wide == plain, "{quantiser:?}");
        }
    }

    #[test]
    fn the_shortcut_gives_the_same() {
        for mean in [-32768, -2000, -1, 0, 1, 5, 777, 2000, 32767] {
            let mut block = [0; 64];
            block[0] = mean;
            let short = transform(&block, &[1; 64]);
            // A last coefficient that adds nothing takes the long way.
            block[63] = 1;
            let mut quantiser = [1; 64];
            quantiser[63] = 0;
            assert_eq!(transform(&block, &quantiser), short, "{mean}");
        }
    }

    #[test]
    fn no_coefficients_overflow() {
        for value in [i16::MIN, i16::MAX] {
            transform(&[value; 64], &[u16::MAX; 64]);
            transform(&[value; 64], &[1; 64]);
            transform(&std::array::from_fn(|at| if at % 2 == 0 { value } else { !value }), &[255; 64]);
        }
    }
}
