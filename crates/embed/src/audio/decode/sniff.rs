//! What a file is, by its first bytes and never by its label; and what it is where it is none of ours.

use crate::Failure;
use vw_protocol::ErrorCode;

/// The containers that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Wave,
    Aiff,
    Flac,
    Ogg,
    Mp4,
    Mpeg,
    Adts,
}

/// What is accepted, for messages.
pub const ACCEPTED: &str =
    "WAV, AIFF, FLAC, MP3, AAC (ADTS), M4A with AAC-LC or ALAC, and Ogg with Vorbis or FLAC are read.";

/// Most bytes of padding between an ID3 tag and the first frame.
const PADDING: usize = 4096;

/// The container, and where in the file it begins (after ID3v2 tags, which only MPEG streams and FLAC files carry).
pub fn sniff(file: &[u8]) -> Result<(Container, usize), Failure> {
    let start = after_tags(file);
    let rest = file.get(start..).unwrap_or_default();
    if let Some(container) = magic(rest) {
        return Ok((container, start));
    }
    let padding = rest.iter().take(PADDING).take_while(|byte| **byte == 0).count();
    if let Some(container) = frame(rest.get(padding..).unwrap_or_default()) {
        return Ok((container, start + padding));
    }
    Err(refusal(named(file)))
}

/// A container by its magic number.
fn magic(bytes: &[u8]) -> Option<Container> {
    let brand = bytes.get(8..12);
    match bytes.get(..4)? {
        b"RIFF" | b"RIFX" if brand == Some(b"WAVE") => Some(Container::Wave),
        b"FORM" if matches!(brand?, b"AIFF" | b"AIFC") => Some(Container::Aiff),
        b"fLaC" => Some(Container::Flac),
        b"OggS" => Some(Container::Ogg),
        _ if bytes.get(4..8) == Some(b"ftyp") && !picture_brand(brand) => Some(Container::Mp4),
        _ => None,
    }
}

/// HEIF and AVIF pictures are ISO base media files too.
fn picture_brand(brand: Option<&[u8]>) -> bool {
    matches!(brand, Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"avif" | b"avis" | b"crx "))
}

/// A stream of MPEG audio or ADTS frames: eleven or twelve bits of sync, and a header that is possible.
fn frame(bytes: &[u8]) -> Option<Container> {
    let &[first, second, third, ..] = bytes else { return None };
    if first != 0xff || second & 0xe0 != 0xe0 {
        return None;
    }
    let layer = (second >> 1) & 3;
    if layer == 0 {
        // ISO 14496-3: twelve bits of sync, layer 0, and one of thirteen sampling frequencies.
        return (second & 0xf0 == 0xf0 && (third >> 2) & 15 < 13).then_some(Container::Adts);
    }
    // ISO 11172-3: version 1, bit rate 15 and frequency 3 are reserved.
    let possible = (second >> 3) & 3 != 1 && third >> 4 != 15 && (third >> 2) & 3 != 3;
    possible.then_some(Container::Mpeg)
}

/// Where the ID3v2 tags end (id3.org: ten bytes of header, a size of four times seven bits, perhaps a footer).
fn after_tags(file: &[u8]) -> usize {
    let mut at = 0usize;
    while let Some(&[b'I', b'D', b'3', _, _, flags, a, b, c, d]) = file.get(at..).and_then(|rest| rest.first_chunk()) {
        let size = [a, b, c, d].iter().fold(0usize, |size, byte| size << 7 | usize::from(byte & 0x7f));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        at = at.saturating_add(10 + size + footer);
    }
    at.min(file.len())
}

/// What a file is that is none of ours, as far as its first bytes say.
fn named(file: &[u8]) -> &'static str {
    let known: &[(&[u8], &str)] = &[
        (b"\x1a\x45\xdf\xa3", "a Matroska or WebM file"),
        (b"caff", "a Core Audio Format file"),
        (b"wvpk", "a WavPack file"),
        (b"MAC ", "a Monkey's Audio file"),
        (b"#!AMR", "an AMR file"),
        (b"\x30\x26\xb2\x75", "a Windows Media file"),
        (b"MThd", "a MIDI file, which holds notes and not sound"),
        (b"DSD ", "a DSD file"),
        (b".snd", "an AU file"),
        (b"RF64", "an RF64 file"),
        (b"RIFF", "a RIFF file that is not WAVE"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"<", "a text that begins with '<'"),
        (b"{", "a text that begins with '{'"),
    ];
    if file.is_empty() {
        return "an empty file";
    }
    if file.get(4..8) == Some(b"ftyp") {
        return "a HEIF or AVIF picture";
    }
    known.iter().find(|(magic, _)| file.starts_with(magic)).map_or("not a sound that we know", |(_, name)| name)
}

/// Refuse a file that is something else.
pub fn refusal(found: impl std::fmt::Display) -> Failure {
    Failure::new(ErrorCode::BadInput, format!("the audio is {found}")).hint(ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_told_by_their_bytes() {
        let cases: &[(&[u8], Container)] = &[
            (b"RIFF\0\0\0\0WAVE", Container::Wave),
            (b"FORM\0\0\0\0AIFC", Container::Aiff),
            (b"fLaC\0\0\0\0", Container::Flac),
            (b"OggS\0\0\0\0", Container::Ogg),
            (b"\0\0\0\x20ftypM4A ", Container::Mp4),
            (b"\xff\xfb\x90\x64", Container::Mpeg),
            (b"\xff\xf1\x50\x80", Container::Adts),
        ];
        for (bytes, container) in cases {
            assert_eq!(sniff(bytes).unwrap(), (*container, 0), "{bytes:?}");
        }
    }

    #[test]
    fn tags_and_their_padding_are_passed_over() {
        let mut file = b"ID3\x04\0\0\0\0\x01\x02".to_vec();
        file.extend([7; 130]);
        file.extend([0; 33]);
        file.extend(b"\xff\xfb\x90\x64");
        assert_eq!(sniff(&file).unwrap(), (Container::Mpeg, 173));
    }

    #[test]
    fn a_tag_that_claims_more_than_the_file_is_refused() {
        assert!(sniff(b"ID3\x04\0\0\x7f\x7f\x7f\x7f").is_err());
    }

    #[test]
    fn what_is_no_sound_is_named() {
        let cases: &[(&[u8], &str)] = &[
            (b"", "an empty file"),
            (b"\x89PNG\r\n", "PNG"),
            (b"\x1a\x45\xdf\xa3....", "WebM"),
            (b"\0\0\0\x20ftypavif", "AVIF"),
            (b"hello, world", "not a sound"),
        ];
        for (bytes, name) in cases {
            let failure = sniff(bytes).unwrap_err();
            assert!(failure.message.contains(name), "{failure}");
            assert!(failure.hint.contains("FLAC"));
        }
    }
}
