//! Pictures: bytes of any kind become a picture within the limits or an error, whatever decoder they choose.
#![no_main]

mod held;

use held::{Format, held, let_panics_be_caught};
use libfuzzer_sys::fuzz_target;
use vw_embed::image::{Limits, decode};

const FORMATS: &[Format] = &[
    ("png", &[&[(0, b"\x89PNG\r\n\x1a\n")]]),
    ("jpeg", &[&[(0, b"\xff\xd8\xff")]]),
    ("webp", &[&[(0, b"RIFF"), (8, b"WEBP")]]),
    ("gif", &[&[(0, b"GIF89a")], &[(0, b"GIF87a")]]),
    ("bmp", &[&[(0, b"BM")]]),
    ("tiff", &[&[(0, b"II\x2a\0")], &[(0, b"MM\0\x2a")]]),
];

fuzz_target!(|file: &[u8]| {
    let_panics_be_caught();
    let limits = Limits { pixels: 1 << 20, ..Limits::default() };
    if let Ok(picture) = decode(&held(file, FORMATS), &limits) {
        assert!(picture.width() > 0 && picture.height() > 0);
        assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.pixels);
    }
});
