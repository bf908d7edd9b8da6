//! JPEG, by the crate `zune-jpeg`: baseline and progressive; grey, YCbCr, RGB, CMYK and YCCK.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::Decoded;
use crate::Failure;
use crate::image::colour::cmyk_to_rgb;
use crate::image::exif::orientation;
use crate::image::format::Format::Jpeg;
use crate::image::limits::{Limits, buffer};
use crate::image::picture::Picture;

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let mut decoder = JpegDecoder::new(ZCursor::new(file));
    let options = DecoderOptions::default().set_max_width(limits.side as usize).set_max_height(limits.side as usize);
    decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::RGB));
    decoder.decode_headers().map_err(|error| Jpeg.broken(error))?;
    let Some(info) = decoder.info() else { return Err(Jpeg.broken("it has no size")) };
    let (width, height) = limits.check_size(info.width.into(), info.height.into())?;
    let inks = matches!(decoder.input_colorspace(), Some(ColorSpace::CMYK | ColorSpace::YCCK));
    if inks {
        decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::CMYK));
    }
    let length = width as usize * height as usize * if inks { 4 } else { 3 };
    let mut samples = buffer(0u8, length)?;
    decoder.decode_into(&mut samples).map_err(|error| Jpeg.broken(error))?;
    if inks {
        // Adobe's programs store light, not ink, and Pillow takes it that all do.
        let light = samples.as_chunks::<4>().0.iter().map(|inks| cmyk_to_rgb(inks.map(|ink| 255 - ink)));
        samples = light.collect::<Vec<_>>().into_flattened();
    }
    let orientation = orientation(decoder.exif().map(Vec::as_slice), decoder.xmp().map(Vec::as_slice));
    Ok(Decoded { picture: Picture::new(width, height, false, samples)?, orientation })
}
