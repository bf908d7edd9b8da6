//! Pictures that ask for much: PNG, GIF, WebP and BMP.

use crate::bytes::{Bits, crc32, cut, noise, zlib_zeros};

pub fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    [&(data.len() as u32).to_be_bytes(), body.as_slice(), &crc32(&body).to_be_bytes()].concat()
}

pub fn header(width: u32, height: u32, depth: u8, colour: u8, interlaced: u8) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[size.as_slice(), &[depth, colour, 0, 0, interlaced]].concat())
}

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1A\n";

pub fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [SIGNATURE, chunks.concat().as_slice(), &chunk(b"IEND", &[])].concat()
}

/// A black picture of `channels` of `bytes` each.
pub fn black(width: u32, height: u32, channels: usize, bytes: usize) -> Vec<u8> {
    let colour = match channels {
        1 => 0,
        3 => 2,
        _ => 6,
    };
    let length = height as usize * (1 + width as usize * channels * bytes);
    png(&[header(width, height, bytes as u8 * 8, colour, 0), chunk(b"IDAT", &zlib_zeros(length))])
}

pub fn pngs() -> Vec<(&'static str, Vec<u8>)> {
    let claims = |width, height| png(&[header(width, height, 8, 6, 0), chunk(b"IDAT", &zlib_zeros(100))]);
    let with = |extra: Vec<u8>| png(&[header(9, 9, 8, 2, 0), extra, chunk(b"IDAT", &zlib_zeros(9 * 28))]);
    let profile = [b"x\0\0".as_slice(), &zlib_zeros(1 << 30)].concat();
    let text = [b"x\0\0".as_slice(), &zlib_zeros(1 << 30)].concat();
    let many: Vec<u8> = std::iter::repeat_n(chunk(b"tEXt", b"a\0b"), 300_000).flatten().collect();
    let frames = [u32::MAX.to_be_bytes(), 0u32.to_be_bytes()].concat();
    let mut wrong = black(9, 9, 3, 1);
    wrong[50] ^= 0x55;
    vec![
        ("png 65535 x 65535", claims(65_535, 65_535)),
        ("png 2^31 x 2^31", claims(0x7FFF_FFFF, 0x7FFF_FFFF)),
        ("png 2^32 x 1", claims(u32::MAX, 1)),
        ("png 0 x 0", claims(0, 0)),
        ("png 1 x 100000", black(1, 100_000, 3, 1)),
        ("png 100000 x 1", black(100_000, 1, 3, 1)),
        ("png 65535 x 1", black(65_535, 1, 3, 1)),
        ("png 49 megapixels of RGB", black(7000, 7000, 3, 1)),
        ("png 49 megapixels of RGBA", black(7000, 7000, 4, 1)),
        ("png 49 megapixels of 16 bits RGBA", black(7000, 7000, 4, 2)),
        ("png 49 megapixels interlaced", png(&[header(7000, 7000, 8, 6, 1), chunk(b"IDAT", &zlib_zeros(1 << 28))])),
        ("png more pixels than it says", png(&[header(9, 9, 8, 2, 0), chunk(b"IDAT", &zlib_zeros(1 << 30))])),
        ("png fewer pixels than it says", claims(3000, 3000)),
        ("png no pixels", png(&[header(9, 9, 8, 2, 0)])),
        ("png no palette", png(&[header(9, 9, 8, 3, 0), chunk(b"IDAT", &zlib_zeros(90))])),
        ("png wrong depth", png(&[header(9, 9, 77, 99, 0), chunk(b"IDAT", &zlib_zeros(90))])),
        ("png cut", cut(black(500, 500, 3, 1), 300)),
        ("png signature only", SIGNATURE.to_vec()),
        ("png wrong checksum", wrong),
        ("png colour profile of 1 GiB", with(chunk(b"iCCP", &profile))),
        ("png text of 1 GiB", with(chunk(b"zTXt", &text))),
        ("png 300000 texts", with(many)),
        ("png 2^32 frames", with(chunk(b"acTL", &frames))),
        ("png noise for pixels", png(&[header(900, 900, 8, 2, 0), chunk(b"IDAT", &noise(1 << 20, 7))])),
        ("png chunk of 2^32 bytes", [SIGNATURE, &[0xFF; 4], b"IHDR"].concat()),
    ]
}

/// A frame's pixels, all 0, in LZW: each code stands for one more than the one before.
fn lzw_zeros(pixels: usize) -> Vec<u8> {
    let (mut bits, mut left, mut width) = (Bits::default(), pixels, 9);
    while left > 0 {
        bits.put(256, width);
        width = 9;
        // The first code after a clear one adds nothing to the table; each of the others stands for itself.
        let mut code = 257;
        while left > 0 && code < 4095 {
            bits.put(if code == 257 { 0 } else { code }, width);
            left = left.saturating_sub(code as usize - 256);
            code += 1;
            width += u32::from(code == 1 << width && width < 12);
        }
    }
    bits.put(257, width);
    let mut blocks = vec![8];
    for block in bits.bytes.chunks(255) {
        blocks.push(block.len() as u8);
        blocks.extend(block);
    }
    blocks.push(0);
    blocks
}

fn gif(width: u16, height: u16, body: &[u8]) -> Vec<u8> {
    let size = [width.to_le_bytes(), height.to_le_bytes()].concat();
    let palette = [0; 6];
    [b"GIF89a", size.as_slice(), &[0x80, 0, 0], &palette, body, b";"].concat()
}

/// Says that index 0 is transparent.
const CLEAR: &[u8] = &[0x21, 0xF9, 4, 1, 0, 0, 0, 0];

fn frame(left: u16, width: u16, height: u16, pixels: &[u8]) -> Vec<u8> {
    let place = [left, 0, width, height].map(u16::to_le_bytes).concat();
    [b",", place.as_slice(), &[0], pixels].concat()
}

pub fn gifs() -> Vec<(&'static str, Vec<u8>)> {
    let one = |width, height| frame(0, width, height, &lzw_zeros(usize::from(width) * usize::from(height)));
    let comments = [vec![0x21, 0xFE], [[1, b'x']; 1_000_000].concat(), vec![0]].concat();
    vec![
        ("gif 65535 x 65535", gif(65_535, 65_535, &one(9, 9))),
        ("gif frame of 65535 x 65535", gif(9, 9, &frame(0, 65_535, 65_535, &lzw_zeros(100)))),
        ("gif 49 megapixels", gif(7000, 7000, &one(7000, 7000))),
        ("gif 49 megapixels, some of them clear", gif(7000, 7000, &[CLEAR, one(7000, 7000).as_slice()].concat())),
        ("gif 49 megapixels, a row of them bare", gif(7000, 7000, &[CLEAR, one(7000, 6999).as_slice()].concat())),
        ("gif 200000 frames", gif(9, 9, &one(9, 9).repeat(200_000))),
        ("gif frame outside", gif(9, 9, &frame(60_000, 9, 9, &lzw_zeros(81)))),
        ("gif a million comments", gif(9, 9, &comments)),
        ("gif no frame", gif(9, 9, &[])),
        ("gif cut", cut(gif(900, 900, &one(900, 900)), 60)),
        ("gif noise for pixels", gif(900, 900, &frame(0, 900, 900, &[vec![8, 255], noise(255, 3), vec![0]].concat()))),
        ("gif code size 255", gif(9, 9, &frame(0, 9, 9, &[255, 1, 0, 0]))),
    ]
}

fn riff(kind: &[u8; 4], chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", ((chunks.len() + 4) as u32).to_le_bytes().as_slice(), kind, chunks].concat()
}

fn block(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let padding = vec![0; data.len() % 2];
    [kind.as_slice(), &(data.len() as u32).to_le_bytes(), data, &padding].concat()
}

/// A lossless picture of one colour: its pixels take no bits at all.
fn lossless(width: u32, height: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2F, 8);
    bits.put(width - 1, 14);
    bits.put(height - 1, 14);
    bits.put(0, 4);
    bits.put(0, 3);
    (0..5).for_each(|_| bits.put(1, 4));
    bits.bytes.extend([0; 8]);
    bits.bytes
}

pub fn webps() -> Vec<(&'static str, Vec<u8>)> {
    let extended = |flags: u8, side: u32| {
        let size = &(side - 1).to_le_bytes()[..3];
        block(b"VP8X", &[&[flags, 0, 0, 0], size, size].concat())
    };
    let one = [&[0; 16], block(b"VP8L", &lossless(1, 1)).as_slice()].concat();
    let frames = block(b"ANMF", &one).repeat(100_000);
    let animation = [extended(2, 1), block(b"ANIM", &[0; 6]), frames].concat();
    let key = [&[0x10, 0, 0, 0x9D, 1, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F], noise(5000, 5).as_slice()].concat();
    vec![
        ("webp 49 megapixels in 30 bytes", riff(b"WEBP", &block(b"VP8L", &lossless(7000, 7000)))),
        ("webp 16383 x 16383", riff(b"WEBP", &block(b"VP8L", &lossless(16_383, 16_383)))),
        ("webp noise", riff(b"WEBP", &block(b"VP8L", &[cut(lossless(7000, 7000), 5), noise(100_000, 9)].concat()))),
        ("webp lossy 16383 x 16383", riff(b"WEBP", &block(b"VP8 ", &key))),
        ("webp canvas of 2^24", riff(b"WEBP", &[extended(0x10, 1 << 24), block(b"ALPH", &[1; 99])].concat())),
        ("webp 100000 frames", riff(b"WEBP", &animation)),
        ("webp chunk of 2^32 bytes", riff(b"WEBP", b"VP8L\xFF\xFF\xFF\xFF")),
        ("webp cut", cut(riff(b"WEBP", &block(b"VP8L", &lossless(700, 700))), 24)),
    ]
}

fn bmp(width: i32, height: i32, bits: u16, compression: u32, offset: u32, data: &[u8]) -> Vec<u8> {
    let size = [40u32.to_le_bytes(), width.to_le_bytes(), height.to_le_bytes()].concat();
    let kind = [1u16.to_le_bytes(), bits.to_le_bytes()].concat();
    let rest = [compression, 0, 0, 0, 0, 0].map(u32::to_le_bytes).concat();
    let start = [14 + 40 + data.len() as u32, 0, offset].map(u32::to_le_bytes).concat();
    [b"BM", start.as_slice(), &size, &kind, &rest, data].concat()
}

pub fn bmps() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("bmp 2^31 x 2^31", bmp(i32::MAX, i32::MAX, 24, 0, 54, &[0; 99])),
        ("bmp height -2^31", bmp(9, i32::MIN, 24, 0, 54, &[0; 99])),
        (
            "bmp runs for 49 megapixels",
            bmp(7000, 7000, 8, 1, 54 + 1024, &[vec![0; 1024], [255, 0].repeat(192_157)].concat()),
        ),
        ("bmp no pixels for 49 megapixels", bmp(7000, 7000, 32, 0, 54, &[])),
        ("bmp offset beyond the end", bmp(9, 9, 24, 0, u32::MAX, &[0; 999])),
        ("bmp 0 bits", bmp(9, 9, 0, 0, 54, &[0; 99])),
    ]
}

/// Files that are about as long as they may be and ask for as much as they can.
pub fn large() -> Vec<(&'static str, Vec<u8>)> {
    let bomb = |side| png(&[header(side, side, 8, 6, 0), chunk(b"IDAT", &zlib_zeros(3_000_000_000))]);
    let texts = chunk(b"zTXt", &[b"x\0\0".as_slice(), &zlib_zeros(1 << 28)].concat()).repeat(11);
    let frames = frame(0, 7000, 7000, &lzw_zeros(49_000_000)).repeat(450);
    let pixels = [cut(lossless(7000, 7000), 5), noise(20_000_000, 67)].concat();
    let runs = [vec![0; 1024], [255, 0].repeat(10_000_000)].concat();
    vec![
        ("png 20 MB of zeros for 49 megapixels", bomb(7000)),
        ("png 20 MB of zeros for 81 pixels", bomb(9)),
        ("png 20 MB of texts that are 3 GB", png(&[header(9, 9, 8, 2, 0), texts, chunk(b"IDAT", &zlib_zeros(9 * 28))])),
        ("gif 450 frames of 49 megapixels", gif(7000, 7000, &frames)),
        ("webp 20 MB of noise", riff(b"WEBP", &block(b"VP8L", &pixels))),
        ("bmp 20 MB of runs", bmp(7000, 7000, 8, 1, 54 + 1024, &runs)),
    ]
}
