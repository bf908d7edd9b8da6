//! Sounds: bytes of any kind become a sound within the limits or an error, whatever decoder they choose.
//!
//! A decoder's panic is fenced by `decode`, so it is no finding here; endless loops, reservations without bounds and aborts are.
#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;
use vw_embed::audio::{Limits, Mix, Reach, decode};

static QUIET: Once = Once::new();

fuzz_target!(|file: &[u8]| {
    // libFuzzer's own hook aborts at once, before a panic reaches the fence.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let limits = Limits { samples: 1 << 22, ..Limits::DEFAULT };
    for reach in [Reach::Whole, Reach::First(1.0)] {
        if let Ok(sound) = decode(file, &limits, Mix::Mean, reach)
            && (sound.samples.is_empty()
                || sound.samples.len() > limits.samples
                || sound.length < sound.samples.len() as u64
                || sound.length > u64::from(limits.seconds) * u64::from(sound.rate)
                || sound.samples.iter().any(|sample| !sample.is_finite()))
        {
            std::process::abort();
        }
    }
});
