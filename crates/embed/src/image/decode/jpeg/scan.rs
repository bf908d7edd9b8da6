//! The coefficients of a scan, block by block. ITU-T T.81, annexes F.2 and G.2.

use super::frame::{Frame, Header, Tables, ZIGZAG};
use super::huffman::{Bits, Table};
use crate::Failure;
use crate::image::format::Format::Jpeg;

/// Coefficients of a block, quantised, in the order of its rows.
pub type Block = [i16; 64];

/// What is carried from block to block of a scan.
pub struct Scan<'a> {
    bits: Bits<'a>,
    /// The components' tables, where this scan needs them.
    dc: Vec<Option<&'a Table>>,
    ac: Vec<Option<&'a Table>>,
    /// The last DC coefficient of each component.
    last: Vec<i32>,
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
            dc: Vec::new(),
            ac: Vec::new(),
            last: vec![0; header.parts.len()],
            run: 0,
            band: header.band,
            precision: header.precision,
            progressive: frame.progressive,
            interval: tables.interval,
            left: tables.interval,
            over: false,
        };
        for (_, dc, ac) in &header.parts {
            scan.dc.push(find(&tables.dc, *dc, first == 0 && !refining)?);
            scan.ac.push(find(&tables.ac, *ac, last > 0)?);
        }
        Ok(scan)
    }

    /// Before each unit: restart where it is time to.
    pub fn unit(&mut self) -> Result<(), Failure> {
        if self.interval > 0 {
            if self.left == 0 {
                self.left = self.interval;
                self.run = 0;
                self.last.fill(0);
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
        let dc = self.dc.get(part).copied().flatten();
        let ac = self.ac.get(part).copied().flatten();
        match (self.progressive, self.band.0, self.precision.0) {
            (false, ..) => {
                if let (Some(dc), Some(ac)) = (dc, ac) {
                    self.first_dc(part, dc, block);
                    self.all_ac(ac, block);
                }
            }
            (true, 0, 0) => {
                if let Some(dc) = dc {
                    self.first_dc(part, dc, block);
                }
            }
            (true, 0, _) => {
                if self.bits.bit() {
                    block[0] |= 1 << self.precision.1;
                }
            }
            (true, _, 0) => {
                if let Some(ac) = ac {
                    self.first_ac(ac, block);
                }
            }
            (true, _, _) => {
                if let Some(ac) = ac {
                    self.refine_ac(ac, block);
                }
            }
        }
        self.over = self.bits.exhausted();
    }

    /// After the last unit: where the scan's bits end.
    pub fn finish(self) -> Result<usize, Failure> {
        if self.over && self.bits.at_end() {
            return Err(Jpeg.broken("it is cut short"));
        }
        Ok(self.bits.place())
    }

    #[inline(always)]
    fn first_dc(&mut self, part: usize, table: &Table, block: &mut Block) {
        self.bits.fill();
        let size = u32::from(self.bits.symbol(table) & 15);
        let difference = self.bits.signed(size);
        if let Some(last) = self.last.get_mut(part) {
            *last = last.wrapping_add(difference);
            block[0] = last.wrapping_shl(self.precision.1) as i16;
        }
    }

    /// All of a block's other coefficients, in one scan.
    #[inline(always)]
    fn all_ac(&mut self, table: &Table, block: &mut Block) {
        let mut at = 1;
        while at < 64 {
            self.bits.fill();
            let symbol = self.bits.symbol(table);
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if zeros != 15 {
                    break;
                }
                at += 16;
                continue;
            }
            at += zeros;
            let value = self.bits.signed(size);
            put(block, at, value as i16);
            at += 1;
        }
    }

    fn first_ac(&mut self, table: &Table, block: &mut Block) {
        if self.run > 0 {
            self.run -= 1;
            return;
        }
        let mut at = self.band.0;
        while at <= self.band.1 {
            self.bits.fill();
            let symbol = self.bits.symbol(table);
            let (zeros, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            if size == 0 {
                if zeros != 15 {
                    self.run = (1 << zeros) - 1 + self.bits.take(zeros as u32);
                    break;
                }
                at += 16;
                continue;
            }
            at += zeros;
            let value = self.bits.signed(size).wrapping_shl(self.precision.1);
            put(block, at, value as i16);
            at += 1;
        }
    }

    /// One more bit of each coefficient that there is, and new ones of one bit.
    fn refine_ac(&mut self, table: &Table, block: &mut Block) {
        let step = 1i16 << self.precision.1;
        let mut at = self.band.0;
        while self.run == 0 && at <= self.band.1 {
            self.bits.fill();
            let symbol = self.bits.symbol(table);
            let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
            let mut fresh = 0;
            if size != 0 {
                fresh = if self.bits.take(1) == 1 { step } else { -step };
            } else if zeros != 15 {
                self.run = (1 << zeros) + self.bits.take(zeros as u32);
                break;
            }
            at = self.refine(block, at, zeros, step);
            if fresh != 0 && at <= self.band.1 {
                put(block, at, fresh);
            }
            at += 1;
        }
        if self.run > 0 {
            self.refine(block, at, usize::MAX, step);
            self.run -= 1;
        }
    }

    /// Refine the coefficients that there are, up to the zero behind `zeros` others; give its place.
    fn refine(&mut self, block: &mut Block, mut at: usize, mut zeros: usize, step: i16) -> usize {
        while at <= self.band.1 {
            let place = ZIGZAG.get(at).copied().unwrap_or_default();
            let Some(value) = block.get_mut(usize::from(place)) else { break };
            if *value == 0 {
                if zeros == 0 {
                    break;
                }
                zeros -= 1;
            } else if self.bits.bit() && *value & step == 0 {
                *value = value.wrapping_add(if *value >= 0 { step } else { -step });
            }
            at += 1;
        }
        at
    }
}

#[inline(always)]
fn put(block: &mut Block, at: usize, value: i16) {
    if let Some(place) = ZIGZAG.get(at).and_then(|place| block.get_mut(usize::from(*place))) {
        *place = value;
    }
}
