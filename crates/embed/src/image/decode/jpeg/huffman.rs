//! Bits of a scan, and the codes in them. ITU-T T.81, annexes C and F.2.2.

/// Bits that the first look at a code takes.
const LOOK: u32 = 10;

/// A code that is not longer than [`LOOK`] bits: from the lowest byte on the bits that it and the number behind it take,
/// its own length, and its symbol; or 0, where the code is longer.
#[derive(Clone, Copy)]
struct Code(u32);

impl Code {
    fn new(length: u32, symbol: u8) -> Code {
        Code(u32::from(symbol) << 16 | length << 8 | (length + u32::from(symbol & 15)))
    }

    /// At most 25 bits.
    #[inline(always)]
    fn with_number(self) -> u32 {
        self.0 & 63
    }

    #[inline(always)]
    fn length(self) -> u32 {
        self.0 >> 8 & 63
    }

    #[inline(always)]
    fn symbol(self) -> u8 {
        (self.0 >> 16) as u8
    }
}

/// A table of codes.
pub struct Table {
    /// For each value of the next [`LOOK`] bits, the code that they begin with.
    short: [Code; 1 << LOOK],
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
        let mut table = Table { short: [Code(0); 1 << LOOK], ends: [0; 17], offsets: [0; 17], symbols };
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
                    let entry = Code::new(length, *symbols.get(place)?);
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

    /// Look for a code of any length in the next 16 bits: its symbol and its length. A code that is none counts as symbol 0,
    /// as libjpeg has it.
    #[cold]
    #[inline(never)]
    fn long(&self, look: u32) -> (u8, u32) {
        let lengths = (1u32..).zip(self.ends.iter().zip(&self.offsets).skip(1));
        for (length, (end, offset)) in lengths {
            if look < *end {
                let code = (look >> (16 - length)) as i32;
                let place = usize::try_from(code + offset).ok();
                return (place.and_then(|at| self.symbols.get(at)).copied().unwrap_or(0), length);
            }
        }
        (0, 16)
    }
}

/// The bits of one scan, up to the next marker. Small, so that a loop keeps a copy in registers.
#[derive(Clone, Copy)]
pub struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits from the highest one down. Below `count` bits there may be the first ones of the byte that is next.
    buffer: u64,
    /// Bits in the buffer, of which the last `made_up` are zeros from behind the end.
    count: u32,
    made_up: u32,
}

/// A one in each byte.
const ONES: u64 = u64::MAX / 255;

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
        // As many whole bytes as there is room for, where none of the next eight needs a look: none is 0xff.
        if let Some(bytes) = self.data.get(self.at..).and_then(|tail| tail.first_chunk::<8>()) {
            let word = u64::from_be_bytes(*bytes);
            if (!word).wrapping_sub(ONES) & word & (ONES << 7) == 0 {
                let room = (63 - self.count) / 8;
                self.buffer |= word >> self.count;
                self.count += 8 * room;
                self.at += room as usize;
                return;
            }
        }
        *self = self.filled_slowly();
    }

    #[cold]
    #[inline(never)]
    fn filled_slowly(mut self) -> Bits<'a> {
        while self.count <= 56 {
            let (byte, step) = match self.data.get(self.at..) {
                Some([0xff, 0, ..]) => (0xff, 2),
                Some([0xff, ..] | []) | None => {
                    self.made_up += 8;
                    (0, 0)
                }
                Some([byte, ..]) => (*byte, 1),
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
            self.at += step;
        }
        self
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.buffer <<= count;
        self.count -= count;
    }

    /// Take up to 16 bits, after a [`Bits::fill`].
    #[inline(always)]
    pub fn take(&mut self, count: u32) -> u32 {
        let taken = self.buffer >> 1 >> (63 - count);
        self.skip(count);
        taken as u32
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
        let code = self.look(table);
        if code.0 != 0 {
            self.skip(code.length());
            return code.symbol();
        }
        let (symbol, length) = table.long((self.buffer >> 48) as u32);
        self.skip(length);
        symbol
    }

    #[inline(always)]
    fn look(&self, table: &Table) -> Code {
        table.short.get((self.buffer >> (64 - LOOK)) as usize).copied().unwrap_or(Code(0))
    }

    /// Take a code, and the number behind it that has as many bits as the lower half of its symbol says, after a
    /// [`Bits::fill`]; give both.
    #[inline(always)]
    pub fn coded(&mut self, table: &Table) -> (u8, i32) {
        let code = self.look(table);
        if code.0 != 0 {
            // The next code waits for nothing but the bits that both take.
            let number = signed(self.buffer << code.length(), u32::from(code.symbol() & 15));
            self.skip(code.with_number());
            return (code.symbol(), number);
        }
        let (symbol, length) = table.long((self.buffer >> 48) as u32);
        self.skip(length);
        let size = u32::from(symbol & 15);
        let number = signed(self.buffer, size);
        self.skip(size);
        (symbol, number)
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

/// The number of the first `size` bits, at most 15, in the code where the first one tells the sign.
#[inline(always)]
fn signed(bits: u64, size: u32) -> i32 {
    let value = (bits >> 1 >> (63 - size)) as i32;
    // All ones where the first bit is 0. It is as likely as 1, and a branch would be wrong half of the time.
    let negative = (!bits).cast_signed() >> 63;
    value - (negative as i32 & ((1 << size) - 1))
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

    /// The procedures of T.81, F.2.2.1 and F.2.2.3, bit by bit.
    struct Naive {
        bits: std::vec::IntoIter<bool>,
        made_up: bool,
    }

    impl Naive {
        fn new(file: &[u8]) -> Naive {
            let mut bytes = Vec::new();
            let mut rest = file;
            loop {
                (bytes, rest) = match rest {
                    [0xff, 0, rest @ ..] => ([bytes, vec![0xff]].concat(), rest),
                    [0xff, ..] | [] => break,
                    [byte, rest @ ..] => ([bytes, vec![*byte]].concat(), rest),
                };
            }
            let bits: Vec<bool> =
                bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1 == 1)).collect();
            Naive { bits: bits.into_iter(), made_up: false }
        }

        fn bit(&mut self) -> i32 {
            let bit = self.bits.next();
            self.made_up |= bit.is_none();
            i32::from(bit.unwrap_or(false))
        }

        fn symbol(&mut self, lengths: &[u8; 16], symbols: &[u8]) -> u8 {
            let (mut code, mut first, mut place) = (0, 0, 0);
            for count in lengths {
                code = code << 1 | self.bit();
                if code - first < i32::from(*count) {
                    return symbols[place + (code - first) as usize];
                }
                first = (first + i32::from(*count)) << 1;
                place += usize::from(*count);
            }
            0
        }

        fn number(&mut self, size: u8) -> i32 {
            let value = (0..size).fold(0, |value, _| value << 1 | self.bit());
            if size > 0 && value < 1 << (size - 1) { value - (1 << size) + 1 } else { value }
        }
    }

    /// Codes of all lengths: one of one bit, then as many of each length as leave some for the longer ones.
    fn wide_table() -> ([u8; 16], Vec<u8>) {
        let lengths = [0, 1, 2, 1, 2, 2, 3, 3, 4, 3, 5, 4, 3, 2, 2, 99];
        let symbols = (0..lengths.iter().map(|count| u32::from(*count)).sum()).map(|at| (at * 37) as u8);
        (lengths, symbols.collect())
    }

    #[test]
    fn codes_and_numbers_are_those_of_the_bit_by_bit_procedure() {
        let (lengths, symbols) = wide_table();
        let table = Table::new(&lengths, &symbols).unwrap();
        let mut state = 3u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for round in 0..500 {
            // Many bytes of ones, stuffed as they must be, and in half of the rounds a marker before the end.
            let bytes = (0..40 + round % 9).map(|_| next());
            let mut file: Vec<u8> =
                bytes.flat_map(|byte| if byte < 40 { vec![0xff, 0] } else { vec![byte.min(0xfe)] }).collect();
            if round % 2 == 0 {
                file.extend([0xff, 0xd9, 1, 2, 3]);
            }
            let (mut naive, mut bits) = (Naive::new(&file), Bits::new(&file, 0));
            while !naive.made_up {
                assert!(!bits.exhausted(), "{round}");
                bits.fill();
                if next() % 2 == 0 {
                    let symbol = naive.symbol(&lengths, &symbols);
                    assert_eq!(bits.coded(&table), (symbol, naive.number(symbol & 15)), "{round}");
                } else {
                    assert_eq!(bits.symbol(&table), naive.symbol(&lengths, &symbols), "{round}");
                    let size = next() % 17;
                    let value = (0..size).fold(0, |value, _| value << 1 | naive.bit());
                    assert_eq!(bits.take(u32::from(size)), value as u32, "{round}");
                }
            }
            assert!(bits.exhausted(), "{round}");
        }
    }

    #[test]
    fn signs_are_in_the_first_bit() {
        let bits = |byte: u8| u64::from(byte) << 56;
        assert_eq!([signed(bits(0b1010_0000), 3), signed(bits(0b0100_0000), 2), signed(u64::MAX, 0)], [5, -2, 0]);
        assert_eq!([signed(u64::MAX, 15), signed(0, 15), signed(0, 0)], [32767, -32767, 0]);
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
