//! Pictures: bytes of any kind become a picture within the limits or an error, whatever decoder they choose.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vw_embed::image::{Limits, decode};

fuzz_target!(|file: &[u8]| {
    let limits = Limits { pixels: 1 << 20, ..Limits::default() };
    if let Ok(picture) = decode(file, &limits) {
        assert!(picture.width() > 0 && picture.height() > 0);
        assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.pixels);
    }
});
