//! The resize against a naive twin, which follows the definition pixel by pixel in 64 bits.

use super::filter::{PRECISION, Weights};
use super::*;

const FILTERS: [Filter; 5] = [Filter::Lanczos, Filter::Bilinear, Filter::Bicubic, Filter::Box, Filter::Hamming];

fn noise(width: u32, height: u32) -> Picture {
    let mut state = width * 31 + height;
    let samples = (0..width * height * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Extremes make what lies beyond 0 and 255 likely.
        match state >> 30 {
            0 => 0,
            1 => 255,
            _ => (state >> 22) as u8,
        }
    });
    Picture::new(width, height, false, samples.collect()).unwrap()
}

/// One output of one axis: the sum over `sample(input)`, rounded to eight bits.
fn output(weights: &Weights, at: usize, sample: impl Fn(usize) -> u8) -> u8 {
    let (start, count) = weights.spans[at];
    let values = &weights.values[at * weights.most..];
    let sum: i64 = (0..count).map(|k| i64::from(sample(start + k)) * i64::from(values[k])).sum();
    ((sum + (1 << (PRECISION - 1))) >> PRECISION).clamp(0, 255) as u8
}

/// Rows become columns.
fn transposed(picture: &Picture) -> Picture {
    crate::image::orient::Orientation::Transpose.apply(picture.clone()).unwrap()
}

fn naive(picture: &Picture, width: u32, height: u32, filter: Filter) -> Picture {
    if !columns_first(picture, width as usize, height as usize) {
        return naive_rows_first(picture, width, height, filter);
    }
    transposed(&naive_rows_first(&transposed(picture), height, width, filter))
}

fn naive_rows_first(picture: &Picture, width: u32, height: u32, filter: Filter) -> Picture {
    let (old_width, old_height) = (picture.width() as usize, picture.height() as usize);
    let across = Weights::new(filter, old_width, width as usize, 0, width as usize).unwrap();
    let down = Weights::new(filter, old_height, height as usize, 0, height as usize).unwrap();
    let mut middle = vec![0u8; width as usize * old_height * 3];
    for (place, target) in middle.iter_mut().enumerate() {
        let (y, x, channel) = (place / 3 / width as usize, place / 3 % width as usize, place % 3);
        *target = output(&across, x, |x| picture.samples()[(y * old_width + x) * 3 + channel]);
    }
    let mut samples = vec![0u8; width as usize * height as usize * 3];
    for (place, target) in samples.iter_mut().enumerate() {
        let (y, column) = (place / 3 / width as usize, place % (width as usize * 3));
        *target = output(&down, y, |y| middle[y * width as usize * 3 + column]);
    }
    Picture::new(width, height, false, samples).unwrap()
}

#[test]
fn the_two_passes_are_the_naive_ones() {
    for filter in FILTERS {
        for (width, height) in [(1, 1), (2, 7), (31, 17), (64, 3), (3, 200)] {
            let picture = noise(width, height);
            for (new_width, new_height) in [(1, 1), (5, 4), (31, 17), (32, 16), (90, 77), (64, 200)] {
                let window = Window::whole(new_width, new_height);
                let fast = resize(&picture, new_width, new_height, filter, window).unwrap();
                assert_eq!(fast, naive(&picture, new_width, new_height, filter), "{filter:?} {width}x{height}");
            }
        }
    }
}

#[test]
fn a_window_is_a_part_of_the_whole() {
    let picture = noise(57, 41);
    for filter in FILTERS.into_iter().chain([Filter::Nearest]) {
        for (width, height) in [(57, 41), (20, 90), (80, 10)] {
            let whole = resize(&picture, width, height, filter, Window::whole(width, height)).unwrap();
            let window = Window { left: 3, top: 2, width: 11, height: 7 };
            let part = resize(&picture, width, height, filter, window).unwrap();
            for y in 0..7 {
                let start = ((2 + y) * width as usize + 3) * 3;
                assert_eq!(part.samples()[y * 33..(y + 1) * 33], whole.samples()[start..start + 33], "{filter:?}");
            }
        }
    }
}

#[test]
fn a_sliver_of_a_huge_result_needs_little() {
    // The whole would have four million by 64 pixels.
    let picture = noise(65_535, 1);
    let window = Window { left: 2_000_000, top: 0, width: 64, height: 64 };
    let part = resize(&picture, 65_535 * 64, 64, Filter::Bicubic, window).unwrap();
    assert_eq!((part.width(), part.height()), (64, 64));
}

#[test]
fn what_is_outside_is_an_error() {
    let picture = noise(4, 4);
    let window = Window { left: 3, top: 0, width: 2, height: 1 };
    assert!(resize(&picture, 4, 4, Filter::Box, window).is_err());
    let window = Window { left: u32::MAX, ..window };
    assert!(resize(&picture, 4, 4, Filter::Box, window).is_err());
    let clear = Picture::new(1, 1, true, vec![0; 4]).unwrap();
    assert!(resize(&clear, 2, 2, Filter::Box, Window::whole(2, 2)).is_err());
}
