//! Sounds that ask for much, or are none.

use crate::bytes::{crc, cut, noise};

fn chunk(kind: &[u8; 4], claimed: u32, data: &[u8]) -> Vec<u8> {
    [kind.as_slice(), &claimed.to_le_bytes(), data].concat()
}

struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    align: u16,
    bits: u16,
}

/// Sixteen bits, one channel.
const PLAIN: Format = Format { tag: 1, channels: 1, rate: 8000, align: 2, bits: 16 };

fn wav(format: &Format, claimed: u32, data: &[u8]) -> Vec<u8> {
    let Format { tag, channels, rate, align, bits } = *format;
    let rates = [rate, rate.saturating_mul(u32::from(align))].map(u32::to_le_bytes).concat();
    let start = [tag, channels].map(u16::to_le_bytes).concat();
    let end = [align, bits].map(u16::to_le_bytes).concat();
    let body = [start, rates, end].concat();
    let chunks = [b"WAVE".to_vec(), chunk(b"fmt ", 16, &body), chunk(b"data", claimed, data)].concat();
    chunk(b"RIFF", claimed.saturating_add(36), &chunks)
}

/// A tone at `rate` hertz, 16 bits, one channel.
pub fn tone(rate: u32, seconds: u32) -> Vec<u8> {
    let sample = |at: u32| ((f64::from(at) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin() * 9000.0) as i16;
    let data: Vec<u8> = (0..rate * seconds).flat_map(|at| sample(at).to_le_bytes()).collect();
    wav(&Format { rate, ..PLAIN }, data.len() as u32, &data)
}

/// Just under ten minutes, with as many samples as a file of 25 MB has room for: 40,000 a second, of 8 bits.
pub fn long() -> Vec<u8> {
    let data: Vec<u8> = (0..599 * 40_000_u32).map(|at| 100 + (at % 55) as u8).collect();
    wav(&Format { rate: 40_000, align: 1, bits: 8, ..PLAIN }, data.len() as u32, &data)
}

fn wavs() -> Vec<(&'static str, Vec<u8>)> {
    let bad = |format: Format| wav(&format, 4000, &[0; 4000]);
    let nested = (0..100_000).fold(Vec::new(), |mut all, _| {
        all.extend(chunk(b"LIST", 0xFFFF_0000, b"INFO"));
        all
    });
    vec![
        ("wav 10 hours that are not there", wav(&PLAIN, 576_000_000, &[0; 4000])),
        ("wav 24 MB of silence", wav(&Format { align: 1, bits: 8, ..PLAIN }, 24_000_000, &vec![128; 24_000_000])),
        ("wav 2^32 bytes", wav(&PLAIN, u32::MAX, &[0; 4000])),
        ("wav 65535 channels", bad(Format { channels: 65_535, align: 65_535, ..PLAIN })),
        ("wav no channels", bad(Format { channels: 0, ..PLAIN })),
        ("wav rate 0", bad(Format { rate: 0, ..PLAIN })),
        ("wav rate 1", bad(Format { rate: 1, ..PLAIN })),
        ("wav rate 2^32", bad(Format { rate: u32::MAX, ..PLAIN })),
        ("wav 0 bits", bad(Format { bits: 0, align: 0, ..PLAIN })),
        ("wav 65535 bits", bad(Format { bits: 65_535, ..PLAIN })),
        ("wav adpcm, align 0", bad(Format { tag: 2, align: 0, bits: 4, ..PLAIN })),
        ("wav adpcm, align 65535", bad(Format { tag: 17, align: 65_535, bits: 4, ..PLAIN })),
        ("wav mp3 inside", bad(Format { tag: 0x55, ..PLAIN })),
        ("wav nested lists", [b"RIFF\xFF\xFF\xFF\xFFWAVE".to_vec(), nested].concat()),
        ("wav no data", wav(&PLAIN, 0, &[])),
        ("wav cut", cut(tone(8000, 1), 30)),
    ]
}

fn streaminfo(rate: u32, channels: u8, samples: u64) -> Vec<u8> {
    let sizes = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0];
    let packed = u64::from(rate) << 44 | u64::from(channels - 1) << 41 | 15 << 36 | (samples & 0xF_FFFF_FFFF);
    [&[0x80, 0, 0, 34], sizes.as_slice(), &packed.to_be_bytes(), &[0; 16]].concat()
}

/// A frame of 65,535 zeros; its number is below 65,536.
fn constant_frame(number: u32) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xF8, 0x70, 0];
    bytes.extend(char::from_u32(number).filter(|_| number < 0xD800).unwrap_or('\u{D7FF}').to_string().as_bytes());
    bytes.extend([0xFF, 0xFE]);
    bytes.push(crc(&bytes, 8, 0x07) as u8);
    bytes.extend([0, 0, 0]);
    bytes.extend((crc(&bytes, 16, 0x8005) as u16).to_be_bytes());
    bytes
}

fn flacs() -> Vec<(&'static str, Vec<u8>)> {
    let metadata = |kind: u8, length: u32, data: &[u8]| {
        let mut start = streaminfo(8000, 1, 8000);
        start[0] = 0;
        let head = [&[0x80 | kind], &length.to_be_bytes()[1..]].concat();
        [b"fLaC", start.as_slice(), &head, data].concat()
    };
    let silence: Vec<u8> = (0..4394).flat_map(constant_frame).collect();
    let comments = [0u32.to_le_bytes(), u32::MAX.to_le_bytes()].concat();
    vec![
        ("flac 10 hours of silence", [b"fLaC".to_vec(), streaminfo(8000, 1, 288_000_000), silence.clone()].concat()),
        ("flac 10 hours of silence, no length", [b"fLaC".to_vec(), streaminfo(8000, 1, 0), silence].concat()),
        ("flac 2^36 samples", [b"fLaC".to_vec(), streaminfo(8000, 1, u64::MAX), constant_frame(0)].concat()),
        ("flac rate 0", [b"fLaC".to_vec(), streaminfo(0, 1, 9), constant_frame(0)].concat()),
        ("flac picture of 16 MB", metadata(6, 0xFF_FFFF, &[0; 99])),
        ("flac 2^32 comments", metadata(4, 8, &comments)),
        ("flac seek table", metadata(3, 18 * 900_000, &vec![0; 18 * 900_000])),
        ("flac noise for frames", [b"fLaC".to_vec(), streaminfo(44_100, 2, 1 << 30), noise(1 << 20, 23)].concat()),
        ("flac no frames", [b"fLaC".to_vec(), streaminfo(8000, 1, 99)].concat()),
        ("flac cut", b"fLaC\0\0".to_vec()),
    ]
}

fn mp3s() -> Vec<(&'static str, Vec<u8>)> {
    // 8 kbit/s at 8 kHz, one channel: 72 bytes for 72 milliseconds of nothing.
    let silent = [vec![0xFF, 0xE3, 0x18, 0xC4], vec![0; 68]].concat();
    let tag = |size: [u8; 4], data: &[u8]| [b"ID3\x04\0\0", size.as_slice(), data].concat();
    vec![
        ("mp3 6 hours of silence", silent.repeat(300_000)),
        ("mp3 tag of 256 MB", tag([0x7F; 4], &[0; 99])),
        ("mp3 200000 tags", tag([0; 4], &[]).repeat(200_000)),
        ("mp3 sync words", [0xFF, 0xFB].repeat(500_000)),
        ("mp3 noise after a header", [silent, noise(1 << 20, 29)].concat()),
        ("mp3 free format", [0xFF, 0xFB, 0x00, 0xC4].repeat(100_000)),
    ]
}

fn boxed(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&((data.len() + 8) as u32).to_be_bytes(), kind.as_slice(), data].concat()
}

fn mp4s() -> Vec<(&'static str, Vec<u8>)> {
    let start = boxed(b"ftyp", b"M4A \0\0\0\0M4A mp42");
    let deep = (0..20_000).fold(Vec::new(), |inside, _| boxed(b"moov", &inside[..inside.len().min(160_000)]));
    let sizes = [0, 0, u32::MAX].map(u32::to_be_bytes).concat();
    let table = ["stsz", "stts", "stsc", "stco", "trak", "moov"]
        .iter()
        .fold(sizes, |inside, kind| boxed(kind.as_bytes().try_into().expect("four letters"), &inside));
    vec![
        ("mp4 nested boxes", [start.clone(), deep].concat()),
        ("mp4 2^32 sizes", [start.clone(), table].concat()),
        ("mp4 box of no size", [start.clone(), b"\0\0\0\0moov".to_vec()].concat()),
        ("mp4 box of 2^64 bytes", [start.clone(), b"\0\0\0\x01moov\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF".to_vec()].concat()),
        ("mp4 box of 1 byte", [start, b"\0\0\0\x02moov".to_vec()].concat()),
    ]
}

fn page(flags: u8, granule: u64, number: u32, segments: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes =
        [b"OggS\0".as_slice(), &[flags], &granule.to_le_bytes(), &[1, 0, 0, 0], &number.to_le_bytes(), &[0; 4]]
            .concat();
    bytes.push(segments.len() as u8);
    bytes.extend(segments);
    bytes.extend(data);
    // The checksum has CRC-32's polynomial, highest bit first.
    let step = |crc: u32| if crc >> 31 == 1 { (crc << 1) ^ 0x04C1_1DB7 } else { crc << 1 };
    let sum = bytes.iter().fold(0, |crc: u32, byte| (0..8).fold(crc ^ (u32::from(*byte) << 24), |crc, _| step(crc)));
    bytes[22..26].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn oggs() -> Vec<(&'static str, Vec<u8>)> {
    let identification = |channels: u8, rate: u32, blocks: u8| {
        let head =
            [b"\x01vorbis\0\0\0\0".as_slice(), &[channels], &rate.to_le_bytes(), &[0; 12], &[blocks, 1]].concat();
        page(2, 0, 0, &[head.len() as u8], &head)
    };
    let comments = [b"\x03vorbis\0\0\0\0".as_slice(), &u32::MAX.to_le_bytes()].concat();
    let comments = page(0, 0, 1, &[comments.len() as u8], &comments);
    let empty: Vec<u8> = (1..200_000).flat_map(|number| page(0, u64::MAX >> 1, number, &[], &[])).collect();
    let endless: Vec<u8> = (1..80).flat_map(|number| page(1, u64::MAX, number, &[255; 255], &[0; 65_025])).collect();
    vec![
        ("ogg 2^32 comments", [identification(1, 8000, 0xB8), comments].concat()),
        ("ogg 255 channels", identification(255, u32::MAX, 0xFF)),
        ("ogg rate 0", identification(1, 0, 0x00)),
        ("ogg 200000 empty pages", [identification(1, 8000, 0xB8), empty].concat()),
        ("ogg packet without end", [identification(1, 8000, 0xB8), endless].concat()),
        ("ogg noise", [identification(2, 44_100, 0xB8), noise(1 << 20, 31)].concat()),
    ]
}

pub fn sounds() -> Vec<(&'static str, Vec<u8>)> {
    let aiff = [
        b"FORM\x7F\xFF\xFF\xFFAIFFCOMM\0\0\0\x12\xFF\xFF\xFF\xFF\xFF\xFF\0\x10".as_slice(),
        &[0xFF; 10],
        b"SSND\xFF\xFF\xFF\xFF",
    ]
    .concat();
    let other = vec![
        ("aiff 2^32 frames of 65535 channels", aiff),
        ("adts noise", [0xFF, 0xF1, 0x50, 0x80, 0x43, 0xFF, 0xFC].repeat(50_000)),
        ("matroska", [b"\x1A\x45\xDF\xA3\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF".as_slice(), &noise(300, 37)].concat()),
    ];
    [wavs(), flacs(), mp3s(), mp4s(), oggs(), other].concat()
}

/// Files that are about as long as they may be.
pub fn large() -> Vec<(&'static str, Vec<u8>)> {
    let start = |samples| [b"fLaC".to_vec(), streaminfo(44_100, 2, samples)].concat();
    let silent = [vec![0xFF, 0xE3, 0x18, 0xC4], vec![0; 68]].concat();
    let fast = wav(&Format { rate: 192_000, ..PLAIN }, 24_000_000, &noise(24_000_000, 71));
    vec![
        ("wav 24 MB of noise at 192 kHz", fast),
        ("flac 24 MB of noise", [start(1 << 30), noise(24_000_000, 73)].concat()),
        ("flac 24 MB of silence", [start(0), (0..2_000_000).flat_map(constant_frame).collect()].concat()),
        ("mp3 24 MB of silence", silent.repeat(333_000)),
        ("mp3 24 MB of sync words", [0xFF, 0xFB].repeat(12_000_000)),
        ("mp3 24 MB of noise", [silent, noise(24_000_000, 79)].concat()),
        ("mp3 24 MB of tags", b"ID3\x04\0\0\0\0\0\0".repeat(2_400_000)),
        ("60 MB of noise", noise(60_000_000, 83)),
    ]
}
