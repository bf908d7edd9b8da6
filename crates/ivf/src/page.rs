//! What all pages but the meta page begin with, and the checksum over all of them. Bodies are the other files' matter.

use vw_vector::code;

use crate::layout::{
    CHECK, Fields, KIND, KIND_CENTRE, KIND_DIRECTORY, KIND_FREE, KIND_HEAD, KIND_META, KIND_OPEN, KIND_ROOT,
    KIND_STREAM, Link, META_PAGE, Next, Writer, header,
};
use crate::{Error, PAGE_BYTES, PageId, PageStore};

/// What a page says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: u16,
    /// Records on the page, of the kind's own.
    pub count: usize,
    /// The list that the page belongs to; 0 where it belongs to none.
    pub list: u32,
    /// When the page got its place, in the meta page's count. No page has the same one twice.
    pub epoch: u64,
    /// The next page of its chain.
    pub next: Next,
}

impl Header {
    /// Tell whether this is the page that someone was sent to.
    pub fn is(&self, kind: u16, list: u32, epoch: u64) -> bool {
        self.kind == kind && self.list == list && self.epoch == epoch
    }
}

/// Read and check a page's header and checksum; `None` where the page has never been written.
pub fn read(number: PageId, bytes: &[u8]) -> Result<Option<Header>, Error> {
    parse(number, bytes, |check| checksum(number, bytes) == Some(check))
}

/// The same of a page that was read from a store, which may know the checksum to match: most of what a search reads of
/// a page of rows is a row, and a checksum is of all.
fn read_from<S: PageStore>(store: &S, number: PageId, bytes: &[u8]) -> Result<Option<Header>, Error> {
    parse(number, bytes, |check| is_whole(store, number, bytes, check))
}

/// Tell whether the checksum `check` is right for a page of a store, which may know that already.
pub fn is_whole<S: PageStore>(store: &S, number: PageId, bytes: &[u8], check: u32) -> bool {
    let known = store.is_checked(number, check);
    let whole = known || checksum(number, bytes) == Some(check);
    if whole && !known {
        store.checked(number, check);
    }
    whole
}

/// Note that a page as it is about to be written is whole: it has just been sealed.
pub fn note<S: PageStore>(store: &S, number: PageId, bytes: &[u8]) {
    if let Some(check) = Fields(bytes).u32() {
        store.checked(number, check);
    }
}

/// Read a page's header, where `whole` says that the page's checksum is right.
fn parse(number: PageId, bytes: &[u8], whole: impl FnOnce(u32) -> bool) -> Result<Option<Header>, Error> {
    let corrupt = |what| Error::Corrupt { page: number, what };
    if bytes.len() != PAGE_BYTES {
        return Err(corrupt("it is not as long as a page"));
    }
    let mut fields = Fields(bytes);
    let short = || corrupt("it ends before its header does");
    let check = fields.u32().ok_or_else(short)?;
    let kind = fields.u16().ok_or_else(short)?;
    if kind == 0 && bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    match kind {
        KIND_FREE | KIND_CENTRE | KIND_ROOT | KIND_DIRECTORY | KIND_HEAD | KIND_STREAM | KIND_OPEN => {}
        KIND_META => return Err(corrupt("it is a meta page, and page 0 is the only one")),
        _ => return Err(corrupt("its kind is none that exists")),
    }
    if !whole(check) {
        return Err(corrupt("its checksum does not match"));
    }
    let mut rest = || {
        let (count, list) = (fields.u16()?, fields.u32()?);
        Some(Header { kind, count: usize::from(count), list, epoch: fields.u64()?, next: fields.next()? })
    };
    let header = rest().ok_or_else(short)?;
    if header.next.link().is_some_and(|next| next.page == META_PAGE || next.page == number) {
        return Err(corrupt("it links to itself or to the meta page"));
    }
    Ok(Some(header))
}

/// Read a page's header if it still is the page that the link means.
pub fn meant(link: Link, bytes: &[u8], kind: u16, list: u32) -> Result<Option<Header>, Error> {
    Ok(read(link.page, bytes)?.filter(|header| header.is(kind, list, link.epoch)))
}

/// The same of a page that was read from a store.
pub fn found<S: PageStore>(store: &S, link: Link, bytes: &[u8], kind: u16, list: u32) -> Result<Option<Header>, Error> {
    Ok(read_from(store, link.page, bytes)?.filter(|header| header.is(kind, list, link.epoch)))
}

/// The page's bytes behind the header.
pub fn body(bytes: &[u8]) -> &[u8] {
    bytes.get(header::BYTES..).unwrap_or_default()
}

/// The page's bytes behind the header, to write to.
pub fn body_mut(bytes: &mut [u8]) -> &mut [u8] {
    bytes.get_mut(header::BYTES..).unwrap_or_default()
}

/// Write the header and the checksum; the body must be written before.
pub fn seal(number: PageId, bytes: &mut [u8], header: &Header) -> Result<(), Error> {
    put(number, bytes, header).ok_or(misfit(number))
}

/// The error of a record that has no room on its page.
pub fn misfit(page: PageId) -> Error {
    Error::Corrupt { page, what: "it is too short for what is written to it" }
}

fn put(number: PageId, bytes: &mut [u8], header: &Header) -> Option<()> {
    let mut writer = Writer(bytes.get_mut(KIND..)?);
    writer.u16(header.kind)?;
    writer.u16(u16::try_from(header.count).ok()?)?;
    writer.u32(header.list)?;
    writer.u64(header.epoch)?;
    writer.next(header.next)?;
    let check = checksum(number, bytes)?;
    Writer(bytes.get_mut(CHECK..)?).u32(check)
}

/// Compute a page's checksum. It depends on the page's number, so that a page written to a wrong place is found.
pub fn checksum(number: PageId, bytes: &[u8]) -> Option<u32> {
    Some(code::checksum(u64::from(number.0), bytes.get(KIND..)?))
}
