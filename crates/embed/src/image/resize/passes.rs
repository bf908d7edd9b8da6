//! The two passes of a resize: one row to fewer or more pixels, and some rows to one. Integer arithmetic, eight bits out.
//!
//! Each pass is one plain loop, compiled twice: for what every processor of the target has, and for AVX2, chosen at run
//! time. Both give the same bytes, since integers have no rounding of their own.

use super::filter::{PRECISION, Weights};
use crate::Failure;
use crate::image::limits::buffer;

/// Samples that are multiplied side by side: eight pixels, so that each place always has the same colour.
const LANES: usize = 24;
/// What is added before the bits below the point are cut off.
const HALF: i32 = 1 << (PRECISION - 1);

/// The weights of the pass along rows, one for each sample instead of each pixel.
pub struct Row {
    /// First sample of each output pixel.
    starts: Vec<usize>,
    /// `places` weights for each output pixel, of which the last ones may be zero.
    values: Vec<i32>,
    /// A multiple of [`LANES`].
    places: usize,
    /// The row with zeros behind it, so that all places can be read.
    padded: Vec<u8>,
}

impl Row {
    /// Spread weights over the three samples of each pixel, for rows of `stride` samples.
    pub fn new(weights: &Weights, stride: usize) -> Result<Row, Failure> {
        let places = (weights.most * 3).next_multiple_of(LANES);
        let mut values = buffer(0, weights.spans.len() * places)?;
        for (target, source) in values.chunks_exact_mut(places).zip(weights.values.chunks_exact(weights.most)) {
            target.as_chunks_mut::<3>().0.iter_mut().zip(source).for_each(|(pixel, value)| pixel.fill(*value));
        }
        let starts = weights.spans.iter().map(|(start, _)| start * 3).collect();
        Ok(Row { starts, values, places, padded: buffer(0, stride + places)? })
    }

    /// Resize one row of samples into `target`, three samples for each output pixel.
    pub fn run(&mut self, row: &[u8], target: &mut [u8]) {
        if let Some(place) = self.padded.get_mut(..row.len()) {
            place.copy_from_slice(row);
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the function is the plain loop and only needs a processor with AVX2, which this one was just
            // found to be.
            unsafe { row_avx2(self, target) };
            return;
        }
        row_plain(self, target);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn row_avx2(row: &Row, target: &mut [u8]) {
    row_plain(row, target);
}

#[inline(always)]
fn row_plain(row: &Row, target: &mut [u8]) {
    let outputs = row.starts.iter().zip(row.values.chunks_exact(row.places));
    for (pixel, (start, values)) in target.as_chunks_mut::<3>().0.iter_mut().zip(outputs) {
        let Some(samples) = row.padded.get(*start..start + row.places) else { continue };
        let mut sums = [0i32; LANES];
        for (samples, values) in samples.as_chunks::<LANES>().0.iter().zip(values.as_chunks::<LANES>().0) {
            for ((sum, sample), value) in sums.iter_mut().zip(samples).zip(values) {
                *sum = sum.wrapping_add(i32::from(*sample).wrapping_mul(*value));
            }
        }
        let mut colours = [HALF; 3];
        for group in sums.as_chunks::<3>().0 {
            for (colour, sum) in colours.iter_mut().zip(group) {
                *colour = colour.wrapping_add(*sum);
            }
        }
        *pixel = [clip(colours[0]), clip(colours[1]), clip(colours[2])];
    }
}

/// Add up `rows` with their weights into `target`; `sums` is as long as a row.
pub fn column<'a>(rows: impl Iterator<Item = (&'a [u8], i32)>, sums: &mut [i32], target: &mut [u8]) {
    sums.fill(HALF);
    let wide = wide();
    for (row, value) in rows {
        add(row, value, sums, wide);
    }
    target.iter_mut().zip(sums).for_each(|(sample, sum)| *sample = clip(*sum));
}

#[cfg(target_arch = "x86_64")]
fn wide() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
fn wide() -> bool {
    false
}

fn add(row: &[u8], value: i32, sums: &mut [i32], wide: bool) {
    #[cfg(target_arch = "x86_64")]
    if wide {
        // SAFETY: the function is the plain loop and only needs a processor with AVX2; `wide` was asked of this one.
        unsafe { add_avx2(row, value, sums) };
        return;
    }
    let _ = wide;
    add_plain(row, value, sums);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn add_avx2(row: &[u8], value: i32, sums: &mut [i32]) {
    add_plain(row, value, sums);
}

#[inline(always)]
fn add_plain(row: &[u8], value: i32, sums: &mut [i32]) {
    for (sum, sample) in sums.iter_mut().zip(row) {
        *sum = sum.wrapping_add(i32::from(*sample).wrapping_mul(value));
    }
}

/// Cut the bits below the point off, and what is below 0 or above 255.
#[inline(always)]
fn clip(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::resize::filter::Filter;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn the_wide_loops_give_the_bytes_of_the_plain_ones() {
        for (source, target) in [(1, 5), (50, 7), (7, 50), (300, 224), (1000, 3)] {
            let weights = Weights::new(Filter::Lanczos, source, target, 0, target).unwrap();
            let pixels = noise(source * 3);
            let mut row = Row::new(&weights, pixels.len()).unwrap();
            let (mut wide, mut plain) = (vec![0; target * 3], vec![0; target * 3]);
            row.run(&pixels, &mut wide);
            row_plain(&row, &mut plain);
            assert_eq!(wide, plain, "{source} {target}");
            let (mut wide, mut plain) = (vec![HALF; pixels.len()], vec![HALF; pixels.len()]);
            for value in [-500_000, 3_000_000, 4_194_304] {
                add(&pixels, value, &mut wide, super::wide());
                add_plain(&pixels, value, &mut plain);
            }
            assert_eq!(wide, plain, "{source}");
        }
    }
}
