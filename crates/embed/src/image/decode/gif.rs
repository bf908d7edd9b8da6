//! GIF, by the crate `gif`: the first frame on its screen. Where the frame leaves the screen bare there is the transparent
//! colour, or else the palette's first, as Pillow has it; a frame that sticks out makes the screen larger.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Decoder, Frame, MemoryLimit};

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
    let palette = match frame.palette.clone().or(global) {
        Some(palette) => palette.as_chunks::<3>().0.to_vec(),
        None => (0..=255).map(|tone| [tone; 3]).collect(),
    };
    let place = Place { width: width as usize, pixels: width as usize * height as usize };
    let samples = match frame.transparent {
        None => place.paint(&mut decoder, &frame, |index| look_up(&palette, index))?,
        Some(transparent) => place.paint(&mut decoder, &frame, |index| {
            let [red, green, blue] = look_up(&palette, index);
            [red, green, blue, if index == transparent { 0 } else { 255 }]
        })?,
    };
    Picture::new(width, height, frame.transparent.is_some(), samples).map(Decoded::from)
}

/// The screen: its width, and its pixels in all.
struct Place {
    width: usize,
    pixels: usize,
}

impl Place {
    /// Decode a frame onto the screen, and give the colours of all of it.
    ///
    /// The indices lie at the end of what the colours go into, since a second buffer would be much of a decoder's memory: no
    /// place is written before it was read.
    fn paint<const N: usize>(
        &self,
        decoder: &mut Decoder<&[u8]>,
        frame: &Frame<'_>,
        colour: impl Fn(u8) -> [u8; N],
    ) -> Result<Vec<u8>, Failure> {
        let start = (N - 1) * self.pixels;
        let mut samples = buffer(0u8, N * self.pixels)?;
        let canvas = samples.get_mut(start..).unwrap_or_default();
        if usize::from(frame.width) == self.width && decoder.buffer_size() == canvas.len() {
            decoder.read_into_buffer(canvas).map_err(|error| Gif.broken(error))?;
        } else {
            canvas.fill(frame.transparent.unwrap_or(0));
            let mut indices = buffer(0u8, decoder.buffer_size())?;
            decoder.read_into_buffer(&mut indices).map_err(|error| Gif.broken(error))?;
            let rows = indices.chunks_exact(usize::from(frame.width).max(1));
            for (target, row) in canvas.chunks_exact_mut(self.width).skip(frame.top.into()).zip(rows) {
                let left = usize::from(frame.left);
                if let Some(target) = target.get_mut(left..left + row.len()) {
                    target.copy_from_slice(row);
                }
            }
        }
        for at in 0..self.pixels {
            let Some(index) = samples.get(start + at).copied() else { break };
            if let Some(pixel) = samples.get_mut(N * at..).and_then(<[u8]>::first_chunk_mut) {
                *pixel = colour(index);
            }
        }
        Ok(samples)
    }
}
