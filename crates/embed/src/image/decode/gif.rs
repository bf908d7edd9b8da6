//! GIF, by the crate `gif`: the first frame on its screen. Where the frame leaves the screen bare there is the transparent
//! colour, or else the palette's first, as Pillow has it; a frame that sticks out makes the screen larger.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::Decoded;
use crate::Failure;
use crate::image::colour::look_up;
use crate::image::format::Format::Gif;
use crate::image::limits::{Limits, buffer};
use crate::image::picture::Picture;

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(NonZeroU64::new(limits.pixels).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    let mut decoder = options.read_info(file).map_err(|error| Gif.broken(error))?;
    let screen = (u64::from(decoder.width()), u64::from(decoder.height()));
    let global: Option<Vec<u8>> = decoder.global_palette().map(<[u8]>::to_vec);
    let info = decoder.next_frame_info().map_err(|error| Gif.broken(error))?;
    let Some(frame) = info.cloned() else { return Err(Gif.broken("it has no picture")) };
    let width = screen.0.max(u64::from(frame.left) + u64::from(frame.width));
    let height = screen.1.max(u64::from(frame.top) + u64::from(frame.height));
    let (width, height) = limits.check_size(width, height)?;
    let mut indices = buffer(0u8, decoder.buffer_size())?;
    decoder.read_into_buffer(&mut indices).map_err(|error| Gif.broken(error))?;
    let palette = match frame.palette.or(global) {
        Some(palette) => palette.as_chunks::<3>().0.to_vec(),
        None => (0..=255).map(|tone| [tone; 3]).collect(),
    };
    let mut canvas = buffer(frame.transparent.unwrap_or(0), width as usize * height as usize)?;
    if frame.width > 0 {
        let rows = indices.chunks_exact(frame.width.into());
        for (target, row) in canvas.chunks_exact_mut(width as usize).skip(frame.top.into()).zip(rows) {
            let left = usize::from(frame.left);
            if let Some(target) = target.get_mut(left..left + row.len()) {
                target.copy_from_slice(row);
            }
        }
    }
    Ok(paint(width, height, &canvas, &palette, frame.transparent)?.into())
}

/// Look up the indices of a whole screen.
fn paint(
    width: u32,
    height: u32,
    canvas: &[u8],
    palette: &[[u8; 3]],
    transparent: Option<u8>,
) -> Result<Picture, Failure> {
    let Some(transparent) = transparent else {
        let mut samples = buffer([0; 3], canvas.len())?;
        samples.iter_mut().zip(canvas).for_each(|(pixel, index)| *pixel = look_up(palette, *index));
        return Picture::new(width, height, false, samples.into_flattened());
    };
    let mut samples = buffer([0; 4], canvas.len())?;
    for (pixel, index) in samples.iter_mut().zip(canvas) {
        let [red, green, blue] = look_up(palette, *index);
        *pixel = [red, green, blue, if *index == transparent { 0 } else { 255 }];
    }
    Picture::new(width, height, true, samples.into_flattened())
}
