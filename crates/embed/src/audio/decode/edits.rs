//! The edit list of an MP4's sound track (ISO 14496-12, 8.6.6): how many samples of encoder delay come before the sound, and
//! how long it is without the padding of its last packet. Only that is read; symphonia's reader reads all else of the file,
//! and leaves the edit list out.

/// Most boxes looked at, at all levels together.
const BOXES: usize = 10_000;

/// Most entries of a list that are read.
const ENTRIES: usize = 16;

/// Where a track's sound is among the samples that its packets decode to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Samples to drop at the beginning.
    pub delay: u64,
    /// Samples of the sound; none where the list does not say it.
    pub length: Option<u64>,
}

/// An entry of an edit list that is no pause.
struct Edit {
    /// Where it begins, in ticks of the track.
    start: u64,
    /// How long it is, in ticks of the film; 0 is to the end (8.6.6.3, of files in fragments).
    duration: u64,
}

/// The span of track `id`, which has `rate` samples a second; all of it where no list says so, or where a box is not as it
/// should be.
pub fn span(file: &[u8], id: u32, rate: u32) -> Span {
    let mut budget = BOXES;
    let mut found = None;
    for (name, moov) in boxes(file, &mut budget) {
        if name != *b"moov" {
            continue;
        }
        let film = child(moov, b"mvhd", &mut budget).and_then(timescale);
        for (name, trak) in boxes(moov, &mut budget) {
            if name == *b"trak" && found.is_none() {
                found = track_span(trak, id, rate, film, &mut budget);
            }
        }
    }
    found.unwrap_or_default()
}

fn track_span(trak: &[u8], id: u32, rate: u32, film: Option<u32>, budget: &mut usize) -> Option<Span> {
    let tkhd = child(trak, b"tkhd", budget)?;
    if number(tkhd, if wide(tkhd) { 20 } else { 12 })? != id {
        return None;
    }
    let scale = timescale(child(child(trak, b"mdia", budget)?, b"mdhd", budget)?)?;
    let elst = child(child(trak, b"edts", budget)?, b"elst", budget)?;
    let count = number(elst, 4)? as usize;
    let entries = elst.get(8..)?.chunks_exact(if wide(elst) { 20 } else { 12 });
    // An entry with a negative time is a pause before the sound, which is not decoded into silence here.
    let mut edits = entries.take(count.min(ENTRIES)).filter_map(edit);
    let first = edits.next()?;
    let alone = count <= ENTRIES && edits.next().is_none() && first.duration > 0;
    let length = film.filter(|_| alone).map(|film| {
        // Of a film whose ticks are longer than a sample, the one that it was rounded down by may be sound.
        let ticks = first.duration.saturating_add(u64::from(film != rate));
        samples(ticks, rate, film)
    });
    Some(Span { delay: samples(first.start, rate, scale), length })
}

/// Read an entry of 12 or 20 bytes; none where it is a pause.
fn edit(entry: &[u8]) -> Option<Edit> {
    let (duration, start) = match entry.len() {
        12 => (u64::from(number(entry, 0)?), i64::from(number(entry, 4)?.cast_signed())),
        _ => (u64::from_be_bytes(*entry.first_chunk()?), i64::from_be_bytes(*entry.get(8..)?.first_chunk()?)),
    };
    Some(Edit { start: u64::try_from(start).ok()?, duration })
}

/// The ticks a second of mvhd and mdhd.
fn timescale(header: &[u8]) -> Option<u32> {
    number(header, if wide(header) { 20 } else { 12 }).filter(|scale| *scale > 0)
}

/// A time in samples.
fn samples(ticks: u64, rate: u32, scale: u32) -> u64 {
    u64::try_from(u128::from(ticks) * u128::from(rate) / u128::from(scale.max(1))).unwrap_or(u64::MAX)
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

    /// A film of 1,000 ticks a second with one track, number 7, of 24,000, and the given edit list.
    fn file(elst: &[u32]) -> Vec<u8> {
        let trak = [
            boxed(b"tkhd", &words(&[0, 0, 0, 7])),
            boxed(b"edts", &boxed(b"elst", &words(elst))),
            boxed(b"mdia", &boxed(b"mdhd", &words(&[0, 0, 0, 24_000]))),
        ];
        let moov = [boxed(b"mvhd", &words(&[0, 0, 0, 1_000])), boxed(b"trak", &trak.concat())];
        [boxed(b"ftyp", b"M4A "), boxed(b"moov", &moov.concat())].concat()
    }

    const ALL: Span = Span { delay: 0, length: None };

    #[test]
    fn the_one_edit_that_is_no_pause_says_where_the_sound_is() {
        let list = file(&[0, 2, 500, u32::MAX, 1 << 16, 9_000, 1_056, 1 << 16]);
        assert_eq!(span(&list, 7, 48_000), Span { delay: 2_112, length: Some(9_001 * 48) });
        assert_eq!(span(&list, 7, 1_000).length, Some(9_000), "the film's ticks are samples");
        assert_eq!(span(&list, 8, 48_000), ALL);
        assert_eq!(span(&file(&[0, 0]), 7, 48_000), ALL);
        let to_the_end = file(&[0, 1, 0, 1_056, 1 << 16]);
        assert_eq!(span(&to_the_end, 7, 24_000), Span { delay: 1_056, length: None });
        let cut_out = file(&[0, 2, 500, 0, 1 << 16, 9_000, 1_056, 1 << 16]);
        assert_eq!(span(&cut_out, 7, 24_000), ALL, "cuts within the sound are not made");
        let wide = file(&[1 << 24, 1, 0, 500, 0, 1_056, 1 << 16]);
        assert_eq!(span(&wide, 7, 24_000), Span { delay: 1_056, length: Some(501 * 24) });
    }

    #[test]
    fn a_file_that_is_cut_anywhere_has_a_span_or_none() {
        let list = file(&[0, 1, 500, 1_024, 1 << 16]);
        let whole = Span { delay: 1_024, length: Some(501 * 24) };
        for end in 0..list.len() {
            let found = span(&list[..end], 7, 24_000);
            assert!(found == ALL || found == whole, "{end}: {found:?}");
        }
    }
}
