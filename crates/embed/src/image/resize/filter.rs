//! The kernels of Pillow's resampling, and the weights that one axis of a resize takes from them.
//!
//! All of it is in f64 and in the order of Pillow's `Resample.c`, since its integer weights are those numbers rounded.

use std::f64::consts::PI;

use crate::Failure;
use crate::image::limits::buffer;

/// Bits below the point of a weight.
pub const PRECISION: u32 = 32 - 8 - 2;

/// How samples between pixels are made, with Pillow's numbers for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// 0. The pixel that the centre falls into.
    Nearest,
    /// 1. A sinc under a wider sinc, three pixels to each side.
    Lanczos,
    /// 2. A triangle.
    Bilinear,
    /// 3. Keys' cubic with a = -0.5.
    Bicubic,
    /// 4. A mean.
    Box,
    /// 5. A sinc under Hamming's window, one pixel to each side.
    Hamming,
}

impl Filter {
    /// The filter of Pillow's number, which is what `resample` in a configuration means.
    pub fn from_number(number: u64) -> Option<Filter> {
        [Self::Nearest, Self::Lanczos, Self::Bilinear, Self::Bicubic, Self::Box, Self::Hamming]
            .get(usize::try_from(number).ok()?)
            .copied()
    }

    /// The filter of a name, as configurations write it.
    pub fn from_name(name: &str) -> Option<Filter> {
        let filter = match name {
            "nearest" => Self::Nearest,
            "lanczos" => Self::Lanczos,
            "bilinear" => Self::Bilinear,
            "bicubic" => Self::Bicubic,
            "box" => Self::Box,
            "hamming" => Self::Hamming,
            _ => return None,
        };
        Some(filter)
    }

    /// Half the kernel's width, in pixels of the coarser of the two pictures.
    fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
            Self::Bilinear => (1.0 - x.abs()).max(0.0),
            Self::Hamming => hamming(x.abs()),
            Self::Bicubic => bicubic(x.abs()),
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (x * PI).sin() / (x * PI) }
}

fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// The window's factors are single precision in Pillow.
fn hamming(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    if x >= 1.0 {
        return 0.0;
    }
    let turn = x * PI;
    turn.sin() / turn * (f64::from(0.54f32) + f64::from(0.46f32) * turn.cos())
}

/// For each of some outputs along an axis, which inputs it is made of and with what weights.
pub struct Weights {
    /// First input and number of inputs.
    pub spans: Vec<(usize, usize)>,
    /// Weights of [`PRECISION`] bits; `most` places for each output, the unused ones zero.
    pub values: Vec<i32>,
    /// Inputs of the output that has most.
    pub most: usize,
}

impl Weights {
    /// The weights for outputs `first .. first + count` of an axis that goes from `source` to `target` pixels.
    pub fn new(filter: Filter, source: usize, target: usize, first: usize, count: usize) -> Result<Weights, Failure> {
        let scale = source as f64 / target as f64;
        let stretch = scale.max(1.0);
        let support = filter.support() * stretch;
        let inverse = 1.0 / stretch;
        let most = (support.ceil() as usize * 2 + 1).min(source);
        let mut weights = Weights { spans: buffer((0, 0), count)?, values: buffer(0, count * most)?, most };
        let mut exact = buffer(0.0f64, most)?;
        let outputs = weights.spans.iter_mut().zip(weights.values.chunks_exact_mut(most));
        for (output, (span, values)) in (first..).zip(outputs) {
            let centre = (output as f64 + 0.5) * scale;
            // Conversions cut towards zero; below zero they saturate, which is Pillow's next line.
            let start = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(source);
            *span = (start, end.saturating_sub(start));
            let mut sum = 0.0;
            for (at, value) in exact.iter_mut().take(span.1).enumerate() {
                *value = filter.weight(((at + start) as f64 - centre + 0.5) * inverse);
                sum += *value;
            }
            for (value, exact) in values.iter_mut().zip(&exact).take(span.1) {
                let exact = if sum == 0.0 { *exact } else { exact / sum };
                *value = (exact * f64::from(1u32 << PRECISION) + 0.5f64.copysign(exact)) as i32;
            }
        }
        Ok(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Filter; 5] = [Filter::Lanczos, Filter::Bilinear, Filter::Bicubic, Filter::Box, Filter::Hamming];

    #[test]
    fn names_and_numbers_are_pillows() {
        assert_eq!(Filter::from_number(3), Some(Filter::Bicubic));
        assert_eq!(Filter::from_number(0), Some(Filter::Nearest));
        assert_eq!(Filter::from_number(6), None);
        assert_eq!(Filter::from_name("lanczos"), Some(Filter::Lanczos));
        assert_eq!(Filter::from_name("area"), None);
    }

    #[test]
    fn weights_sum_to_one_and_stay_inside() {
        for filter in ALL {
            for (source, target) in [(1, 1), (1, 9), (9, 1), (7, 5), (5, 7), (1000, 3), (3, 1000), (65_535, 1)] {
                let weights = Weights::new(filter, source, target, 0, target).unwrap();
                for ((start, count), values) in weights.spans.iter().zip(weights.values.chunks_exact(weights.most)) {
                    assert!(*count > 0 && start + count <= source, "{filter:?} {source} {target}");
                    let sum: i64 = values.iter().map(|value| i64::from(*value)).sum();
                    assert!((sum - (1 << PRECISION)).unsigned_abs() <= *count as u64, "{filter:?} {source} {target}");
                }
            }
        }
    }

    #[test]
    fn a_part_of_the_outputs_has_the_same_weights() {
        let whole = Weights::new(Filter::Bicubic, 100, 37, 0, 37).unwrap();
        let part = Weights::new(Filter::Bicubic, 100, 37, 5, 10).unwrap();
        assert_eq!(part.spans, whole.spans[5..15]);
        assert_eq!(part.values, whole.values[5 * whole.most..15 * whole.most]);
    }

    #[test]
    fn no_sum_leaves_thirty_two_bits() {
        for filter in ALL {
            for target in 1..200 {
                let weights = Weights::new(filter, 100, target, 0, target).unwrap();
                for values in weights.values.chunks_exact(weights.most) {
                    let size: i64 = values.iter().map(|value| i64::from(value.abs()) * 255).sum();
                    assert!(size < i64::from(i32::MAX) - (1 << PRECISION), "{filter:?} {target}");
                }
            }
        }
    }
}
