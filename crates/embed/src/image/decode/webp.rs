//! WebP, by the crate `image-webp`: lossy, lossless, with alpha; of an animation the first frame on its canvas.
//!
//! That crate makes room for a frame before it compares the frame with the canvas, so that is done here first.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::Decoded;
use crate::Failure;
use crate::image::exif::orientation;
use crate::image::format::Format::WebP;
use crate::image::limits::{Limits, buffer};
use crate::image::picture::Picture;

/// Bytes of an animated frame's chunk before the chunks inside.
const FRAME_HEADER: usize = 16;

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|error| WebP.broken(error))?;
    decoder.set_memory_limit(limits.memory);
    let (width, height) = decoder.dimensions();
    let (width, height) = limits.check_size(width.into(), height.into())?;
    if frames(file.get(12..).unwrap_or_default()).any(|(across, down)| across > width || down > height) {
        return Err(WebP.broken("a frame is larger than its canvas"));
    }
    let length = decoder.output_buffer_size().ok_or_else(|| WebP.broken("its size overflows"))?;
    let mut samples = buffer(0, length)?;
    let alpha = decoder.has_alpha();
    if decoder.is_animated() {
        decoder.read_frame(&mut samples).map_err(|error| WebP.broken(error))?;
    } else {
        decoder.read_image(&mut samples).map_err(|error| WebP.broken(error))?;
    }
    // Metadata that cannot be read says nothing.
    let exif = decoder.exif_metadata().ok().flatten();
    let xmp = decoder.xmp_metadata().ok().flatten();
    let orientation = orientation(exif.as_deref(), xmp.as_deref());
    Ok(Decoded { picture: Picture::new(width, height, alpha, samples)?, orientation })
}

/// Width and height that each frame's own header claims.
fn frames(chunks: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let mut stack = vec![chunks];
    std::iter::from_fn(move || {
        while let Some(chunks) = stack.pop() {
            let Some((name, rest)) = chunks.split_first_chunk::<4>() else { continue };
            let Some((length, rest)) = rest.split_first_chunk::<4>() else { continue };
            let length = u32::from_le_bytes(*length) as usize;
            let (inside, behind) = rest.split_at(length.min(rest.len()));
            stack.push(behind.get(length % 2..).unwrap_or_default());
            match (name, inside) {
                (b"ANMF", _) => stack.push(inside.get(FRAME_HEADER..).unwrap_or_default()),
                (b"VP8 ", [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..]) => {
                    let side = |low: &u8, high: &u8| u32::from(u16::from_le_bytes([*low, *high]) & 0x3fff);
                    return Some((side(w0, w1), side(h0, h1)));
                }
                (b"VP8L", [0x2f, b0, b1, b2, b3, ..]) => {
                    let bits = u32::from_le_bytes([*b0, *b1, *b2, *b3]);
                    return Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1));
                }
                _ => {}
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_wherever_they_are() {
        let mut chunks = b"VP8L\x05\0\0\0\x2f\x02\x80\0\0\0".to_vec();
        chunks.extend(b"ANMF\x22\0\0\0................VP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\x07\0\x09\0");
        let found: Vec<(u32, u32)> = frames(&chunks).collect();
        assert_eq!(found, [(3, 3), (7, 9)]);
        for end in 0..chunks.len() {
            assert!(frames(&chunks[..end]).count() <= 2);
        }
    }
}
