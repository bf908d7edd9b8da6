//! Holds a run to one format, which VW_FUZZ_FORMAT names: a file that begins as none of that format does is given its beginning.
//!
//! libFuzzer keeps what reaches new code, and the formats that are easiest to reach would else take nearly all of a run.
//! Without the variable every file goes as it is.

use std::borrow::Cow;
use std::sync::{LazyLock, Once};

/// How a format's files begin: its name, and each beginning as bytes with the places that they have.
pub type Format = (&'static str, &'static [&'static [(usize, &'static [u8])]]);

static WANTED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("VW_FUZZ_FORMAT").ok());

/// Give the file, as one of the wanted format; a name that is not among `formats` ends the run.
pub fn held<'a>(file: &'a [u8], formats: &[Format]) -> Cow<'a, [u8]> {
    let Some(wanted) = WANTED.as_deref() else { return Cow::Borrowed(file) };
    let Some((_, beginnings)) = formats.iter().find(|(name, _)| *name == wanted) else {
        eprintln!("VW_FUZZ_FORMAT={wanted} is none of {:?}", formats.iter().map(|(name, _)| name).collect::<Vec<_>>());
        std::process::exit(2);
    };
    let begins = |parts: &&[(usize, &[u8])]| {
        parts.iter().all(|(at, bytes)| file.get(*at..).is_some_and(|rest| rest.starts_with(bytes)))
    };
    if beginnings.iter().any(begins) {
        return Cow::Borrowed(file);
    }
    let mut own = file.to_vec();
    for (at, bytes) in beginnings.first().copied().unwrap_or_default() {
        let end = at + bytes.len();
        own.resize(own.len().max(end), 0);
        own[*at..end].copy_from_slice(bytes);
    }
    Cow::Owned(own)
}

/// Let a panic go where it is caught. libFuzzer's hook ends the run at any panic, also where the library takes that of a
/// decoder for a file that is broken; what the library does not catch ends the run still.
pub fn let_panics_be_caught() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| ())));
}
