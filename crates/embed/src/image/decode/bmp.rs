//! BMP, read here: no small library reads only this. Windows headers from 12 to 124 bytes, 1 to 32 bits, RLE4 and RLE8,
//! and the bit fields that Pillow knows. Microsoft, "Bitmap Storage", wingdi.h.
//!
//! Thirty-two bits without bit fields have no alpha: writers leave anything in the fourth byte.

use super::Decoded;
use crate::Failure;
use crate::image::colour::look_up;
use crate::image::format::Format::Bmp;
use crate::image::limits::{Limits, buffer, reserve};
use crate::image::picture::Picture;

const FILE_HEADER: usize = 14;
const RAW: u32 = 0;
const RLE8: u32 = 1;
const RLE4: u32 = 2;
const BITFIELDS: u32 = 3;

/// Where each of red, green, blue and alpha lies in a pixel: shift and bits; no bits, no such sample.
type Fields = [(u32, u32); 4];

/// The layouts that are read: bits of a pixel, masks of red, green, blue and alpha.
const LAYOUTS: &[(u16, [u32; 4], Fields)] = &[
    (32, [0xff_0000, 0xff00, 0xff, 0], [(16, 8), (8, 8), (0, 8), (0, 0)]),
    (32, [0xff00_0000, 0xff_0000, 0xff00, 0], [(24, 8), (16, 8), (8, 8), (0, 0)]),
    (32, [0xff00_0000, 0xff00, 0xff, 0], [(24, 8), (8, 8), (0, 8), (0, 0)]),
    (32, [0xff00_0000, 0xff_0000, 0xff00, 0xff], [(24, 8), (16, 8), (8, 8), (0, 8)]),
    (32, [0xff, 0xff00, 0xff_0000, 0xff00_0000], [(0, 8), (8, 8), (16, 8), (24, 8)]),
    (32, [0xff_0000, 0xff00, 0xff, 0xff00_0000], [(16, 8), (8, 8), (0, 8), (24, 8)]),
    (32, [0xff00_0000, 0xff00, 0xff, 0xff_0000], [(24, 8), (8, 8), (0, 8), (16, 8)]),
    (32, [0, 0, 0, 0], [(16, 8), (8, 8), (0, 8), (24, 8)]),
    (24, [0xff_0000, 0xff00, 0xff, 0], [(16, 8), (8, 8), (0, 8), (0, 0)]),
    (16, [0xf800, 0x7e0, 0x1f, 0], [(11, 5), (5, 6), (0, 5), (0, 0)]),
    (16, [0x7c00, 0x3e0, 0x1f, 0], [(10, 5), (5, 5), (0, 5), (0, 0)]),
];

/// What the headers say.
struct Header {
    width: u32,
    height: u32,
    /// Rows are stored from the top, not from the bottom.
    downward: bool,
    bits: u16,
    compression: u32,
    palette: Vec<[u8; 3]>,
    masks: [u32; 4],
}

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let (header, pixels) = header(file, limits)?;
    let picture = match (header.compression, header.bits) {
        (RLE8, 8) | (RLE4, 4) => indexed(&header, &run_lengths(&header, pixels)?)?,
        (RAW, 1 | 4 | 8) => indexed(&header, &unpack(&header, pixels)?)?,
        (RAW, 16) => direct(&header, pixels, &[(10, 5), (5, 5), (0, 5), (0, 0)])?,
        (RAW, 24 | 32) => direct(&header, pixels, &[(16, 8), (8, 8), (0, 8), (0, 0)])?,
        (BITFIELDS, bits) => {
            let [red, green, blue, alpha] = header.masks;
            let masks = [red, green, blue, if bits == 32 { alpha } else { 0 }];
            let found = LAYOUTS.iter().find(|(depth, known, _)| *depth == bits && *known == masks);
            let (_, _, fields) = found.ok_or_else(|| Bmp.broken("its bit fields are of a kind that is not read"))?;
            direct(&header, pixels, fields)?
        }
        (compression, bits) => {
            return Err(Bmp.broken(format!("compression {compression} at {bits} bits a pixel is not read")));
        }
    };
    Ok(picture.into())
}

/// Read the headers and the palette, and find the pixels.
fn header<'a>(file: &'a [u8], limits: &Limits) -> Result<(Header, &'a [u8]), Failure> {
    let short = || Bmp.broken("it is cut short");
    let word = |at: usize| Some(u16::from_le_bytes(file.get(at..at + 2)?.try_into().ok()?));
    let long = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
    let start = long(10).ok_or_else(short)? as usize;
    let length = long(FILE_HEADER).ok_or_else(short)?;
    let old = length == 12;
    if !old && ![40, 52, 56, 64, 108, 124].contains(&length) {
        return Err(Bmp.broken(format!("a header of {length} bytes is not read")));
    }
    let (width, height, bits, compression, colours) = if old {
        let read = || Some((word(18)?.into(), word(20)?.into(), word(24)?, RAW, 0));
        read().ok_or_else(short)?
    } else {
        let read = || Some((long(18)?, long(22)?, word(28)?, long(30)?, long(46)?));
        read().ok_or_else(short)?
    };
    let downward = !old && height.cast_signed() < 0;
    let height = if old { height } else { height.cast_signed().unsigned_abs() };
    let (width, height) = limits.check_size(width.into(), height.into())?;
    let mut end = FILE_HEADER + length as usize;
    let mut masks = [0; 4];
    if compression == BITFIELDS {
        let count = if length >= 56 { 4 } else { 3 };
        for (index, mask) in masks.iter_mut().take(count).enumerate() {
            *mask = long(FILE_HEADER + 40 + 4 * index).ok_or_else(short)?;
        }
        end = end.max(FILE_HEADER + 40 + 12);
    }
    let mut palette = Vec::new();
    if bits <= 8 {
        let size = if old { 3 } else { 4 };
        let count = if colours == 0 { 1 << bits } else { colours.min(256) as usize };
        let stored = file.get(end..end + size * count).ok_or_else(short)?;
        palette.extend(stored.chunks_exact(size).map(|entry| [entry[2], entry[1], entry[0]]));
        end += size * count;
    }
    // Some writers leave the field empty.
    let pixels = file.get(if start == 0 { end } else { start }..).ok_or_else(short)?;
    Ok((Header { width, height, downward, bits, compression, palette, masks }, pixels))
}

impl Header {
    /// Rows of `bits` a pixel, each padded to four bytes, as they are shown.
    fn rows<'a>(&self, pixels: &'a [u8]) -> Result<Vec<&'a [u8]>, Failure> {
        let stride = (u64::from(self.width) * u64::from(self.bits)).div_ceil(32) as usize * 4;
        let needed = stride.checked_mul(self.height as usize).ok_or_else(|| Bmp.broken("its size overflows"))?;
        let pixels = pixels.get(..needed).ok_or_else(|| Bmp.broken("it is cut short"))?;
        let mut rows: Vec<&[u8]> = pixels.chunks_exact(stride).collect();
        if !self.downward {
            rows.reverse();
        }
        Ok(rows)
    }
}

/// Indices of less than a byte, the first in the high bits.
fn unpack(header: &Header, pixels: &[u8]) -> Result<Vec<u8>, Failure> {
    let width = header.width as usize;
    let mut indices = buffer(0u8, width * header.height as usize)?;
    let bits = u32::from(header.bits);
    let per_byte = 8 / header.bits as usize;
    for (target, row) in indices.chunks_exact_mut(width).zip(header.rows(pixels)?) {
        for (group, byte) in target.chunks_mut(per_byte).zip(row) {
            for (place, index) in (1u32..).zip(group) {
                *index = ((u32::from(*byte) >> (8 - bits * place)) & ((1 << bits) - 1)) as u8;
            }
        }
    }
    Ok(indices)
}

/// Look up the indices of a whole picture.
fn indexed(header: &Header, indices: &[u8]) -> Result<Picture, Failure> {
    let mut samples = buffer([0; 3], indices.len())?;
    samples.iter_mut().zip(indices).for_each(|(pixel, index)| *pixel = look_up(&header.palette, *index));
    Picture::new(header.width, header.height, false, samples.into_flattened())
}

/// Take pixels of two to four bytes apart; five and six bits are widened to eight by rounding down.
fn direct(header: &Header, pixels: &[u8], fields: &Fields) -> Result<Picture, Failure> {
    let [red, green, blue, alpha] = *fields;
    let size = usize::from(header.bits / 8);
    let opaque = alpha.1 == 0;
    let count = header.width as usize * header.height as usize;
    let mut samples = reserve(count * if opaque { 3 } else { 4 })?;
    let sample = |pixel: u32, (shift, bits): (u32, u32)| {
        let most = (1 << bits) - 1;
        (((pixel >> shift) & most) * 255 / most) as u8
    };
    for row in header.rows(pixels)? {
        for pixel in row.chunks_exact(size).take(header.width as usize) {
            let pixel = pixel.iter().rev().fold(0u32, |value, byte| (value << 8) | u32::from(*byte));
            samples.extend([sample(pixel, red), sample(pixel, green), sample(pixel, blue)]);
            if !opaque {
                samples.push(sample(pixel, alpha));
            }
        }
    }
    Picture::new(header.width, header.height, !opaque, samples)
}

/// Undo run lengths; what they do not reach has the palette's first colour.
fn run_lengths(header: &Header, mut code: &[u8]) -> Result<Vec<u8>, Failure> {
    let (width, height) = (header.width as usize, header.height as usize);
    let mut indices = buffer(0u8, width * height)?;
    let half = header.compression == RLE4;
    let (mut x, mut y) = (0usize, 0usize);
    let mut put = |x: &mut usize, y: usize, index: u8| {
        if *x < width && y < height {
            let row = if header.downward { y } else { height - 1 - y };
            if let Some(target) = indices.get_mut(row * width + *x) {
                *target = index;
            }
        }
        *x += 1;
    };
    let nibble = |byte: u8, second: bool| if second { byte & 15 } else { byte >> 4 };
    while y < height {
        let (first, second) = match code {
            [first, second, rest @ ..] => {
                code = rest;
                (*first, *second)
            }
            _ => return Err(Bmp.broken("it is cut short")),
        };
        match (first, second) {
            (0, 0) => (x, y) = (0, y + 1),
            (0, 1) => break,
            (0, 2) => {
                let [right, up, rest @ ..] = code else { return Err(Bmp.broken("it is cut short")) };
                (x, y) = (x + usize::from(*right), y + usize::from(*up));
                code = rest;
            }
            (0, count) => {
                let count = usize::from(count);
                let bytes = if half { count.div_ceil(2) } else { count };
                let stored = code.get(..bytes).ok_or_else(|| Bmp.broken("it is cut short"))?;
                code = code.get(bytes.next_multiple_of(2)..).unwrap_or_default();
                for at in 0..count {
                    let byte = stored.get(if half { at / 2 } else { at }).copied().unwrap_or_default();
                    put(&mut x, y, if half { nibble(byte, at % 2 == 1) } else { byte });
                }
            }
            (count, byte) => {
                // What lies beyond the row's end is passed over at once: a file can be made of nothing else.
                let shown = usize::from(count).min(width.saturating_sub(x));
                (0..shown).for_each(|at| put(&mut x, y, if half { nibble(byte, at % 2 == 1) } else { byte }));
                x += usize::from(count) - shown;
            }
        }
    }
    Ok(indices)
}
