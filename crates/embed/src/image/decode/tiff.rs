//! TIFF, by the crate `tiff`: the first picture; grey, palette, RGB and CMYK of 1 to 16 bits, alpha of both kinds, strips,
//! tiles and planes, and all of that crate's compressions.
//!
//! Samples of sixteen bits keep their high byte, as for PNG. Floating point and wider integers are measurements, not
//! tones, and are refused; Pillow clips them at 0 and 255.

use std::borrow::Cow;
use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

use super::Decoded;
use crate::Failure;
use crate::image::colour::{cmyk_to_rgb, look_up};
use crate::image::exif::{first_value, fits, orientation};
use crate::image::format::Format::Tiff;
use crate::image::limits::{Limits, buffer};
use crate::image::picture::Picture;

const PHOTOMETRIC: u16 = 262;
const BLACK_IS_ZERO: u16 = 1;
const PALETTE: u32 = 3;
/// Kinds of a fourth sample: of ExtraSamples, premultiplied and not.
const ASSOCIATED: u16 = 1;
const UNASSOCIATED: u16 = 2;

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    // The crate makes room for the directory's values before it can be told any limits.
    if !fits(file) {
        return Err(Tiff.broken("its directory claims more than the file has"));
    }
    let (file, indexed) = as_grey(file);
    let mut decoder = Decoder::new(Cursor::new(file.as_ref())).map_err(|error| Tiff.broken(error))?;
    let mut bounds = tiff::decoder::Limits::default();
    bounds.decoding_buffer_size = limits.memory;
    bounds.intermediate_buffer_size = limits.memory;
    decoder = decoder.with_limits(bounds);
    let (width, height) = decoder.dimensions().map_err(|error| Tiff.broken(error))?;
    let (width, height) = limits.check_size(width.into(), height.into())?;
    let colour = decoder.colortype().map_err(|error| Tiff.broken(error))?;
    let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).ok().flatten().unwrap_or_default();
    let extra = extra.first().copied();
    let samples = read(&mut decoder, width as usize, colour, indexed, limits)?;
    let picture = match (colour, extra) {
        (ColorType::Gray(_), _) if indexed => through_palette(&mut decoder, width, height, &samples)?,
        (ColorType::Gray(_), _) => opaque(width, height, &samples, |[tone]| [tone; 3])?,
        (ColorType::RGB(_), _) => Picture::new(width, height, false, samples)?,
        (ColorType::RGBA(_), Some(0)) => opaque(width, height, &samples, |[red, green, blue, _]| [red, green, blue])?,
        (ColorType::RGBA(_), Some(ASSOCIATED)) => clear(width, height, &samples, divided)?,
        (ColorType::RGBA(_), _) => Picture::new(width, height, true, samples)?,
        (ColorType::CMYK(_), _) => opaque(width, height, &samples, cmyk_to_rgb)?,
        (ColorType::CMYKA(_), _) => opaque(width, height, &samples, |[cyan, magenta, yellow, black, _]| {
            cmyk_to_rgb([cyan, magenta, yellow, black])
        })?,
        (ColorType::Multiband { num_samples: 2, .. }, Some(kind)) => match kind {
            ASSOCIATED => clear(width, height, &samples, |[tone, alpha]| divided([tone, tone, tone, alpha]))?,
            UNASSOCIATED => clear(width, height, &samples, |[tone, alpha]| [tone, tone, tone, alpha])?,
            _ => opaque(width, height, &samples, |[tone, _]| [tone; 3])?,
        },
        (colour, _) => return Err(Tiff.broken(format!("colours of the kind {colour:?} are not read"))),
    };
    let turned = decoder.find_tag_unsigned::<u32>(Tag::Orientation).ok().flatten().is_some();
    let xmp = decoder.get_tag_u8_vec(Tag::Unknown(700)).ok().filter(|_| !turned);
    Ok(Decoded { picture, orientation: orientation(Some(&file), xmp.as_deref()) })
}

/// Give a file with a palette out as one in grey, and tell whether it is; the crate reads indices no other way.
fn as_grey(file: &[u8]) -> (Cow<'_, [u8]>, bool) {
    let Some((place, PALETTE)) = first_value(file, PHOTOMETRIC) else { return (Cow::Borrowed(file), false) };
    let mut copy = file.to_vec();
    let value = if file.starts_with(b"II") { BLACK_IS_ZERO.to_le_bytes() } else { BLACK_IS_ZERO.to_be_bytes() };
    if let Some(target) = copy.get_mut(place..place + 2) {
        target.copy_from_slice(&value);
    }
    (Cow::Owned(copy), true)
}

/// Read all samples, interleaved, eight bits each; those of a palette as they are stored.
fn read(
    decoder: &mut Reader,
    width: usize,
    colour: ColorType,
    indexed: bool,
    limits: &Limits,
) -> Result<Vec<u8>, Failure> {
    let layout = decoder.image_buffer_layout().map_err(|error| Tiff.broken(error))?;
    let depth = colour.bit_depth();
    if layout.sample_format != tiff::tags::SampleFormat::Uint || ![1, 2, 4, 8, 16].contains(&depth) {
        let format = layout.sample_format;
        return Err(Tiff.broken(format!("samples of {depth} bits of the kind {format:?} are not read")));
    }
    if layout.complete_len > limits.memory {
        return Err(Tiff.broken(format!("its samples take {} bytes", layout.complete_len)));
    }
    let mut stored = buffer(0u8, layout.complete_len)?;
    decoder.read_image_bytes(&mut stored).map_err(|error| Tiff.broken(error))?;
    let samples = match depth {
        8 => stored,
        16 => stored.as_chunks::<2>().0.iter().map(|bytes| (u16::from_ne_bytes(*bytes) >> 8) as u8).collect(),
        _ => unpack(&stored, layout.row_stride.map_or(1, usize::from), width, depth, indexed)?,
    };
    if layout.planes < 2 { Ok(samples) } else { interleave(&samples, layout.planes) }
}

/// Samples of less than a byte, the first in the high bits; tones are spread over 0 to 255.
fn unpack(stored: &[u8], stride: usize, width: usize, depth: u8, indexed: bool) -> Result<Vec<u8>, Failure> {
    let most = (1u8 << depth) - 1;
    let spread = if indexed { 1 } else { 255 / most };
    let mut samples = buffer(0u8, stored.len() / stride * width)?;
    let per_byte = usize::from(8 / depth);
    for (target, row) in samples.chunks_exact_mut(width).zip(stored.chunks_exact(stride)) {
        for (group, byte) in target.chunks_mut(per_byte).zip(row) {
            for (place, sample) in (1u8..).zip(group) {
                *sample = ((byte >> (8 - depth * place)) & most) * spread;
            }
        }
    }
    Ok(samples)
}

fn interleave(samples: &[u8], planes: usize) -> Result<Vec<u8>, Failure> {
    let mut together = buffer(0u8, samples.len())?;
    let plane = (samples.len() / planes).max(1);
    for (channel, plane) in samples.chunks_exact(plane).enumerate() {
        for (pixel, sample) in together.chunks_exact_mut(planes).zip(plane) {
            if let Some(target) = pixel.get_mut(channel) {
                *target = *sample;
            }
        }
    }
    Ok(together)
}

/// Undo the multiplication of colours with alpha, as Pillow does.
fn divided([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    let divide = |sample: u8| match alpha {
        0 | 255 => sample,
        _ => (u32::from(sample) * 255 / u32::from(alpha)).min(255) as u8,
    };
    [divide(red), divide(green), divide(blue), alpha]
}

fn through_palette(decoder: &mut Reader, width: u32, height: u32, indices: &[u8]) -> Result<Picture, Failure> {
    let map = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(|error| Tiff.broken(error))?;
    let third = map.len() / 3;
    let entry = |at: usize| {
        [at, third + at, 2 * third + at].map(|place| map.get(place).map_or(0, |sample| (sample >> 8) as u8))
    };
    let palette: Vec<[u8; 3]> = (0..third.min(256)).map(entry).collect();
    opaque(width, height, indices, |[index]| look_up(&palette, index))
}

fn opaque<const N: usize>(
    width: u32,
    height: u32,
    samples: &[u8],
    convert: impl Fn([u8; N]) -> [u8; 3],
) -> Result<Picture, Failure> {
    let (source, _) = samples.as_chunks::<N>();
    let mut target = buffer([0; 3], source.len())?;
    target.iter_mut().zip(source).for_each(|(pixel, stored)| *pixel = convert(*stored));
    Picture::new(width, height, false, target.into_flattened())
}

fn clear<const N: usize>(
    width: u32,
    height: u32,
    samples: &[u8],
    convert: impl Fn([u8; N]) -> [u8; 4],
) -> Result<Picture, Failure> {
    let (source, _) = samples.as_chunks::<N>();
    let mut target = buffer([0; 4], source.len())?;
    target.iter_mut().zip(source).for_each(|(pixel, stored)| *pixel = convert(*stored));
    Picture::new(width, height, true, target.into_flattened())
}
