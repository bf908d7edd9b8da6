//! WebP, by the crate `image-webp`: lossy, lossless, with alpha; of an animation the first frame on its canvas.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::Decoded;
use crate::Failure;
use crate::image::exif::orientation;
use crate::image::format::Format::WebP;
use crate::image::limits::{Limits, buffer};
use crate::image::picture::Picture;

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let mut decoder = WebPDecoder::new(Cursor::new(file)).map_err(|error| WebP.broken(error))?;
    decoder.set_memory_limit(limits.memory);
    let (width, height) = decoder.dimensions();
    let (width, height) = limits.check_size(width.into(), height.into())?;
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
