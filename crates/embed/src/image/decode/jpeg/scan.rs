//! The coefficients of a scan, block by block. ITU-T T.81, annexes F.2 and G.2.

use super::frame::{Frame, Header, Tables, ZIGZAG};
use super::huffman::{Bits, Table};
use crate::Failure;
use crate::image::format::Format::Jpeg;

/// Coefficients of a block, quantised, in the order of its rows.
pub type Block = [i16; 64];

/// What a component has in a scan: its tables, where they are needed, and its last DC coefficient.
struct Part<'a> {
    dc: Option<&'a Table>,
    ac: Option<&'a Table>,
    last: i32,
}

/// What is carried from block to block of a scan.
pub struct Scan<'a> {
    bits: Bits<'a>,
    parts: Vec<Part<'a>>,
    /// Blocks from here on that have no more coefficients in this band.
    run: u32,
    band: (usize, usize),
    precision: (u32, u32),
    progressive: bool,
    interval: usize,
    /// Units until the next restart.
    left: usize,
    /// Whether the bits ended too early; the blocks up to the next restart stay as they are.
    over: bool,
}

impl<'a> Scan<'a> {
    /// Begin a scan whose bits start at a place of the file.
    pub fn new(
        file: &'a [u8],
        at: usize,
        header: &Header,
        frame: &Frame,
        tables: &'a Tables,
    ) -> Result<Scan<'a>, Failure> {
        let (first, last) = header.band;
        let refining = header.precision.0 != 0;
        let find = |tables: &'a [Option<Box<Table>>; 4], number: usize, needed: bool| match tables.get(number) {
            _ if !needed => Ok(None),
            Some(Some(table)) => Ok(Some(table.as_ref())),
            _ => Err(Jpeg.broken("a scan names a table that is not there")),
        };
        let mut scan = Scan {
            bits: Bits::new(file, at),
            parts: Vec::new(),
            run: 0,
            band: header.band,
            precision: header.precision,
            progressive: frame.progressive,
            interval: tables.interval,
            left: tables.interval,
            over: false,
        };
        for (_, dc, ac) in &header.parts {
            let dc = find(&tables.dc, *dc, first == 0 && !refining)?;
            scan.parts.push(Part { dc, ac: find(&tables.ac, *ac, last > 0)?, last: 0 });
        }
        Ok(scan)
    }

    /// Before each unit: restart where it is time to.
    pub fn unit(&mut self) -> Result<(), Failure> {
        if self.interval > 0 {
            if self.left == 0 {
                self.left = self.interval;
                self.run = 0;
                self.parts.iter_mut().for_each(|part| part.last = 0);
                self.over = !self.bits.restart();
            }
            self.left -= 1;
        }
        if self.over && self.bits.at_end() {
            return Err(Jpeg.broken("it is cut short"));
        }
        Ok(())
    }

    /// Read one block of the scan's component `part`.
    #[inline(always)]
    pub fn block(&mut self, part: usize, block: &mut Block) {
        if self.over {
            return;
        }
        let Some(part) = self.parts.get_mut(part) else { return };
        // The bits go along as a copy, which stays in registers.
        let mut bits = self.bits;
        match (self.progressive, self.band.0, self.precision.0) {
            (false, ..) => {
                if let (Some(dc), Some(ac)) = (part.dc, part.ac) {
                    block[0] = first_dc(&mut bits, dc, &mut part.last) as i16;
                    all_ac(&mut bits, ac, block);
                }
            }
            (true, 0, 0) => {
                if let Some(dc) = part.dc {
                    block[0] = first_dc(&mut bits, dc, &mut part.last).wrapping_shl(self.precision.1) as i16;
                }
            }
            (true, 0, _) => {
                if bits.bit() {
                    block[0] |= 1 << self.precision.1;
                }
            }
            (true, _, 0) => {
                if let Some(ac) = part.ac {
                    self.run = first_ac(&mut bits, ac, block, self.run, self.band, self.precision.1);
                }
            }
            (true, _, _) => {
                if let Some(ac) = part.ac {
                    self.run = refine_ac(&mut bits, ac, block, self.run, self.band, self.precision.1);
                }
            }
        }
        self.bits = bits;
        self.over = bits.exhausted();
    }

    /// After the last unit: where the scan's bits end.
    pub fn finish(self) -> Result<usize, Failure> {
        if self.over && self.bits.at_end() {
            return Err(Jpeg.broken("it is cut short"));
        }
        Ok(self.bits.place())
    }
}

/// The DC coefficient of the next block, of which `last` is the one before.
#[inline(always)]
fn first_dc(bits: &mut Bits<'_>, table: &Table, last: &mut i32) -> i32 {
    bits.fill();
    let (_, difference) = bits.coded(table);
    *last = last.wrapping_add(difference);
    *last
}

/// All of a block's other coefficients, in one scan.
#[inline(always)]
fn all_ac(bits: &mut Bits<'_>, table: &Table, block: &mut Block) {
    let mut at = 1;
    while at < 64 {
        bits.fill();
        let (symbol, value) = bits.coded(table);
        let zeros = usize::from(symbol >> 4);
        if symbol & 15 == 0 {
            if zeros != 15 {
                break;
            }
            at += 16;
            continue;
        }
        at += zeros;
        put(block, at, value as i16);
        at += 1;
    }
}

/// Read a band's coefficients down to `low`; give the blocks from here on that have none.
fn first_ac(
    bits: &mut Bits<'_>,
    table: &Table,
    block: &mut Block,
    run: u32,
    (first, last): (usize, usize),
    low: u32,
) -> u32 {
    if run > 0 {
        return run - 1;
    }
    let mut at = first;
    while at <= last {
        bits.fill();
        let (symbol, value) = bits.coded(table);
        let zeros = symbol >> 4;
        if symbol & 15 == 0 {
            if zeros != 15 {
                return (1 << zeros) - 1 + bits.take(u32::from(zeros));
            }
            at += 16;
            continue;
        }
        at += usize::from(zeros);
        put(block, at, value.wrapping_shl(low) as i16);
        at += 1;
    }
    0
}

/// One more bit of each coefficient that there is, and new ones of one bit; give the blocks from here on that have no new
/// ones.
fn refine_ac(
    bits: &mut Bits<'_>,
    table: &Table,
    block: &mut Block,
    mut run: u32,
    (first, last): (usize, usize),
    low: u32,
) -> u32 {
    let step = 1i16 << low;
    let mut at = first;
    while run == 0 && at <= last {
        bits.fill();
        let symbol = bits.symbol(table);
        let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
        let mut fresh = 0;
        if size != 0 {
            fresh = if bits.take(1) == 1 { step } else { -step };
        } else if zeros != 15 {
            run = (1 << zeros) + bits.take(zeros as u32);
            break;
        }
        at = refine(bits, block, (at, last), zeros, step);
        if fresh != 0 && at <= last {
            put(block, at, fresh);
        }
        at += 1;
    }
    if run > 0 {
        refine(bits, block, (at, last), usize::MAX, step);
        run -= 1;
    }
    run
}

/// Refine the coefficients that there are, up to the zero behind `zeros` others; give its place.
fn refine(
    bits: &mut Bits<'_>,
    block: &mut Block,
    (mut at, last): (usize, usize),
    mut zeros: usize,
    step: i16,
) -> usize {
    while at <= last {
        let place = ZIGZAG.get(at).copied().unwrap_or_default();
        let Some(value) = block.get_mut(usize::from(place)) else { break };
        if *value == 0 {
            if zeros == 0 {
                break;
            }
            zeros -= 1;
        } else if bits.bit() && *value & step == 0 {
            *value = value.wrapping_add(if *value >= 0 { step } else { -step });
        }
        at += 1;
    }
    at
}

#[inline(always)]
fn put(block: &mut Block, at: usize, value: i16) {
    if let Some(place) = ZIGZAG.get(at).and_then(|place| block.get_mut(usize::from(*place))) {
        *place = value;
    }
}
