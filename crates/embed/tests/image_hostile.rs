//! Risk: a file of a user's choice brings the engine down, or takes memory that its limits forbid.
//!
//! Files of every format are made on the spot, cut short everywhere, changed at random and given false sizes. Each must
//! become a picture or an error, and the bytes that are allocated in the meantime stay in proportion to the limits.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Cursor;

use vw_embed::image::{Limits, decode};
use vw_protocol::ErrorCode;

/// Counts what this thread holds, and the most that it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: all work is the system allocator's; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's duties are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above; `place` came from this allocator, which is the system's.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Small enough that a file which gets around them is noticed.
const LIMITS: Limits = Limits { file: 1 << 20, pixels: 1 << 18, side: 4096, memory: 8 << 20 };
/// Several times what the limits allow for a picture and its decoder; the formats' own tables are below it.
const MEMORY: isize = 24 << 20;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut random = Random(length as u64);
    (0..length).map(|at| if at % 3 == 0 { random.next() as u8 } else { (at / 7) as u8 }).collect()
}

/// Decode, and hold the outcome to the promise.
fn attempt(name: &str, file: &[u8]) -> bool {
    let before = HELD.get();
    MOST.set(before);
    let outcome = decode(file, &LIMITS);
    let most = MOST.get() - before;
    assert!(most <= MEMORY, "{name}: {most} bytes allocated");
    match outcome {
        Ok(picture) => {
            let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
            assert!(width * height <= LIMITS.pixels, "{name}: {width} x {height}");
            assert_eq!(picture.samples().len() as u64, width * height * picture.channels() as u64, "{name}");
            true
        }
        Err(failure) => {
            assert_eq!(failure.code, ErrorCode::BadInput, "{name}: {failure}");
            assert!(!failure.message.is_empty());
            false
        }
    }
}

fn png(colour: png::ColorType, depth: png::BitDepth, interlaced: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut info = png::Info::with_size(19, 14);
    (info.color_type, info.bit_depth, info.interlaced) = (colour, depth, false);
    let row = colour.samples() * depth as usize * 19;
    if colour == png::ColorType::Indexed {
        info.palette = Some(noise(48).into());
        info.trns = Some(noise(5).into());
    }
    let encoder = png::Encoder::with_info(&mut file, info).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&noise(row.div_ceil(8) * 14)).unwrap();
    drop(writer);
    if interlaced {
        // The same rows read as passes: fewer than the picture needs, or other ones.
        file[28] = 1;
    }
    file
}

fn webp(width: u32, height: u32, colour: image_webp::ColorType, channels: usize) -> Vec<u8> {
    let mut file = Vec::new();
    let pixels = noise(width as usize * height as usize * channels);
    image_webp::WebPEncoder::new(&mut file).encode(&pixels, width, height, colour).unwrap();
    file
}

fn gif(frames: usize, interlaced: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = gif::Encoder::new(&mut file, 21, 17, &noise(48)).unwrap();
    for _ in 0..frames {
        let pixels: Vec<u8> = noise(21 * 17).into_iter().map(|byte| byte & 15).collect();
        let mut frame = gif::Frame::from_indexed_pixels(21, 17, pixels, Some(3));
        frame.interlaced = interlaced;
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    file
}

fn tiff<C: tiff::encoder::colortype::ColorType<Inner = u8>>(compression: tiff::encoder::Compression) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut file).unwrap().with_compression(compression);
    let pixels = noise(23 * 11 * C::BITS_PER_SAMPLE.len());
    encoder.write_image::<C>(23, 11, &pixels).unwrap();
    file.into_inner()
}

fn bmp(bits: u16, compression: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    for value in [40u32, 13, 9, 1 | u32::from(bits) << 16, compression, 0, 0, 0, 0, 0] {
        file.extend(value.to_le_bytes());
    }
    match (bits, compression) {
        (16 | 32, 3) => file.extend([0xf800u32, 0x7e0, 0x1f].into_iter().flat_map(u32::to_le_bytes)),
        (1..=8, _) => file.extend(noise(4 << bits)),
        _ => {}
    }
    file.extend(pixels);
    file
}

/// Segments with whole tables, then bits at random: nearly all of them are codes.
fn jpeg(kind: u8, sampling: [u8; 3], interval: u8, scans: &[[u8; 4]]) -> Vec<u8> {
    let mut file = b"\xff\xd8\xff\xdb\0\x43\0".to_vec();
    file.extend((1..=64).map(|place| place as u8));
    file.extend([0xff, 0xc0 | kind, 0, 17, 8, 0, 37, 0, 45, 3]);
    for (id, sampling) in (1..).zip(sampling) {
        file.extend([id, sampling, 0]);
    }
    // Codes of 5 bits for 16 symbols, and of 10 for as many more.
    for head in [0x00, 0x10] {
        file.extend([0xff, 0xc4, 0, 19 + 32, head, 0, 0, 0, 0, 16, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0]);
        file.extend((0..32u8).map(|symbol| if head == 0 { symbol % 6 } else { symbol * 7 % 0x73 }));
    }
    file.extend([0xff, 0xdd, 0, 4, 0, interval]);
    for [components, first, last, precision] in scans {
        let count = components.count_ones() as u8;
        file.extend([0xff, 0xda, 0, 6 + 2 * count, count]);
        (1..=3).filter(|id| components & (1 << id) != 0).for_each(|id| file.extend([id, 0]));
        file.extend([*first, *last, *precision]);
        for at in 0u8..6 {
            file.extend(noise(150).into_iter().map(|byte| byte & 0x7f));
            if interval > 0 {
                file.extend([0xff, 0xd0 | at]);
            }
        }
    }
    file.extend([0xff, 0xd9]);
    file
}

/// One file and more of each format.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    use image_webp::ColorType::{Rgb8, Rgba8};
    use png::{BitDepth, ColorType};
    use tiff::encoder::{Compression, colortype};
    vec![
        ("png rgb", png(ColorType::Rgb, BitDepth::Eight, false)),
        ("png rgba 16", png(ColorType::Rgba, BitDepth::Sixteen, false)),
        ("png palette", png(ColorType::Indexed, BitDepth::Four, false)),
        ("png interlaced", png(ColorType::Rgb, BitDepth::Eight, true)),
        ("webp rgb", webp(23, 11, Rgb8, 3)),
        ("webp rgba", webp(23, 11, Rgba8, 4)),
        ("gif", gif(1, false)),
        ("gif animated", gif(3, true)),
        ("tiff rgb", tiff::<colortype::RGB8>(Compression::Uncompressed)),
        ("tiff lzw", tiff::<colortype::RGBA8>(Compression::Lzw)),
        ("tiff deflate", tiff::<colortype::Gray8>(Compression::Deflate(Default::default()))),
        ("tiff packbits", tiff::<colortype::CMYK8>(Compression::Packbits)),
        ("bmp 24", bmp(24, 0, &noise(40 * 9))),
        ("bmp 4", bmp(4, 0, &noise(8 * 9))),
        ("bmp fields", bmp(16, 3, &noise(28 * 9))),
        ("bmp rle", bmp(8, 1, &[5, 1, 0, 4, 1, 2, 3, 4, 0, 0, 0, 2, 3, 1, 9, 7, 0, 1])),
        ("jpeg baseline", jpeg(0, [0x22, 0x11, 0x11], 0, &[[14, 0, 63, 0]])),
        ("jpeg restart", jpeg(0, [0x21, 0x11, 0x11], 2, &[[14, 0, 63, 0]])),
        ("jpeg scans", jpeg(1, [0x14, 0x11, 0x12], 0, &[[2, 0, 63, 0], [4, 0, 63, 0], [8, 0, 63, 0]])),
        (
            "jpeg progressive",
            jpeg(
                2,
                [0x22, 0x11, 0x11],
                0,
                &[[14, 0, 0, 1], [2, 1, 9, 2], [4, 1, 63, 1], [14, 0, 0, 0x10], [2, 1, 9, 0x21], [2, 1, 63, 0x10]],
            ),
        ),
    ]
}

#[test]
fn whole_files_are_pictures() {
    for (name, file) in files() {
        if name != "png interlaced" {
            decode(&file, &LIMITS).unwrap_or_else(|failure| panic!("{name}: {failure}"));
        }
    }
}

#[test]
fn files_that_are_cut_anywhere_are_pictures_or_errors() {
    for (name, file) in files() {
        for end in 0..file.len() {
            attempt(name, &file[..end]);
        }
        // Of an animation the first half may be enough, and bits at random are more than a picture needs.
        let half = attempt(name, &file[..file.len() / 2]);
        assert!(!half || name == "gif animated" || name.starts_with("jpeg"), "{name}: half a file is a picture");
    }
}

#[test]
fn files_with_changed_bytes_are_pictures_or_errors() {
    let mut random = Random(1);
    for (name, file) in files() {
        for _ in 0..2000 {
            let mut changed = file.clone();
            for _ in 0..1 + random.below(4) {
                let place = random.below(changed.len());
                // Most of what decides is at the beginning.
                let place = if random.below(2) == 0 { place } else { place % 64 };
                changed[place] = match random.below(4) {
                    0 => 0,
                    1 => 0xff,
                    2 => changed[place] ^ (1 << random.below(8)),
                    _ => random.next() as u8,
                };
            }
            attempt(name, &changed);
        }
    }
}

#[test]
fn files_under_another_formats_first_bytes_are_pictures_or_errors() {
    let files = files();
    for (name, file) in &files {
        for (other, head) in &files {
            for length in [4, 12, 30, 60] {
                let mut mixed = head[..length.min(head.len())].to_vec();
                mixed.extend_from_slice(file.get(length..).unwrap_or_default());
                attempt(&format!("{other} over {name}"), &mixed);
            }
        }
    }
}

#[test]
fn sizes_that_files_only_claim_are_refused_before_they_cost_anything() {
    let changed = |file: &[u8], changes: &[(usize, &[u8])]| {
        let mut file = file.to_vec();
        for (at, bytes) in changes {
            file[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        file
    };
    let named = |name: &str| files().into_iter().find(|(known, _)| *known == name).unwrap().1;
    let frame = jpeg(0, [0x22, 0x11, 0x11], 0, &[[14, 0, 63, 0]]);
    let start = frame.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    let large = [0x0f, 0xff];
    let mut screen = gif(1, false);
    screen[6..10].copy_from_slice(&[0xff; 4]);
    let mut tall = bmp(24, 0, &noise(40 * 9));
    tall[22..26].copy_from_slice(&i32::MIN.to_le_bytes());
    // A canvas within the limits around a frame that is not.
    let mut canvas = b"RIFF\x30\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x09\0\0\x09\0\0VP8 \x0a\0\0\0".to_vec();
    canvas.extend(b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f");
    let bombs = [
        ("png", changed(&named("png rgb"), &[(16, &[0, 0, 0x0f, 0xff, 0, 0, 0x0f, 0xff])])),
        ("png of 2^31", changed(&named("png rgb"), &[(16, &[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff])])),
        ("jpeg", changed(&frame, &[(start, &large), (start + 2, &large)])),
        ("gif", screen),
        ("bmp", tall),
        ("webp", canvas),
        ("webp lossless", changed(&webp(2, 2, image_webp::ColorType::Rgb8, 3), &[(21, &[0xff, 0xff, 0xff, 0x0f])])),
        ("tiff", tiff_of(&[(256, 4, 1, 60_000), (257, 4, 1, 60_000)])),
        ("tiff of strips", tiff_of(&[(256, 4, 1, 500), (257, 4, 1, 500), (273, 4, 0x0fff_ffff, 8)])),
        ("tiff of samples", tiff_of(&[(256, 4, 1, 500), (257, 4, 1, 500), (277, 3, 1, 65_535)])),
    ];
    for (name, file) in bombs {
        let before = HELD.get();
        MOST.set(before);
        let failure = decode(&file, &LIMITS).expect_err(name);
        assert_eq!(failure.code, ErrorCode::BadInput, "{name}: {failure}");
        assert!(MOST.get() - before < 2 << 20, "{name}: {} bytes", MOST.get() - before);
    }
}

/// A directory of entries: tag, type, count, and value or place.
fn tiff_of(entries: &[(u16, u16, u32, u32)]) -> Vec<u8> {
    let mut file = b"II\x2a\0\x08\0\0\0".to_vec();
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        file.extend(tag.to_le_bytes().into_iter().chain(kind.to_le_bytes()));
        file.extend(count.to_le_bytes().into_iter().chain(value.to_le_bytes()));
    }
    file.extend([0; 64]);
    file
}

#[test]
fn a_file_that_unpacks_to_far_more_than_it_is_stays_within_the_limits() {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 512, 512);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; 512 * 512 * 3]).unwrap();
    drop(writer);
    assert!(file.len() < 5000 && attempt("png of one colour", &file));
    let mut file = png(png::ColorType::Rgb, png::BitDepth::Eight, false);
    // A text that unpacks to many megabytes.
    let text = compressed_zeros();
    let mut chunk = b"iTXtXML:com.adobe.xmp\0\x01\0\0\0".to_vec();
    chunk.extend(text);
    let mut whole = ((chunk.len() - 4) as u32).to_be_bytes().to_vec();
    whole.extend(&chunk);
    whole.extend(crc(&chunk).to_be_bytes());
    file.splice(33..33, whole);
    assert!(attempt("png with a long text", &file));
}

/// Sixteen megabytes of zeros, as a PNG encoder packs them.
fn compressed_zeros() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 1 << 14, 1 << 10);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![0; 1 << 24]).unwrap();
    drop(writer);
    let mut packed = Vec::new();
    let mut at = 8;
    while let Some(length) = file.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        if &file[at + 4..at + 8] == b"IDAT" {
            packed.extend(&file[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    packed
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
