//! The risk: a sound file that takes the process down, by a panic, by memory or by never ending. Every file here is broken on
//! purpose; the answer must be a sound within the limits or a refusal that blames the input.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use vw_embed::audio::{Limits, Mix, Reach, decode};
use vw_protocol::ErrorCode;

/// Counts what is reserved, so that a test can say how much a decoder takes.
struct Counting;

thread_local! {
    /// Bytes that this test's thread holds, and the most that it ever held: other tests run beside it.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// Count bytes that are taken, or given back.
fn count(bytes: isize) {
    let live = LIVE.get() + bytes;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

// SAFETY: every call goes to the system's allocator with its own arguments; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's layout is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: `place` came from `alloc` above with the same layout.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Most bytes reserved at once by a test.
const MEMORY: isize = 256 << 20;

/// Decode in both reaches, and check whatever comes out.
fn survive(file: &[u8], what: &str) {
    for reach in [Reach::Whole, Reach::First(1.0)] {
        match decode(file, &Limits::DEFAULT, Mix::Mean, reach) {
            Ok(sound) => {
                assert!(!sound.samples.is_empty() && sound.samples.iter().all(|sample| sample.is_finite()), "{what}");
                assert!(sound.length <= 600 * u64::from(sound.rate), "{what}: {} samples", sound.length);
            }
            Err(failure) => assert_eq!(failure.code, ErrorCode::BadInput, "{what}: {failure}"),
        }
    }
    let peak = PEAK.get();
    assert!(peak < MEMORY, "{what}: {peak} bytes were reserved");
}

/// Marsaglia's xorshift, so that every run is the same.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

fn wave(bits: u16, float: bool, frames: usize) -> Vec<u8> {
    let bytes = usize::from(bits / 8);
    let data: Vec<u8> = (0..frames * 2 * bytes).map(|at| if float { 0 } else { (at * 37) as u8 }).collect();
    let tag = if float { 3u16 } else { 1 };
    let block = 2 * bytes as u16;
    let mut format = [tag.to_le_bytes(), 2u16.to_le_bytes()].concat();
    format.extend([16_000u32, 16_000 * u32::from(block)].map(u32::to_le_bytes).concat());
    format.extend([block, bits].map(u16::to_le_bytes).concat());
    let chunk = |name: &[u8], body: &[u8]| [name, &(body.len() as u32).to_le_bytes(), body].concat();
    chunk(b"RIFF", &[b"WAVE".as_slice(), &chunk(b"fmt ", &format), &chunk(b"data", &data)].concat())
}

fn aiff(frames: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..frames * 2).map(|at| (at * 29) as u8).collect();
    // 16,000 as an 80-bit float: exponent 16383 + 13, mantissa 0xFA00…
    let mut common = [&[0, 1], (frames as u32).to_be_bytes().as_slice(), &[0, 16]].concat();
    common.extend([0x40, 0x0c, 0xfa, 0, 0, 0, 0, 0, 0, 0]);
    let chunk = |name: &[u8], body: &[u8]| [name, &(body.len() as u32).to_be_bytes(), body].concat();
    let sound = [[0; 8].as_slice(), &data].concat();
    chunk(b"FORM", &[b"AIFF".as_slice(), &chunk(b"COMM", &common), &chunk(b"SSND", &sound)].concat())
}

/// Blocks of 4,096 equal samples (RFC 9639): ten hours of it are five megabytes. `claimed` is the length in the header.
fn flac(blocks: u32, claimed: u64) -> Vec<u8> {
    let mut file = b"fLaC\x80\0\0\x22\x10\0\x10\0\0\0\0\0\0\0".to_vec();
    // Twenty bits of rate, three of channels less one, five of bits less one, thirty-six of samples.
    file.extend((44_100u64 << 44 | 15 << 36 | claimed).to_be_bytes());
    file.extend([0; 16]);
    for block in 0..blocks {
        let start = file.len();
        file.extend([0xff, 0xf8, 0xc0, 0]);
        match block {
            0..0x80 => file.push(block as u8),
            0x80..0x800 => file.extend([0xc0 | (block >> 6) as u8, 0x80 | (block & 63) as u8]),
            0x800..0x1_0000 => {
                file.extend([0xe0 | (block >> 12) as u8, 0x80 | (block >> 6 & 63) as u8, 0x80 | (block & 63) as u8])
            }
            _ => file.extend([
                0xf0 | (block >> 18) as u8,
                0x80 | (block >> 12 & 63) as u8,
                0x80 | (block >> 6 & 63) as u8,
                0x80 | (block & 63) as u8,
            ]),
        }
        file.push(crc(&file[start..], 8, 0x07) as u8);
        file.extend([0, 0x12, 0x34]);
        let check = crc(&file[start..], 16, 0x8005);
        file.extend((check as u16).to_be_bytes());
    }
    file
}

fn crc(bytes: &[u8], width: u32, polynomial: u32) -> u32 {
    let (top, mask) = (1 << (width - 1), ((1u64 << width) - 1) as u32);
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u32::from(*byte) << (width - 8)), |crc, _| {
            (if crc & top != 0 { crc << 1 ^ polynomial } else { crc << 1 }) & mask
        })
    })
}

/// Silent frames of layer III, 128 kbit/s, one channel.
fn mp3(frames: usize) -> Vec<u8> {
    let mut frame = b"\xff\xfb\x90\xc0".to_vec();
    frame.resize(417, 0);
    frame.repeat(frames)
}

/// Silent frames of AAC-LC in ADTS, one channel.
fn aac(frames: usize) -> Vec<u8> {
    b"\xff\xf1\x50\x40\x01\xbf\xfc\x00\xc8\x00\x80\x23\x80".repeat(frames)
}

fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("wav of 16 bits", wave(16, false, 300)),
        ("wav of 24 bits", wave(24, false, 200)),
        ("wav of floats", wave(32, true, 200)),
        ("aiff", aiff(300)),
        ("flac", flac(40, 40 * 4096)),
        ("mp3", mp3(6)),
        ("aac", aac(20)),
    ]
}

#[test]
fn the_files_are_sounds_before_they_are_broken() {
    for (name, file) in files() {
        let sound =
            decode(&file, &Limits::DEFAULT, Mix::Mean, Reach::Whole).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(sound.samples.len() >= 200, "{name}: {} samples", sound.samples.len());
    }
}

#[test]
fn files_that_are_cut_off_anywhere() {
    for (name, file) in files() {
        for end in (0..file.len()).step_by((file.len() / 500).max(1)) {
            survive(&file[..end], &format!("{name} up to {end}"));
        }
    }
}

#[test]
fn files_with_bytes_changed_at_random() {
    for (name, file) in files() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for round in 0..2_000 {
            let mut broken = file.clone();
            // Headers are where lengths and counts are: half of the changes go there.
            let most = if round % 2 == 0 { broken.len().min(64) } else { broken.len() };
            for _ in 0..1 + random.below(6) {
                let at = random.below(most);
                broken[at] = random.below(256) as u8;
            }
            survive(&broken, &format!("{name}, round {round}"));
        }
    }
}

#[test]
fn files_with_the_magic_of_another() {
    let files = files();
    for (name, file) in &files {
        for (other, magic) in &files {
            let mut broken = file.clone();
            broken[..12].copy_from_slice(&magic[..12]);
            survive(&broken, &format!("{name} that says {other}"));
        }
    }
}

#[test]
fn ten_hours_are_refused_and_not_decoded() {
    let blocks = 10 * 3600 * 44_100 / 4096;
    for (name, file) in [
        ("a header that says ten hours", flac(3, 36_000 * 44_100)),
        ("ten hours of silence, said", flac(blocks, u64::from(blocks) * 4096)),
        ("ten hours of silence, not said", flac(blocks, 0)),
        ("half an hour of mp3", mp3(50_000)),
    ] {
        for reach in [Reach::Whole, Reach::First(10.0)] {
            let failure = decode(&file, &Limits::DEFAULT, Mix::Mean, reach).unwrap_err();
            assert_eq!(failure.message, "the audio is longer than 600 seconds", "{name}");
        }
    }
    let peak = PEAK.get();
    assert!(peak < MEMORY, "{peak} bytes were reserved");
}

#[test]
fn what_is_beyond_the_limits_is_refused_with_the_limit() {
    let refused = |file: &[u8]| decode(file, &Limits::DEFAULT, Mix::Mean, Reach::Whole).unwrap_err().message;
    assert!(refused(&vec![0; 25_000_001]).contains("at most 25000000"));
    let mut many = wave(16, false, 300);
    many[22..24].copy_from_slice(&9u16.to_le_bytes());
    many[32..34].copy_from_slice(&18u16.to_le_bytes());
    assert!(refused(&many).contains("9 channels; accepted are 1 to 8"), "{}", refused(&many));
    let mut slow = wave(16, false, 300);
    slow[24..28].copy_from_slice(&4_000u32.to_le_bytes());
    assert!(refused(&slow).contains("4000 samples a second; accepted are 8000 to 192000"), "{}", refused(&slow));
    let mut wild = wave(32, true, 300);
    let end = wild.len();
    wild[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(refused(&wild).contains("no finite numbers"), "{}", refused(&wild));
    assert!(refused(&wave(16, false, 0)).contains("has no samples"), "{}", refused(&wave(16, false, 0)));
}

/// A recorder that writes into a pipe cannot know the length, and says the greatest there is.
#[test]
fn a_wave_file_whose_length_was_not_known_is_read_to_its_end() {
    let mut file = wave(16, false, 300);
    file[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    file[40..44].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(decode(&file, &Limits::DEFAULT, Mix::Mean, Reach::Whole).unwrap().samples.len(), 300);
}
