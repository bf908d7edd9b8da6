//! The one thing that a picture's metadata says about its pixels: which way up it is. Exif 2.32, 4.6.4; XMP, part 1.

use super::orient::Orientation;

/// The tag of the orientation, in the first directory.
const ORIENTATION: u16 = 0x0112;
/// How XMP writes it, as an element or as an attribute.
const XMP: &[&[u8]] = &[b"tiff:Orientation=\"", b"tiff:Orientation>"];

/// Read the orientation out of an Exif block, with or without its prefix, or else out of XMP; upright where neither says it.
pub fn orientation(exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Orientation {
    let found = exif.and_then(from_exif).or_else(|| xmp.and_then(from_xmp));
    found.and_then(Orientation::from_tag).unwrap_or_default()
}

fn from_exif(block: &[u8]) -> Option<u32> {
    first_value(block.strip_prefix(b"Exif\0\0").unwrap_or(block), ORIENTATION).map(|(_, value)| value)
}

/// Find an integer of the first directory of a TIFF structure by its tag: where it lies, and the value.
pub fn first_value(block: &[u8], tag: u16) -> Option<(usize, u32)> {
    let reader = Reader::new(block)?;
    let at = reader.entries()?.find(|at| reader.short(*at) == Some(tag))?;
    let place = at.checked_add(8)?;
    let value = match reader.short(at.checked_add(2)?)? {
        1 => reader.block.get(place).map(|byte| u32::from(*byte)),
        3 => reader.short(place).map(u32::from),
        4 => reader.long(place),
        _ => None,
    };
    value.map(|value| (place, value))
}

/// Whether the first directory of a TIFF structure only has values that the structure has room for.
pub fn fits(block: &[u8]) -> bool {
    let Some(reader) = Reader::new(block) else { return false };
    let fits = |at: usize| {
        let size = match reader.short(at.checked_add(2)?)? {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => 1,
        };
        Some(u64::from(reader.long(at.checked_add(4)?)?) * size <= block.len() as u64)
    };
    reader.entries().is_some_and(|mut entries| entries.all(|at| fits(at) == Some(true)))
}

fn from_xmp(text: &[u8]) -> Option<u32> {
    for name in XMP {
        let found = text.windows(name.len()).position(|window| window == *name);
        if let Some(digit) = found.and_then(|at| text.get(at + name.len())).filter(|digit| digit.is_ascii_digit()) {
            return Some(u32::from(digit - b'0'));
        }
    }
    None
}

/// Integers of a TIFF structure, in its byte order.
struct Reader<'a> {
    block: &'a [u8],
    little: bool,
}

impl<'a> Reader<'a> {
    fn new(block: &'a [u8]) -> Option<Reader<'a>> {
        match block.get(..4)? {
            b"II\x2a\0" => Some(Reader { block, little: true }),
            b"MM\0\x2a" => Some(Reader { block, little: false }),
            _ => None,
        }
    }

    /// Where the entries of the first directory are, each of twelve bytes.
    fn entries(&self) -> Option<impl Iterator<Item = usize>> {
        let directory = self.long(4)? as usize;
        let count = usize::from(self.short(directory)?);
        Some((0..count).map_while(move |entry| directory.checked_add(2 + 12 * entry)))
    }

    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.block.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.block.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with one entry, big endian.
    fn block(tag: u16, kind: u16, value: [u8; 4]) -> Vec<u8> {
        let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
        block.extend(tag.to_be_bytes());
        block.extend(kind.to_be_bytes());
        block.extend([0, 0, 0, 1]);
        block.extend(value);
        block
    }

    #[test]
    fn the_orientation_is_read_in_every_type() {
        for (kind, value) in [(1, [6, 0, 0, 0]), (3, [0, 6, 0, 0]), (4, [0, 0, 0, 6])] {
            assert_eq!(orientation(Some(&block(ORIENTATION, kind, value)), None), Orientation::Right);
        }
        assert_eq!(orientation(Some(&block(ORIENTATION, 3, [0, 9, 0, 0])), None), Orientation::Upright);
        assert_eq!(orientation(Some(&block(ORIENTATION, 2, [0, 6, 0, 0])), None), Orientation::Upright);
    }

    #[test]
    fn xmp_is_asked_where_exif_is_silent() {
        let xmp = b"<rdf:Description tiff:Orientation=\"3\"/>";
        assert_eq!(orientation(None, Some(xmp)), Orientation::Half);
        assert_eq!(orientation(Some(&block(1, 3, [0, 6, 0, 0])), Some(xmp)), Orientation::Half);
        assert_eq!(orientation(Some(&block(ORIENTATION, 3, [0, 8, 0, 0])), Some(xmp)), Orientation::Left);
        assert_eq!(orientation(None, Some(b"<tiff:Orientation>8</tiff:Orientation>")), Orientation::Left);
        assert_eq!(orientation(None, Some(b"tiff:Orientation=\"")), Orientation::Upright);
    }

    #[test]
    fn a_block_that_is_cut_anywhere_says_nothing() {
        let whole = block(ORIENTATION, 4, [0, 0, 0, 6]);
        for end in 0..whole.len() {
            assert_eq!(orientation(whole.get(..end), None), Orientation::Upright, "{end}");
        }
        let mut far = whole;
        far[10..14].fill(0xff);
        assert_eq!(orientation(Some(&far), None), Orientation::Upright);
    }
}
