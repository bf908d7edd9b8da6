//! Bits of a scan, and the codes in them. ITU-T T.81, annexes C and F.2.2.

/// Bits that the first look at a code takes.
const LOOK: u32 = 9;

/// A table of codes.
pub struct Table {
    /// For each value of the next [`LOOK`] bits: length of the code and symbol, or 0 where the code is longer.
    short: [u16; 1 << LOOK],
    /// For each length: the first code that is too large for it, moved to the left of 16 bits.
    ends: [u32; 17],
    /// For each length: what to add to a code to have its symbol's place.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// Make a table of the number of codes of each length, and the symbols in the order of their codes.
    pub fn new(lengths: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        if symbols.len() > 256 {
            return None;
        }
        let symbols = symbols.to_vec();
        let mut table = Table { short: [0; 1 << LOOK], ends: [0; 17], offsets: [0; 17], symbols };
        let (mut code, mut place) = (0u32, 0usize);
        let Table { short, ends, offsets, symbols } = &mut table;
        let slots = ends.iter_mut().zip(offsets).skip(1).zip(lengths);
        for (length, ((end, offset), count)) in (1u32..).zip(slots) {
            *offset = place as i32 - code as i32;
            for _ in 0..*count {
                if code >= 1 << length {
                    return None;
                }
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    let entry = (length as u16) << 8 | u16::from(*symbols.get(place)?);
                    short.get_mut(first..first + (1 << (LOOK - length)))?.fill(entry);
                }
                code += 1;
                place += 1;
            }
            *end = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }
}

/// The bits of one scan, up to the next marker.
pub struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    buffer: u64,
    /// Bits in the buffer, of which the last `made_up` are zeros from behind the end.
    count: u32,
    made_up: u32,
}

impl<'a> Bits<'a> {
    /// Read from a place in a file.
    pub fn new(data: &'a [u8], at: usize) -> Bits<'a> {
        Bits { data, at, buffer: 0, count: 0, made_up: 0 }
    }

    /// Have at least 32 bits in the buffer.
    #[inline(always)]
    pub fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        // Four bytes at once where none of them needs a look.
        if let Some(bytes) = self.data.get(self.at..).and_then(|tail| tail.first_chunk::<4>())
            && bytes.iter().all(|byte| *byte != 0xff)
        {
            self.buffer = (self.buffer << 32) | u64::from(u32::from_be_bytes(*bytes));
            self.count += 32;
            self.at += 4;
            return;
        }
        self.fill_slowly();
    }

    #[cold]
    fn fill_slowly(&mut self) {
        while self.count <= 48 {
            let (byte, step) = match self.data.get(self.at..) {
                Some([0xff, 0, ..]) => (0xff, 2),
                Some([0xff, ..] | []) | None => {
                    self.made_up += 8;
                    (0, 0)
                }
                Some([byte, ..]) => (*byte, 1),
            };
            self.buffer = (self.buffer << 8) | u64::from(byte);
            self.count += 8;
            self.at += step;
        }
    }

    /// Take up to 16 bits, after a [`Bits::fill`].
    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u32 {
        self.count = self.count.wrapping_sub(count);
        ((self.buffer >> (self.count & 63)) & ((1 << count) - 1)) as u32
    }

    /// Take one bit, filling up before it.
    #[inline(always)]
    pub fn bit(&mut self) -> bool {
        self.fill();
        self.take(1) == 1
    }

    /// Take a code and give its symbol, after a [`Bits::fill`]; 16 bits are still there afterwards. A code that is none
    /// counts as symbol 0, as libjpeg has it.
    #[inline(always)]
    pub fn symbol(&mut self, table: &Table) -> u8 {
        let look = (self.buffer >> (self.count - LOOK)) as usize & ((1 << LOOK) - 1);
        let entry = table.short.get(look).copied().unwrap_or(0);
        if entry != 0 {
            self.count -= u32::from(entry >> 8);
            return entry as u8;
        }
        self.long_symbol(table)
    }

    #[cold]
    fn long_symbol(&mut self, table: &Table) -> u8 {
        let look = (self.buffer >> (self.count - 16)) as u32 & 0xffff;
        let lengths = (1usize..).zip(table.ends.iter().zip(&table.offsets).skip(1));
        for (length, (end, offset)) in lengths {
            if look < *end {
                self.count -= length as u32;
                let code = (look >> (16 - length)) as i32;
                return usize::try_from(code + offset).ok().and_then(|at| table.symbols.get(at)).copied().unwrap_or(0);
            }
        }
        self.count -= 16;
        0
    }

    /// Take a number of `size` bits, at most 16, in the code where the first bit tells the sign.
    #[inline(always)]
    pub fn signed(&mut self, size: u32) -> i32 {
        if size == 0 {
            return 0;
        }
        let value = self.take(size) as i32;
        if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value }
    }

    /// Whether more bits were taken than there are before the next marker or the file's end.
    pub fn exhausted(&self) -> bool {
        self.count < self.made_up
    }

    /// Whether the file ends here, without a marker.
    pub fn at_end(&self) -> bool {
        self.data.get(self.at..).is_none_or(|tail| tail.len() < 2)
    }

    /// Go on behind the next restart marker, if it is the next marker; tell whether it is.
    pub fn restart(&mut self) -> bool {
        let marker = marker(self.data, self.at);
        let found = marker.filter(|(_, kind)| (0xd0..=0xd7).contains(kind));
        if let Some((at, _)) = found {
            *self = Bits::new(self.data, at + 2);
        }
        found.is_some()
    }

    /// Where the next marker may be.
    pub fn place(&self) -> usize {
        self.at
    }
}

/// Find the next marker from a place on: where it is, and its second byte.
pub fn marker(data: &[u8], from: usize) -> Option<(usize, u8)> {
    let tail = data.get(from..)?;
    let found = tail.windows(2).position(|pair| matches!(pair, [0xff, second] if !matches!(second, 0 | 0xff)))?;
    Some((from + found, *tail.get(found + 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes 0, 10, 110 and a long one, 1110 0000 0000.
    fn table() -> Table {
        let mut lengths = [0u8; 16];
        (lengths[0], lengths[1], lengths[2], lengths[11]) = (1, 1, 1, 1);
        Table::new(&lengths, &[7, 8, 9, 10]).unwrap()
    }

    #[test]
    fn codes_of_all_lengths_are_read() {
        let table = table();
        // 0 10 110 111000000000, then ones, which are no code.
        let mut bits = Bits::new(&[0b0101_1011, 0b1000_0000, 0b0011_1111, 0xff, 0x00, 0xff, 0x00, 0xff, 0x00], 0);
        let mut next = || {
            bits.fill();
            bits.symbol(&table)
        };
        assert_eq!([next(), next(), next(), next(), next()], [7, 8, 9, 10, 0]);
        assert!(!bits.exhausted());
    }

    #[test]
    fn tables_that_cannot_be_are_refused() {
        let mut lengths = [0u8; 16];
        lengths[0] = 3;
        assert!(Table::new(&lengths, &[1, 2, 3]).is_none());
        lengths[0] = 1;
        assert!(Table::new(&lengths, &[]).is_none());
    }

    #[test]
    fn signs_are_in_the_first_bit() {
        let mut bits = Bits::new(&[0b1010_1001, 0, 0, 0, 0, 0, 0, 0], 0);
        bits.fill();
        assert_eq!([bits.signed(3), bits.signed(2), bits.signed(0)], [5, -2, 0]);
    }

    #[test]
    fn bits_end_at_a_marker_and_go_on_behind_a_restart() {
        let mut bits = Bits::new(&[0xff, 0x00, 0xff, 0xd3, 0x80, 0, 0, 0, 0], 0);
        bits.fill();
        assert_eq!(bits.take(8), 0xff);
        assert!(!bits.exhausted() && !bits.at_end());
        assert_eq!(bits.take(1), 0);
        assert!(bits.exhausted());
        assert!(bits.restart() && bits.bit());
        assert!(!bits.restart());
    }
}
