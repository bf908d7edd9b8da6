//! Which format a file is in, by its first bytes; names and labels are never asked.

use vw_protocol::ErrorCode;

use crate::Failure;

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    WebP,
    Gif,
    Bmp,
    Tiff,
}

/// What the errors say.
const ACCEPTED: &str = "PNG, JPEG, WebP, GIF, BMP and TIFF are read.";

/// How files of other kinds begin, and where: offset, bytes, and what to call them.
const OTHERS: &[(usize, &[u8], &str)] = &[
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (4, b"ftyp", "an MP4 or QuickTime film"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "a PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"\0\0\x01\0", "an icon"),
    (0, b"qoif", "QOI"),
    (0, b"DDS ", "DDS"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"\x76\x2f\x31\x01", "OpenEXR"),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM film"),
    (0, b"ID3", "MP3 audio"),
    (0, b"OggS", "Ogg"),
    (0, b"fLaC", "FLAC audio"),
    (8, b"WAVE", "WAV audio"),
    (8, b"AVI ", "an AVI film"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"<svg", "SVG"),
    (0, b"<?xml", "XML"),
    (0, b"<!DOCTYPE", "HTML"),
    (0, b"<html", "HTML"),
    (0, b"{", "text"),
    (0, b"data:", "a data URI, whose base64 part must be decoded first"),
];

impl Format {
    /// Find the format of a file, or say what it is instead.
    pub fn of(file: &[u8]) -> Result<Format, Failure> {
        let format = match file {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Format::Png,
            [0xff, 0xd8, 0xff, ..] => Format::Jpeg,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::WebP,
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Format::Gif,
            [b'B', b'M', ..] => Format::Bmp,
            [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Format::Tiff,
            _ => return Err(unknown(file)),
        };
        Ok(format)
    }

    /// The format's name, as errors say it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
            Format::Tiff => "TIFF",
        }
    }

    /// The file is in this format but cannot be read.
    pub(super) fn broken(self, why: impl std::fmt::Display) -> Failure {
        let message = format!("the {} image cannot be read: {why}", self.name());
        Failure::new(ErrorCode::BadInput, message)
    }
}

fn unknown(file: &[u8]) -> Failure {
    let found = OTHERS.iter().find(|(at, magic, _)| file.get(*at..).is_some_and(|tail| tail.starts_with(magic)));
    let message = match found {
        _ if file.is_empty() => "the image file is empty".to_owned(),
        Some((_, _, name)) => format!("the file is not an image of a kind that is read, but {name}"),
        None => "the file is not an image of a kind that is read".to_owned(),
    };
    Failure::new(ErrorCode::BadInput, message).hint(ACCEPTED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_their_first_bytes() {
        assert_eq!(Format::of(b"\x89PNG\r\n\x1a\n....").unwrap(), Format::Png);
        assert_eq!(Format::of(b"\xff\xd8\xff\xe0").unwrap(), Format::Jpeg);
        assert_eq!(Format::of(b"RIFF\x10\0\0\0WEBPVP8 ").unwrap(), Format::WebP);
        assert_eq!(Format::of(b"GIF89a").unwrap(), Format::Gif);
        assert_eq!(Format::of(b"BM").unwrap(), Format::Bmp);
        assert_eq!(Format::of(b"II\x2a\0").unwrap(), Format::Tiff);
        assert_eq!(Format::of(b"MM\0\x2a").unwrap(), Format::Tiff);
    }

    #[test]
    fn what_is_no_picture_is_named() {
        let message = |file: &[u8]| Format::of(file).unwrap_err().message;
        assert!(message(b"\0\0\0\x20ftypheic").ends_with("HEIC"));
        assert!(message(b"\0\0\0\x20ftypisom").ends_with("film"));
        assert!(message(b"RIFF\x10\0\0\0WAVEfmt ").ends_with("WAV audio"));
        assert!(message(b"").ends_with("empty"));
        assert!(message(b"hello").ends_with("is read"));
        assert!(Format::of(b"hello").unwrap_err().hint.contains("TIFF"));
    }
}
