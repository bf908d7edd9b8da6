//! The edit list of an MP4's sound track (ISO 14496-12, 8.6.6): how many samples of encoder delay come before the sound. Only
//! that is read; symphonia's reader reads all else of the file, and leaves the edit list out.

/// Most boxes looked at, at all levels together.
const BOXES: usize = 10_000;

/// Samples to drop at the beginning of track `id`, which has `rate` samples a second; 0 where no list says so, or where a box
/// is not as it should be.
pub fn delay(file: &[u8], id: u32, rate: u32) -> u64 {
    let mut budget = BOXES;
    let mut found = None;
    for (name, moov) in boxes(file, &mut budget) {
        if name != *b"moov" {
            continue;
        }
        for (name, trak) in boxes(moov, &mut budget) {
            if name == *b"trak" && found.is_none() {
                found = track_delay(trak, id, rate, &mut budget);
            }
        }
    }
    found.unwrap_or(0)
}

fn track_delay(trak: &[u8], id: u32, rate: u32, budget: &mut usize) -> Option<u64> {
    let tkhd = child(trak, b"tkhd", budget)?;
    if number(tkhd, if wide(tkhd) { 20 } else { 12 })? != id {
        return None;
    }
    let mdhd = child(child(trak, b"mdia", budget)?, b"mdhd", budget)?;
    let timescale = number(mdhd, if wide(mdhd) { 20 } else { 12 }).filter(|scale| *scale > 0)?;
    let elst = child(child(trak, b"edts", budget)?, b"elst", budget)?;
    let count = number(elst, 4)? as usize;
    let entries = elst.get(8..)?.chunks_exact(if wide(elst) { 20 } else { 12 });
    // An entry with a negative time is a pause before the sound, which is not decoded into silence here.
    let start = entries.take(count.min(16)).find_map(|entry| start(entry).ok())?;
    Some(u64::try_from(u128::from(start) * u128::from(rate) / u128::from(timescale)).unwrap_or(u64::MAX))
}

/// The media time at which an entry of 12 or 20 bytes begins; an error where it is negative.
fn start(entry: &[u8]) -> Result<u64, ()> {
    let time = match entry {
        [_, _, _, _, a, b, c, d, ..] if entry.len() == 12 => i64::from(i32::from_be_bytes([*a, *b, *c, *d])),
        _ => i64::from_be_bytes(entry.get(8..16).and_then(|bytes| bytes.try_into().ok()).ok_or(())?),
    };
    u64::try_from(time).map_err(|_| ())
}

/// The boxes that follow each other in `bytes`, as name and content; it ends at the first that is not whole.
fn boxes<'a>(bytes: &'a [u8], budget: &mut usize) -> Vec<([u8; 4], &'a [u8])> {
    let (mut rest, mut found) = (bytes, Vec::new());
    while *budget > 0 && rest.len() >= 8 {
        *budget -= 1;
        let Some((header, size, name)) = header(rest) else { break };
        let Some(content) = rest.get(header..size) else { break };
        found.push((name, content));
        rest = rest.get(size..).unwrap_or_default();
    }
    found
}

/// A box's length of header, length in all, and name.
fn header(bytes: &[u8]) -> Option<(usize, usize, [u8; 4])> {
    let name = bytes.get(4..8)?.try_into().ok()?;
    match number(bytes, 0)? {
        0 => Some((8, bytes.len(), name)),
        1 => {
            let size = u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?);
            Some((16, usize::try_from(size).ok()?, name))
        }
        size => Some((8, size as usize, name)),
    }
}

/// The first child of a name.
fn child<'a>(bytes: &'a [u8], wanted: &[u8; 4], budget: &mut usize) -> Option<&'a [u8]> {
    boxes(bytes, budget).into_iter().find(|(name, _)| name == wanted).map(|(_, content)| content)
}

/// Whether a box has the version with times of 64 bits.
fn wide(bytes: &[u8]) -> bool {
    bytes.first() == Some(&1)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = (content.len() as u32 + 8).to_be_bytes();
        [&size, name.as_slice(), content].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    /// A file with one track, number 7, of 24,000 ticks a second, and the given edit list.
    fn file(elst: &[u32]) -> Vec<u8> {
        let trak = [
            boxed(b"tkhd", &words(&[0, 0, 0, 7])),
            boxed(b"edts", &boxed(b"elst", &words(elst))),
            boxed(b"mdia", &boxed(b"mdhd", &words(&[0, 0, 0, 24_000]))),
        ];
        [boxed(b"ftyp", b"M4A "), boxed(b"moov", &boxed(b"trak", &trak.concat()))].concat()
    }

    #[test]
    fn the_first_edit_that_is_no_pause_says_the_delay() {
        let list = file(&[0, 2, 500, u32::MAX, 1 << 16, 9_000, 1_056, 1 << 16]);
        assert_eq!(delay(&list, 7, 48_000), 2_112);
        assert_eq!(delay(&list, 8, 48_000), 0);
        assert_eq!(delay(&file(&[0, 0]), 7, 48_000), 0);
    }

    #[test]
    fn a_file_that_is_cut_anywhere_has_a_delay_or_none() {
        let list = file(&[0, 1, 500, 1_024, 1 << 16]);
        for end in 0..list.len() {
            assert!(matches!(delay(&list[..end], 7, 24_000), 0 | 1_024));
        }
    }
}
