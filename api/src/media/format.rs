//! The formats of media files, told by their first bytes. A label (a header, a file's name, a data URI) is never asked.

use crate::requests::Kind;

/// A format that may be indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
    Bmp,
    Tiff,
    Wav,
    Aiff,
    Mp3,
    Aac,
    M4a,
    Flac,
    Ogg,
}

/// As many first bytes as [`Format::of`] looks at.
pub const SIGNATURE: u64 = 12;

impl Format {
    /// Tell a file's format; None where it is none of ours.
    pub fn of(bytes: &[u8]) -> Option<Format> {
        let at = |from: usize, mark: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(mark));
        if at(0, b"\x89PNG\r\n\x1a\n") {
            Some(Format::Png)
        } else if at(0, b"\xff\xd8\xff") {
            Some(Format::Jpeg)
        } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
            Some(Format::Gif)
        } else if at(0, b"RIFF") && at(8, b"WEBP") {
            Some(Format::WebP)
        } else if at(0, b"BM") && at(6, b"\0\0\0\0") {
            Some(Format::Bmp)
        } else if at(0, b"II*\0") || at(0, b"MM\0*") {
            Some(Format::Tiff)
        } else if at(0, b"RIFF") && at(8, b"WAVE") {
            Some(Format::Wav)
        } else if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
            Some(Format::Aiff)
        } else if at(4, b"ftyp")
            && [b"M4A ", b"M4B ", b"mp42", b"mp41", b"isom", b"iso2"].iter().any(|brand| at(8, *brand))
        {
            Some(Format::M4a)
        } else if at(0, b"fLaC") {
            Some(Format::Flac)
        } else if at(0, b"OggS") {
            Some(Format::Ogg)
        } else if at(0, b"ID3") || mpeg_frame(bytes) {
            Some(Format::Mp3)
        } else if adts_frame(bytes) {
            Some(Format::Aac)
        } else {
            None
        }
    }

    /// What a search or an item of this format is.
    pub fn kind(self) -> Kind {
        match self {
            Format::Png | Format::Jpeg | Format::Gif | Format::WebP | Format::Bmp | Format::Tiff => Kind::Image,
            _ => Kind::Audio,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Png => "image/png",
            Format::Jpeg => "image/jpeg",
            Format::Gif => "image/gif",
            Format::WebP => "image/webp",
            Format::Bmp => "image/bmp",
            Format::Tiff => "image/tiff",
            Format::Wav => "audio/wav",
            Format::Aiff => "audio/aiff",
            Format::Mp3 => "audio/mpeg",
            Format::Aac => "audio/aac",
            Format::M4a => "audio/mp4",
            Format::Flac => "audio/flac",
            Format::Ogg => "audio/ogg",
        }
    }

    /// How names of its files end.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Jpeg => "jpg",
            Format::Gif => "gif",
            Format::WebP => "webp",
            Format::Bmp => "bmp",
            Format::Tiff => "tiff",
            Format::Wav => "wav",
            Format::Aiff => "aiff",
            Format::Mp3 => "mp3",
            Format::Aac => "aac",
            Format::M4a => "m4a",
            Format::Flac => "flac",
            Format::Ogg => "ogg",
        }
    }
}

/// Tell whether the bytes begin with the header of an MPEG audio frame of layer II or III (ISO/IEC 11172-3, 2.4.1.3): a
/// sync word, then fields none of which has its forbidden value.
fn mpeg_frame(bytes: &[u8]) -> bool {
    let &[first, second, third, ..] = bytes else { return false };
    let (version, layer) = (second >> 3 & 3, second >> 1 & 3);
    first == 0xff
        && second >> 5 == 7
        && version != 1
        && (layer == 1 || layer == 2)
        && third >> 4 != 15
        && third >> 2 & 3 != 3
}

/// Tell whether the bytes begin with the header of an ADTS frame (ISO/IEC 14496-3, 1.A.2.2): twelve bits of sync, layer
/// 0, and one of thirteen sampling frequencies.
fn adts_frame(bytes: &[u8]) -> bool {
    let &[first, second, third, ..] = bytes else { return false };
    first == 0xff && second & 0xf6 == 0xf0 && third >> 2 & 15 < 13
}

#[cfg(test)]
mod tests {
    //! Guards what is stored and served under a media type: a page of HTML must never be an image.
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        let table: [(&[u8], Format); 18] = [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Format::Png),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Format::Jpeg),
            (b"GIF87a", Format::Gif),
            (b"GIF89a\x01\0", Format::Gif),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Format::WebP),
            (b"RIFF\x10\0\0\0WAVEfmt ", Format::Wav),
            (b"FORM\0\0\0\x10AIFFCOMM", Format::Aiff),
            (b"\0\0\0\x20ftypM4A \0\0", Format::M4a),
            (b"\xff\xf1\x50\x80", Format::Aac),
            (b"\xff\xfd\x90\x04", Format::Mp3),
            (b"BM\x36\x10\0\0\0\0\0\0\x36\0\0\0", Format::Bmp),
            (b"II*\0\x08\0\0\0", Format::Tiff),
            (b"MM\0*\0\0\0\x08", Format::Tiff),
            (b"fLaC\0\0\0\x22", Format::Flac),
            (b"OggS\0\x02", Format::Ogg),
            (b"ID3\x04\0", Format::Mp3),
            (b"\xff\xfb\x90\x64", Format::Mp3),
            (b"\xff\xf3\x40\xc0", Format::Mp3),
        ];
        for (bytes, format) in table {
            assert_eq!(Format::of(bytes), Some(format), "{bytes:?}");
            assert!(format.media_type().starts_with(format.kind().word()));
            let signature = bytes.get(..SIGNATURE as usize).unwrap_or(bytes);
            assert_eq!(Format::of(signature), Some(format), "the announced number of bytes is enough");
        }
    }

    #[test]
    fn other_files_are_not_media() {
        let table: [&[u8]; 16] = [
            b"",
            b"\x89PN",
            b"<html>",
            b"<svg xmlns=",
            b"%PDF-1.7",
            b"RIFF\x10\0\0\0AVI LIST",
            b"RIFF",
            b"GIF",
            b"PK\x03\x04",
            b"\xff\xff\xff\xff",
            b"\xff\xe0\0\0",
            b"\xff\xf1\xfc\x80",
            b"\0\0\0\x20ftypheic",
            b"\xff\xfe<\0h\0",
            b"#!/bin/sh",
            b"BMW sells cars",
        ];
        for bytes in table {
            assert_eq!(Format::of(bytes), None, "{bytes:?}");
        }
    }
}
