//! JPEG, decoded here, to the bit as libjpeg-turbo does it by default, which is what Pillow gives: baseline, extended and
//! progressive Huffman coding of 8 bits; grey, YCbCr, RGB, CMYK and YCCK; any subsampling by whole factors. ITU-T T.81.
//!
//! The libraries in Rust differ from it by a few tones where chroma is subsampled, and by up to a hundred in pictures that
//! are a few pixels narrow: their transforms and upsampling round in other places. A model sees those differences.
//!
//! Not read: arithmetic coding, 12 bits, lossless. A file that ends within a scan, or before the last one, is refused; bits that run out before a
//! marker leave the rest of the blocks as they are, and codes that are none count as zeros, as in libjpeg. What libjpeg
//! smooths of a progressive picture whose later scans are missing stays as it is.

mod convert;
mod frame;
mod huffman;
mod idct;
mod planes;
mod scan;
mod upsample;

use self::convert::{Canvas, Colours};
use self::frame::{Frame, Header, Tables};
use self::huffman::marker;
use self::planes::Plane;
use super::Decoded;
use crate::Failure;
use crate::image::exif;
use crate::image::format::Format::Jpeg;
use crate::image::limits::Limits;
use crate::image::orient::Orientation;

/// Scans of a picture, at most: ten are common, and each costs a walk over all blocks.
const SCANS: usize = 100;
/// How XMP begins in its segment.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// What has been read so far.
#[derive(Default)]
struct Reader<'a> {
    tables: Tables,
    frame: Option<Frame>,
    planes: Vec<Plane>,
    /// The picture, where it could be drawn while it was read.
    canvas: Option<Canvas>,
    scans: usize,
    /// Whether the marker of the end was there.
    ended: bool,
    exif: Option<&'a [u8]>,
    xmp: Option<&'a [u8]>,
}

pub fn decode(file: &[u8], limits: &Limits) -> Result<Decoded, Failure> {
    let mut reader = Reader::default();
    let mut at = 2;
    while let Some((place, kind)) = marker(file, at) {
        at = place + 2;
        match kind {
            0xd9 => {
                reader.ended = true;
                break;
            }
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let length =
            file.get(at..at + 2).map_or(0, |bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)));
        let segment = file.get(at + 2..at + length.max(2)).ok_or_else(|| Jpeg.broken("it is cut short"))?;
        at += length;
        if kind == 0xda {
            at = reader.scan(file, at, segment)?;
            if reader.done() {
                break;
            }
        } else {
            reader.segment(kind, segment, file, limits)?;
        }
    }
    let Some(frame) = &reader.frame else { return Err(Jpeg.broken("it has no frame, or is cut short")) };
    if frame.progressive && !reader.ended {
        // More scans would have followed.
        return Err(Jpeg.broken("it is cut short"));
    }
    planes::finish(frame, &mut reader.planes)?;
    let mut canvas = match reader.canvas {
        Some(drawn) => drawn,
        None => Canvas::new(frame, Colours::of(frame, &reader.tables), reader.orientation())?,
    };
    canvas.draw(frame, &reader.planes, frame.height as usize);
    Ok(canvas.finish(frame)?.into())
}

impl<'a> Reader<'a> {
    fn segment(&mut self, kind: u8, segment: &'a [u8], file: &[u8], limits: &Limits) -> Result<(), Failure> {
        match (kind, segment) {
            (0xc4, _) => self.tables.read_codes(segment)?,
            (0xdb, _) => self.tables.read_quantisers(segment)?,
            (0xdd, [high, low, ..]) => self.tables.interval = usize::from(u16::from_be_bytes([*high, *low])),
            (0xe0, [b'J', b'F', b'I', b'F', 0, ..]) => self.tables.jfif = true,
            (0xe1, [b'E', b'x', b'i', b'f', 0, 0, ..]) => self.exif = self.exif.or(Some(segment)),
            (0xe1, _) if segment.starts_with(XMP) => self.xmp = self.xmp.or(Some(segment)),
            (0xee, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                self.tables.transform = Some(*transform);
            }
            (0xc8 | 0xcc, _) => {}
            (0xc0..=0xcf, _) => {
                if self.frame.is_some() {
                    return Err(Jpeg.broken("it has a second frame"));
                }
                let frame = Frame::read(kind & 15, segment, limits)?;
                self.planes = planes::allocate(&frame, file, limits)?;
                self.frame = Some(frame);
            }
            _ => {}
        }
        Ok(())
    }

    fn scan(&mut self, file: &[u8], at: usize, segment: &[u8]) -> Result<usize, Failure> {
        let Some(frame) = &self.frame else { return Err(Jpeg.broken("a scan comes before the frame")) };
        self.scans += 1;
        if self.scans > SCANS {
            return Err(Jpeg.broken(format!("it has more than {SCANS} scans")));
        }
        let header = Header::read(segment, frame)?;
        let (tables, upright) = (&self.tables, self.orientation());
        let (end, canvas) = planes::read(file, at, &header, frame, tables, &mut self.planes, upright)?;
        self.canvas = canvas;
        Ok(end)
    }

    /// Which way up the picture is, as far as it was said; it comes before the first scan.
    fn orientation(&self) -> Orientation {
        exif::orientation(self.exif, self.xmp)
    }

    /// Whether nothing more can come: without progression each component has one scan.
    fn done(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| !frame.progressive) && planes::complete(&self.planes)
    }
}
