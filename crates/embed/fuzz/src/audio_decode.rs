//! Sounds: bytes of any kind become a sound within the limits or an error, whatever decoder they choose.
//!
//! A decoder's panic is fenced by `decode`, so it is no finding here; endless loops, reservations without bounds and aborts are.
#![no_main]

mod held;

use held::{Format, held, let_panics_be_caught};
use libfuzzer_sys::fuzz_target;
use vw_embed::audio::{Limits, Mix, Reach, decode};

const FORMATS: &[Format] = &[
    ("wav", &[&[(0, b"RIFF"), (8, b"WAVE")], &[(0, b"RIFX"), (8, b"WAVE")]]),
    ("aiff", &[&[(0, b"FORM"), (8, b"AIFF")], &[(0, b"FORM"), (8, b"AIFC")]]),
    ("flac", &[&[(0, b"fLaC")]]),
    ("ogg", &[&[(0, b"OggS")]]),
    ("m4a", &[&[(4, b"ftypM4A ")], &[(4, b"ftyp")]]),
    // Layers III, II and I of MPEG 1, 2 and 2.5, with and without a checksum.
    (
        "mp3",
        &[
            &[(0, b"\xff\xfb")],
            &[(0, b"\xff\xfa")],
            &[(0, b"\xff\xf3")],
            &[(0, b"\xff\xe3")],
            &[(0, b"\xff\xfd")],
            &[(0, b"\xff\xff")],
        ],
    ),
    ("adts", &[&[(0, b"\xff\xf1")], &[(0, b"\xff\xf9")], &[(0, b"\xff\xf0")], &[(0, b"\xff\xf8")]]),
];

fuzz_target!(|file: &[u8]| {
    let_panics_be_caught();
    let limits = Limits { samples: 1 << 22, ..Limits::DEFAULT };
    let file = held(file, FORMATS);
    for reach in [Reach::Whole, Reach::First(1.0)] {
        if let Ok(sound) = decode(&file, &limits, Mix::Mean, reach)
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
