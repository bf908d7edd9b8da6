//! Pillow's `Image.resize` of RGB pictures, byte for byte.
//!
//! Pillow resizes along rows first, rounds to eight bits, then along columns, with integer weights of 22 bits; from version
//! 13 on, it takes columns first where the height shrinks by far more than the width. A pixel of the result depends on its
//! own weights only, so a part of the result can be had without the rest: that is what a picture with extreme
//! proportions needs, whose whole result would be huge.

mod filter;
mod passes;
#[cfg(test)]
mod tests;

pub use filter::Filter;
use filter::Weights;

use super::limits::buffer;
use super::picture::Picture;
use crate::Failure;

/// A part of a resized picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

impl Window {
    /// The whole of a picture.
    pub fn whole(width: u32, height: u32) -> Window {
        Window { left: 0, top: 0, width, height }
    }
}

/// Resize an opaque picture to `width` by `height` pixels, and give the part of the result in `window`.
///
/// Needs about three bytes for each pixel of the window, and for each pixel of the rows that one output row is made of.
pub fn resize(picture: &Picture, width: u32, height: u32, filter: Filter, window: Window) -> Result<Picture, Failure> {
    let inside = |start: u32, length: u32, whole: u32| start.checked_add(length).is_some_and(|end| end <= whole);
    if !inside(window.left, window.width, width) || !inside(window.top, window.height, height) {
        return Err(Failure::internal(format!("{window:?} is not inside {width} x {height} pixels")));
    }
    if picture.has_alpha() {
        return Err(Failure::internal("only opaque pictures are resized"));
    }
    let same = (width, height) == (picture.width(), picture.height());
    let mut samples = buffer(0u8, window.width as usize * window.height as usize * 3)?;
    match filter {
        _ if same => nearest(picture, width, height, window, &mut samples)?,
        Filter::Nearest => nearest(picture, width, height, window, &mut samples)?,
        _ => convolve(picture, (width as usize, height as usize), filter, window, &mut samples)?,
    }
    Picture::new(window.width, window.height, false, samples)
}

/// Whether Pillow resizes along columns first: the height loses more than twice the pixels that the width loses.
fn columns_first(picture: &Picture, width: usize, height: usize) -> bool {
    let loss = |old: u32, new: usize| i64::from(old) - new as i64;
    let (across, down) = (loss(picture.width(), width), loss(picture.height(), height));
    down > 0 && down > 2 * across
}

/// Both passes for one output row after the other.
fn convolve(
    picture: &Picture,
    (width, height): (usize, usize),
    filter: Filter,
    window: Window,
    target: &mut [u8],
) -> Result<(), Failure> {
    let stride = picture.stride();
    let (left, columns) = (window.left as usize, window.width as usize);
    let across = Weights::new(filter, picture.width() as usize, width, left, columns)?;
    let down = Weights::new(filter, picture.height() as usize, height, window.top as usize, window.height as usize)?;
    let mut row = passes::Row::new(&across, stride)?;
    if columns_first(picture, width, height) {
        let (mut sums, mut middle) = (buffer(0i32, stride)?, buffer(0u8, stride)?);
        let outputs = down.spans.iter().zip(down.values.chunks_exact(down.most));
        for (output, ((start, count), values)) in target.chunks_exact_mut(columns * 3).zip(outputs) {
            let rows = picture.samples().chunks_exact(stride).skip(*start).take(*count);
            passes::column(rows.zip(values.iter().copied()), &mut sums, &mut middle);
            row.run(&middle, output);
        }
        return Ok(());
    }
    rows_first(picture, &down, &mut row, columns, target)
}

/// The rows that an output row needs are resized when it needs them, and kept while others may need them.
fn rows_first(
    picture: &Picture,
    down: &Weights,
    row: &mut passes::Row,
    columns: usize,
    target: &mut [u8],
) -> Result<(), Failure> {
    let stride = picture.stride();
    let mut sums = buffer(0i32, columns * 3)?;
    // Row `y` of the source, once it is resized, lies in place `y % most` until another takes it.
    let mut kept = buffer(0u8, down.most * columns * 3)?;
    let mut next = down.spans.first().map_or(0, |(start, _)| *start);
    let outputs = down.spans.iter().zip(down.values.chunks_exact(down.most));
    for (output, ((start, count), values)) in target.chunks_exact_mut(columns * 3).zip(outputs) {
        let made = next.max(*start)..start + count;
        next = next.max(made.end);
        for y in made {
            let source = picture.samples().get(y * stride..(y + 1) * stride).unwrap_or_default();
            if let Some(place) = kept.chunks_exact_mut(columns * 3).nth(y % down.most) {
                row.run(source, place);
            }
        }
        let place = |y: usize| kept.get((y % down.most) * columns * 3..).and_then(|tail| tail.get(..columns * 3));
        let rows = (*start..start + count).map(|y| place(y).unwrap_or_default());
        passes::column(rows.zip(values.iter().copied()), &mut sums, output);
    }
    Ok(())
}

/// Take the pixel that each output's centre falls into. Pillow steps along by adding, and so do we.
fn nearest(picture: &Picture, width: u32, height: u32, window: Window, target: &mut [u8]) -> Result<(), Failure> {
    let columns = places(picture.width(), width, window.left, window.width)?;
    let rows = places(picture.height(), height, window.top, window.height)?;
    let stride = picture.stride();
    for (output, y) in target.chunks_exact_mut(window.width as usize * 3).zip(rows) {
        let source = picture.samples().get(y * stride..(y + 1) * stride).unwrap_or_default();
        let (source, _) = source.as_chunks::<3>();
        for (pixel, x) in output.as_chunks_mut::<3>().0.iter_mut().zip(&columns) {
            *pixel = source.get(*x).copied().unwrap_or_default();
        }
    }
    Ok(())
}

fn places(source: u32, target: u32, first: u32, count: u32) -> Result<Vec<usize>, Failure> {
    let mut places = buffer(0usize, count as usize)?;
    let step = f64::from(source) / f64::from(target);
    let mut at = step * 0.5;
    for _ in 0..first {
        at += step;
    }
    for place in &mut places {
        *place = at as usize;
        at += step;
    }
    Ok(places)
}
