//! What files are made of: checksums, bits, and a deflate stream that is much shorter than what it stands for.

/// CRC-32 as in PNG and zip.
pub fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// A checksum over `width` bits with the polynomial `polynomial`, highest bit first, as in FLAC.
pub fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let top = 1 << (width - 1);
    let step = |crc: u32| if crc & top != 0 { (crc << 1) ^ polynomial } else { crc << 1 };
    let mask = if width == 8 { 0xFF } else { 0xFFFF };
    bytes.iter().fold(0, |crc, byte| {
        let begun = crc ^ (u32::from(*byte) << (width - 8));
        (0..8).fold(begun, |crc, _| step(crc) & mask)
    })
}

/// Bits, lowest first, as in deflate, GIF and WebP.
#[derive(Default)]
pub struct Bits {
    pub bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    pub fn put(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.used == 0 {
                self.bytes.push(0);
            }
            let bit = (value >> at & 1) as u8;
            *self.bytes.last_mut().expect("a byte was begun") |= bit << self.used;
            self.used = (self.used + 1) % 8;
        }
    }

    /// A Huffman code, whose highest bit comes first.
    pub fn put_code(&mut self, code: u32, count: u32) {
        (0..count).rev().for_each(|at| self.put(code >> at & 1, 1));
    }
}

/// A zlib stream of `length` zeros; a byte of it stands for some 150.
pub fn zlib_zeros(length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(1, 1);
    bits.put(1, 2);
    let mut left = length;
    if left > 0 {
        bits.put_code(0x30, 8);
        left -= 1;
    }
    while left >= 258 {
        // Length 258 is code 285, which has no extra bits; the distance 1 is code 0.
        bits.put_code(0xC5, 8);
        bits.put_code(0, 5);
        left -= 258;
    }
    (0..left).for_each(|_| bits.put_code(0x30, 8));
    bits.put_code(0, 7);
    let adler = ((length % 65521) as u32) << 16 | 1;
    [&[0x78, 0x9C], bits.bytes.as_slice(), &adler.to_be_bytes()].concat()
}

/// Bytes without order, the same each time.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Cut a file in the middle.
pub fn cut(mut file: Vec<u8>, length: usize) -> Vec<u8> {
    file.truncate(length);
    file
}
