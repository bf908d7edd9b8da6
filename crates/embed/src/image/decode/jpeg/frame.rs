//! What the segments of a JPEG file say: size, components, tables, and what else the decoder needs. ITU-T T.81, annex B.

use super::huffman::Table;
use crate::Failure;
use crate::image::format::Format::Jpeg;
use crate::image::limits::Limits;

/// Places of a block's coefficients in the order of the file, as places of the block's rows.
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// One colour's plane.
#[derive(Clone, Debug)]
pub struct Component {
    pub id: u8,
    /// Blocks of it in a unit, across and down.
    pub across: usize,
    pub down: usize,
    /// Number of its quantisation table.
    pub quantiser: usize,
    /// Samples that the picture needs.
    pub width: usize,
    pub height: usize,
    /// Blocks that a scan of it alone has.
    pub blocks: (usize, usize),
    /// Blocks that whole units have, for which there is room.
    pub room: (usize, usize),
}

/// The picture.
#[derive(Clone, Debug)]
pub struct Frame {
    pub width: u32,
    pub height: u32,
    pub progressive: bool,
    pub components: Vec<Component>,
    /// The most blocks of a component in a unit, across and down.
    pub most: (usize, usize),
    /// Units, across and down.
    pub units: (usize, usize),
}

/// Everything that segments set and later ones may set anew.
#[derive(Default)]
pub struct Tables {
    pub quantisers: [Option<Box<[u16; 64]>>; 4],
    pub dc: [Option<Box<Table>>; 4],
    pub ac: [Option<Box<Table>>; 4],
    /// Units between two restarts; 0 for none.
    pub interval: usize,
    /// Whether there is a JFIF segment.
    pub jfif: bool,
    /// What an Adobe segment says of the colours.
    pub transform: Option<u8>,
}

/// What a start of scan says.
pub struct Header {
    /// Components by their places in the frame, with the numbers of their tables for DC and AC.
    pub parts: Vec<(usize, usize, usize)>,
    /// The first and the last coefficient.
    pub band: (usize, usize),
    /// Bits of precision that earlier scans went down to, and that this one does.
    pub precision: (u32, u32),
}

fn bad(why: &str) -> Failure {
    Jpeg.broken(why)
}

impl Frame {
    /// Read a start of frame, whose marker ends in `kind`.
    pub fn read(kind: u8, segment: &[u8], limits: &Limits) -> Result<Frame, Failure> {
        let progressive = match kind {
            0 | 1 => false,
            2 => true,
            9 | 10 => return Err(bad("arithmetic coding is not read")),
            _ => return Err(bad("lossless and hierarchical coding are not read")),
        };
        let [precision, y1, y0, x1, x0, count, rest @ ..] = segment else { return Err(bad("its frame is cut short")) };
        if *precision != 8 {
            return Err(Jpeg.broken(format!("samples of {precision} bits are not read")));
        }
        let (width, height) = (u16::from_be_bytes([*x1, *x0]), u16::from_be_bytes([*y1, *y0]));
        let (width, height) = limits.check_size(width.into(), height.into())?;
        let stored = rest.as_chunks::<3>().0.get(..usize::from(*count)).ok_or_else(|| bad("its frame is cut short"))?;
        if ![1, 3, 4].contains(count) {
            return Err(Jpeg.broken(format!("it has {count} components; 1, 3 and 4 are read")));
        }
        let factors = |byte: u8| (usize::from(byte >> 4), usize::from(byte & 15));
        let all: Vec<(usize, usize)> = stored.iter().map(|[_, byte, _]| factors(*byte)).collect();
        if all.iter().any(|(across, down)| !(1..=4).contains(across) || !(1..=4).contains(down)) {
            return Err(bad("its subsampling is out of range"));
        }
        let most = all.iter().fold((1, 1), |most, next| (most.0.max(next.0), most.1.max(next.1)));
        if all.iter().any(|(across, down)| most.0 % across != 0 || most.1 % down != 0) {
            return Err(bad("subsampling by fractions is not read"));
        }
        let (wide, high) = (width as usize, height as usize);
        let units = (wide.div_ceil(8 * most.0), high.div_ceil(8 * most.1));
        let component = |([id, _, table], (across, down)): (&[u8; 3], (usize, usize))| {
            let (width, height) = ((wide * across).div_ceil(most.0), (high * down).div_ceil(most.1));
            Component {
                id: *id,
                across,
                down,
                quantiser: usize::from(*table & 3),
                width,
                height,
                blocks: (width.div_ceil(8), height.div_ceil(8)),
                room: (units.0 * across, units.1 * down),
            }
        };
        let components = stored.iter().zip(all).map(component).collect();
        Ok(Frame { width, height, progressive, components, most, units })
    }
}

impl Tables {
    /// Read tables of quantisation.
    pub fn read_quantisers(&mut self, mut segment: &[u8]) -> Result<(), Failure> {
        while let [head, rest @ ..] = segment {
            let size = if head >> 4 == 0 { 1 } else { 2 };
            let stored = rest.get(..64 * size).ok_or_else(|| bad("a table is cut short"))?;
            let mut table = Box::new([0u16; 64]);
            for (place, bytes) in ZIGZAG.iter().zip(stored.chunks_exact(size)) {
                let value = bytes.iter().fold(0u16, |value, byte| (value << 8) | u16::from(*byte));
                if let Some(target) = table.get_mut(usize::from(*place)) {
                    *target = value;
                }
            }
            *self.quantisers.get_mut(usize::from(head & 15)).ok_or_else(|| bad("a table has no such number"))? =
                Some(table);
            segment = rest.get(64 * size..).unwrap_or_default();
        }
        Ok(())
    }

    /// Read Huffman tables.
    pub fn read_codes(&mut self, mut segment: &[u8]) -> Result<(), Failure> {
        while let [head, rest @ ..] = segment {
            let (lengths, rest) = rest.split_first_chunk::<16>().ok_or_else(|| bad("a table is cut short"))?;
            let count = lengths.iter().map(|length| usize::from(*length)).sum();
            let symbols = rest.get(..count).ok_or_else(|| bad("a table is cut short"))?;
            let table = Table::new(lengths, symbols).ok_or_else(|| bad("a table of codes is wrong"))?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let place = tables.get_mut(usize::from(head & 15)).ok_or_else(|| bad("a table has no such number"))?;
            *place = Some(Box::new(table));
            segment = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }
}

impl Header {
    /// Read a start of scan.
    pub fn read(segment: &[u8], frame: &Frame) -> Result<Header, Failure> {
        let short = || bad("a scan's header is cut short");
        let (count, rest) = segment.split_first().ok_or_else(short)?;
        let (stored, rest) = rest.split_at_checked(2 * usize::from(*count)).ok_or_else(short)?;
        let [first, last, precision, ..] = rest else { return Err(short()) };
        let mut parts: Vec<(usize, usize, usize)> = Vec::new();
        for [id, tables] in stored.as_chunks::<2>().0 {
            let place = frame.components.iter().position(|component| component.id == *id);
            let place = place.filter(|place| !parts.iter().any(|(taken, _, _)| taken == place));
            let place = place.ok_or_else(|| bad("a scan names a component that the frame has not"))?;
            parts.push((place, usize::from(tables >> 4), usize::from(tables & 15)));
        }
        let header = Header {
            parts,
            band: if frame.progressive { (usize::from(*first), usize::from(*last)) } else { (0, 63) },
            precision: if frame.progressive { (u32::from(precision >> 4), u32::from(precision & 15)) } else { (0, 0) },
        };
        let (first, last) = header.band;
        let alone = header.parts.len() == 1;
        let banded = !frame.progressive || if first == 0 { last == 0 } else { alone && first <= last && last < 64 };
        let (high, low) = header.precision;
        if header.parts.is_empty() || !banded || low > 13 || (high != 0 && high != low + 1) {
            return Err(bad("a scan's header is wrong"));
        }
        Ok(header)
    }
}
