//! PNG, by the crate `png`: all colour types and depths, interlaced or not; of an animation the default image.
//!
//! Samples of sixteen bits keep their high byte. So does Pillow for colour; grey ones it clips at 255 when it makes RGB
//! of them, which turns nearly every such picture white, and that is not followed. A transparent colour is compared
//! with the samples as they are stored, as the standard has it; Pillow compares a widened or cut sample.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Transformations};

use super::Decoded;
use crate::Failure;
use crate::image::colour::high_bytes;
use crate::image::exif::orientation;
use crate::image::format::Format::Png;
use crate::image::limits::{Limits, buffer, reserve};
use crate::image::picture::Picture;

/// Bytes of a compressed text that are looked through for the orientation.
const TEXT: usize = 1 << 20;

type Reader<'a> = png::Reader<Cursor<&'a [u8]>>;

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(file), png::Limits { bytes: limits.memory });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(|error| Png.broken(error))?;
    let (width, height) = limits.check_size(header.width.into(), header.height.into())?;
    let mut reader = decoder.read_info().map_err(|error| Png.broken(error))?;
    let (colour, depth) = reader.output_color_type();
    let alpha = matches!(colour, ColorType::GrayscaleAlpha | ColorType::Rgba);
    let samples = width as usize * height as usize * if alpha { 4 } else { 3 };
    let mut target = reserve(samples)?;
    if reader.info().interlaced {
        let length = reader.output_buffer_size().filter(|length| *length <= limits.memory);
        let mut stored = buffer(0, length.ok_or_else(|| Png.broken("it is too large for an interlaced one"))?)?;
        reader.next_frame(&mut stored).map_err(|error| Png.broken(error))?;
        widen(&stored, colour, depth, &mut target);
    } else {
        while target.len() < samples {
            match reader.next_row().map_err(|error| Png.broken(error))? {
                Some(row) => widen(row.data(), colour, depth, &mut target),
                None => return Err(Png.broken("it is cut short")),
            }
        }
    }
    Ok(Decoded { picture: Picture::new(width, height, alpha, target)?, orientation: turned(&mut reader) })
}

/// Append stored samples as eight bits of RGB or RGBA.
fn widen(stored: &[u8], colour: ColorType, depth: BitDepth, target: &mut Vec<u8>) {
    match depth {
        BitDepth::Sixteen => spread(high_bytes(stored), colour, target),
        _ => spread(stored.iter().copied(), colour, target),
    }
}

fn spread(mut samples: impl Iterator<Item = u8>, colour: ColorType, target: &mut Vec<u8>) {
    match colour {
        ColorType::Grayscale => target.extend(samples.flat_map(|tone| [tone; 3])),
        ColorType::GrayscaleAlpha => {
            while let (Some(tone), Some(alpha)) = (samples.next(), samples.next()) {
                target.extend([tone, tone, tone, alpha]);
            }
        }
        _ => target.extend(samples),
    }
}

/// Read which way up the picture is, also out of chunks behind the pixels; those may be missing.
fn turned(reader: &mut Reader) -> crate::image::orient::Orientation {
    const XMP: &str = "XML:com.adobe.xmp";
    if reader.info().animation_control.is_none() {
        let _ = reader.finish();
    }
    let info = reader.info();
    let xmp = info.utf8_text.iter().find(|text| text.keyword == XMP).cloned().and_then(|mut text| {
        text.decompress_text_with_limit(TEXT).ok()?;
        text.get_text().ok()
    });
    orientation(info.exif_metadata.as_deref(), xmp.as_deref().map(str::as_bytes))
}
