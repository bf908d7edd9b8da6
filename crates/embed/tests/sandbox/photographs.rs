//! Pictures that ask for much: JPEG and TIFF.

use crate::bytes::{cut, noise, zlib_zeros};

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xFF, marker], ((data.len() + 2) as u16).to_be_bytes().as_slice(), data].concat()
}

/// A Huffman table with the one code `0`, which stands for `symbol`.
fn table(class: u8, symbol: u8) -> Vec<u8> {
    let mut counts = [0; 16];
    counts[0] = 1;
    segment(0xC4, &[&[class], counts.as_slice(), &[symbol]].concat())
}

fn frame(marker: u8, precision: u8, width: u16, height: u16, components: &[[u8; 3]]) -> Vec<u8> {
    let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
    segment(marker, &[&[precision], size.as_slice(), &[components.len() as u8], &components.concat()].concat())
}

/// Start of a scan of one component.
fn scan(first: u8, last: u8, data: &[u8]) -> Vec<u8> {
    [segment(0xDA, &[1, 1, 0, first, last, 0]).as_slice(), data].concat()
}

fn jpeg(segments: &[Vec<u8>]) -> Vec<u8> {
    let quantisation = segment(0xDB, &[vec![0], vec![1; 64]].concat());
    [&[0xFF, 0xD8], quantisation.as_slice(), &segments.concat(), &[0xFF, 0xD9]].concat()
}

/// A grey picture; each of its blocks takes two bits.
pub fn grey(width: u16, height: u16) -> Vec<u8> {
    let blocks = usize::from(width.div_ceil(8)) * usize::from(height.div_ceil(8));
    let pixels = scan(0, 63, &vec![0; blocks.div_ceil(4)]);
    jpeg(&[frame(0xC0, 8, width, height, &[[1, 0x11, 0]]), table(0, 0), table(0x10, 0), pixels])
}

/// A progressive picture whose scans have nothing to say, and visit every block.
fn idle_scans(side: u16, count: usize) -> Vec<u8> {
    let blocks = usize::from(side.div_ceil(8)).pow(2);
    let first = scan(0, 0, &vec![0; blocks.div_ceil(8)]);
    let runs = blocks.div_ceil(16_384);
    let idle = scan(1, 63, &vec![0; (runs * 15).div_ceil(8)]);
    jpeg(&[frame(0xC2, 8, side, side, &[[1, 0x11, 0]]), table(0, 0), table(0x10, 0xE0), first, idle.repeat(count)])
}

/// An Exif segment that says which way up the picture is.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = [b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".as_slice(), &[orientation, 0, 0, 0], &[0; 4]];
    segment(0xE1, &entry.concat())
}

/// A picture of 49 megapixels and full colour, without progression by units and with it in scans of one component each, of
/// `side` pixels a side; every block is there.
fn full(marker: u8, side: u16, first: Vec<u8>) -> Vec<u8> {
    let colour = [[1, 0x11, 0], [2, 0x11, 0], [3, 0x11, 0]];
    let blocks = usize::from(side.div_ceil(8)).pow(2);
    let last = if marker == 0xC0 { 63 } else { 0 };
    let all = segment(0xDA, &[3, 1, 0, 2, 0, 3, 0, 0, last, 0]);
    let pixels = [all.as_slice(), &vec![0; blocks * if marker == 0xC0 { 6 } else { 3 } / 8 + 1]].concat();
    jpeg(&[first, frame(marker, 8, side, side, &colour), table(0, 0), table(0x10, 0), pixels])
}

/// An Exif segment whose directory names itself as the next one.
fn exif_loop() -> Vec<u8> {
    segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x08\0\0\0")
}

/// Photographs as large as they may be, which must be read.
pub fn good() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("49 megapixels of colour", full(0xC0, 7000, Vec::new())),
        ("49 megapixels of colour, lying", full(0xC0, 7000, exif(6))),
        ("33 megapixels of colour, progressive, lying", full(0xC2, 5750, exif(6))),
    ]
}

/// A progressive photograph whose coefficients alone are 294 MB.
pub fn too_much() -> Vec<u8> {
    full(0xC2, 7000, Vec::new())
}

pub fn jpegs() -> Vec<(&'static str, Vec<u8>)> {
    let claims = |marker, precision, width, height, components: &[[u8; 3]]| {
        jpeg(&[frame(marker, precision, width, height, components), table(0, 0), table(0x10, 0), scan(0, 63, &[0; 99])])
    };
    let with = |extra: Vec<u8>| {
        let end = [frame(0xC0, 8, 9, 9, &[[1, 0x11, 0]]), table(0, 0), table(0x10, 0), scan(0, 63, &[0; 1])];
        jpeg(&[vec![extra], end.to_vec()].concat())
    };
    let colour = [[1, 0x22, 0], [2, 0x11, 0], [3, 0x11, 0]];
    vec![
        ("jpeg 49 megapixels of grey", grey(7000, 7000)),
        ("jpeg 49 megapixels of colour", full(0xC0, 7000, Vec::new())),
        ("jpeg 49 megapixels of colour, lying", full(0xC0, 7000, exif(6))),
        ("jpeg 33 megapixels of colour, progressive, lying", full(0xC2, 5750, exif(6))),
        ("jpeg 49 megapixels of colour, progressive, whole", full(0xC2, 7000, Vec::new())),
        ("jpeg 65535 x 65535", claims(0xC0, 8, 65_535, 65_535, &[[1, 0x11, 0]])),
        ("jpeg 1 x 65535", grey(1, 65_535)),
        ("jpeg 0 x 0", claims(0xC0, 8, 0, 0, &[[1, 0x11, 0]])),
        ("jpeg 49 megapixels of colour, progressive", claims(0xC2, 8, 7000, 7000, &colour)),
        ("jpeg 5000 idle scans", idle_scans(7000, 5000)),
        ("jpeg 200000 idle scans", idle_scans(800, 200_000)),
        ("jpeg a million tables", with([0xFF, 0xC4, 0, 2].repeat(1_000_000))),
        ("jpeg 500000 filled tables", with(table(0, 0).repeat(500_000))),
        (
            "jpeg 300 Exif segments of 64 kB",
            with(segment(0xE1, &[b"Exif\0\0".as_slice(), &[0; 65_000]].concat()).repeat(300)),
        ),
        ("jpeg Exif that goes round", with(exif_loop())),
        ("jpeg a million fill bytes", with(vec![0xFF; 1_000_000])),
        ("jpeg arithmetic", claims(0xC9, 8, 9, 9, &[[1, 0x11, 0]])),
        ("jpeg 12 bits", claims(0xC1, 12, 9, 9, &[[1, 0x11, 0]])),
        ("jpeg no components", claims(0xC0, 8, 9, 9, &[])),
        ("jpeg sampling 0", claims(0xC0, 8, 9, 9, &[[1, 0, 0]])),
        ("jpeg sampling 15", claims(0xC0, 8, 7000, 7000, &[[1, 0xFF, 0], [2, 0x11, 0], [3, 0x1F, 0]])),
        ("jpeg no tables", jpeg(&[frame(0xC0, 8, 9, 9, &[[1, 0x11, 9]]), scan(0, 63, &[0; 99])])),
        ("jpeg two frames", with(frame(0xC0, 8, 7000, 7000, &colour))),
        ("jpeg cut", cut(grey(700, 700), 150)),
        (
            "jpeg noise for pixels",
            jpeg(&[frame(0xC0, 8, 7000, 7000, &colour), table(0, 0), scan(0, 63, &noise(1 << 20, 11))]),
        ),
    ]
}

/// Tag, type (3 short, 4 long, 13 directory), count, value.
type Entry = (u16, u16, u32, u32);

fn directory(entries: &[Entry], next: u32) -> Vec<u8> {
    let entry = |(tag, kind, count, value): &Entry| {
        [&tag.to_le_bytes(), &kind.to_le_bytes(), count.to_le_bytes().as_slice(), &value.to_le_bytes()].concat()
    };
    let count = (entries.len() as u16).to_le_bytes();
    [count.as_slice(), &entries.iter().flat_map(entry).collect::<Vec<u8>>(), &next.to_le_bytes()].concat()
}

const START: &[u8] = b"II*\0\x08\0\0\0";

/// One picture with its only strip behind the directory.
fn tiff(size: (u32, u32), bits: u32, compression: u32, strip: &[u8], extra: &[Entry]) -> Vec<u8> {
    let count = 9 + extra.len();
    let offset = (8 + 2 + 12 * count + 4) as u32;
    let mut entries: Vec<Entry> = vec![
        (256, 4, 1, size.0),
        (257, 4, 1, size.1),
        (258, 3, 1, bits),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, offset),
        (277, 3, 1, 1),
        (278, 4, 1, size.1),
        (279, 4, 1, strip.len() as u32),
    ];
    entries.extend(extra);
    [START, &directory(&entries, 0), strip].concat()
}

/// Directories in a chain, each the next one of the one before or its child.
fn chain(count: u32, children: bool) -> Vec<u8> {
    let one = |at: u32| {
        let next = 8 + (at + 1) * 18;
        directory(&[(330, 13, 1, if children { next } else { 8 })], if children { 0 } else { next })
    };
    [START, (0..count).flat_map(one).collect::<Vec<u8>>().as_slice()].concat()
}

pub fn tiffs() -> Vec<(&'static str, Vec<u8>)> {
    let megapixels = 7000 * 7000;
    let many: Vec<Entry> = (0..50_000).map(|at| (40_000 + at % 20_000, 4, 1, 7)).collect();
    vec![
        ("tiff 49 megapixels, deflated", tiff((7000, 7000), 8, 8, &zlib_zeros(megapixels), &[])),
        ("tiff 49 megapixels of 64 bits, deflated", tiff((7000, 7000), 64, 8, &zlib_zeros(8 * megapixels), &[])),
        ("tiff 2^31 x 2^31", tiff((1 << 31, 1 << 31), 8, 1, &[0; 99], &[])),
        ("tiff 0 x 0", tiff((0, 0), 8, 1, &[0; 99], &[])),
        ("tiff more pixels than it says", tiff((9, 9), 8, 8, &zlib_zeros(1 << 30), &[])),
        ("tiff no pixels", tiff((5000, 5000), 8, 1, &[], &[])),
        ("tiff noise as LZW", tiff((5000, 5000), 8, 5, &noise(1 << 20, 13), &[])),
        ("tiff noise as fax", tiff((5000, 5000), 1, 4, &noise(1 << 20, 17), &[])),
        ("tiff noise as packed bits", tiff((7000, 7000), 8, 32_773, &noise(1 << 20, 19), &[])),
        ("tiff tiles of 2^31", tiff((9, 9), 8, 1, &[0; 99], &[(322, 4, 1, 1 << 31), (323, 4, 1, 1 << 31)])),
        ("tiff 2^32 strips", [START, &directory(&[(256, 4, 1, 9), (257, 4, 1, 9), (273, 4, u32::MAX, 8)], 0)].concat()),
        ("tiff directory that is its own next", [START, &directory(&[(256, 4, 1, 9)], 8)].concat()),
        ("tiff 60000 directories", chain(60_000, false)),
        ("tiff 60000 nested directories", chain(60_000, true)),
        ("tiff 50000 entries", tiff((9, 9), 8, 1, &[0; 99], &many)),
        ("tiff directory beyond the end", b"II*\0\xFF\xFF\xFF\x7F".to_vec()),
        ("tiff big, beyond the end", b"II+\0\x08\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F".to_vec()),
        ("tiff cut", cut(tiff((900, 900), 8, 1, &[0; 900], &[]), 60)),
    ]
}

/// Files that are as long as they may be, or longer, and ask for as much as they can.
pub fn large() -> Vec<(&'static str, Vec<u8>)> {
    let colour = [[1, 0x11, 0], [2, 0x11, 0], [3, 0x11, 0]];
    let noisy = |marker| {
        let pixels = [segment(0xDA, &[3, 1, 0, 2, 0, 3, 0, 0, 0, 0]).as_slice(), &noise(20_000_000, 53)].concat();
        jpeg(&[frame(marker, 8, 7000, 7000, &colour), table(0, 0), table(0x10, 0), pixels])
    };
    vec![
        ("jpeg 20 MB of idle scans", idle_scans(7000, 200_000)),
        ("jpeg 60 MB of idle scans", idle_scans(7000, 600_000)),
        ("jpeg 20 MB of noise, 49 megapixels", noisy(0xC0)),
        ("jpeg 20 MB of noise, 49 megapixels, progressive", noisy(0xC2)),
        ("tiff 20 MB of noise as LZW", tiff((7000, 7000), 8, 5, &noise(20_000_000, 59), &[])),
        ("tiff 20 MB of noise as fax", tiff((7000, 7000), 1, 4, &noise(20_000_000, 61), &[])),
        ("tiff 20 MB of zeros, deflated", tiff((7000, 7000), 64, 8, &zlib_zeros(3_000_000_000), &[])),
    ]
}
