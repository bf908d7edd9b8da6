//! List pages and free pages: their header and the members of a list page. The meta page is meta.rs.

use crate::layout::{self, CHECK, KIND, KIND_FREE, KIND_LIST, KIND_META, Link, META_PAGE, TID_BYTES, list};
use crate::{Error, PAGE_BYTES, PageId, Tid};

/// Members that a list page has room for.
pub const MEMBERS_PER_PAGE: usize = (PAGE_BYTES - list::MEMBERS) / TID_BYTES;

const _: () = assert!(MEMBERS_PER_PAGE == 1_353);

/// What a list page or a free page says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: u16,
    /// Members on the page; 0 on a free page.
    pub count: usize,
    /// The list that the page belongs to; 0 on a free page.
    pub list: u32,
    /// When the page got its place, in the meta page's count. No two pages ever have the same.
    pub epoch: u64,
    /// The next page of the list, or of the free pages.
    pub next: Option<Link>,
}

impl Header {
    /// Tell whether this is the page that someone was sent to.
    pub fn is(&self, kind: u16, list: u32, epoch: u64) -> bool {
        self.kind == kind && self.list == list && self.epoch == epoch
    }

    /// Tell whether another member fits.
    pub fn has_room(&self) -> bool {
        self.count < MEMBERS_PER_PAGE
    }
}

/// Read and check the header; `None` where the page has never been written.
pub fn read(number: PageId, bytes: &[u8]) -> Result<Option<Header>, Error> {
    let corrupt = |what| Error::Corrupt { page: number, what };
    if bytes.len() != PAGE_BYTES {
        return Err(corrupt("it is not as long as a page"));
    }
    let short = || corrupt("it ends before its header does");
    let kind = layout::u16(bytes, KIND).ok_or_else(short)?;
    if kind == 0 && bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    match kind {
        KIND_LIST | KIND_FREE => {}
        KIND_META => return Err(corrupt("it is a meta page, and page 0 is the only one")),
        _ => return Err(corrupt("its kind is none that exists")),
    }
    let count = usize::from(layout::u16(bytes, list::COUNT).ok_or_else(short)?);
    if count > if kind == KIND_LIST { MEMBERS_PER_PAGE } else { 0 } {
        return Err(corrupt("it counts more members than it has room for"));
    }
    if layout::u32(bytes, CHECK) != layout::checksum(number, bytes, used(count)) {
        return Err(corrupt("its checksum does not match"));
    }
    let list = layout::u32(bytes, list::LIST).ok_or_else(short)?;
    let epoch = layout::u64(bytes, list::EPOCH).ok_or_else(short)?;
    let next = layout::link(bytes, list::NEXT).ok_or_else(short)?;
    if next.is_some_and(|next| next.page == META_PAGE || next.page == number) {
        return Err(corrupt("it links to itself or to the meta page"));
    }
    if kind == KIND_LIST && next.is_some_and(|next| next.epoch <= epoch) {
        return Err(corrupt("it links to an older page; lists only grow at their tail"));
    }
    Ok(Some(Header { kind, count, list, epoch, next }))
}

/// Read the members of a list page whose header is `header`.
pub fn members(number: PageId, bytes: &[u8], header: &Header) -> Result<Vec<Tid>, Error> {
    let corrupt = |what| Error::Corrupt { page: number, what };
    let bytes = bytes.get(list::MEMBERS..used(header.count)).ok_or_else(|| corrupt("it ends before its members do"))?;
    let (entries, _) = bytes.as_chunks::<TID_BYTES>();
    let tids = entries.iter().map(|[a, b, c, d, e, f]| Tid {
        block: u32::from_le_bytes([*a, *b, *c, *d]),
        offset: u16::from_le_bytes([*e, *f]),
    });
    let tids: Vec<Tid> = tids.collect();
    if tids.iter().all(|tid| tid.is_valid()) { Ok(tids) } else { Err(corrupt("a member is no tuple identifier")) }
}

/// Write a whole page: `header`, whose count is that of `tids`, the members, and zeros to the end.
pub fn write(number: PageId, bytes: &mut [u8], header: &Header, tids: &[Tid]) -> Result<(), Error> {
    bytes.fill(0);
    let header = Header { count: tids.len(), ..*header };
    for (at, tid) in tids.iter().enumerate() {
        put_member(bytes, at, *tid).ok_or(misfit(number))?;
    }
    write_header(number, bytes, &header)
}

/// Write a changed header; the members stay.
pub fn write_header(number: PageId, bytes: &mut [u8], header: &Header) -> Result<(), Error> {
    put_header(number, bytes, header).ok_or(misfit(number))
}

/// Add a member behind those that `header` counts.
pub fn append(number: PageId, bytes: &mut [u8], header: &Header, tid: Tid) -> Result<(), Error> {
    put_member(bytes, header.count, tid).ok_or(misfit(number))?;
    write_header(number, bytes, &Header { count: header.count + 1, ..*header })
}

fn misfit(page: PageId) -> Error {
    Error::Corrupt { page, what: "it is too short for what is written to it" }
}

/// Count the bytes that are in use on a page with `count` members.
fn used(count: usize) -> usize {
    list::MEMBERS + count * TID_BYTES
}

fn put_member(bytes: &mut [u8], at: usize, tid: Tid) -> Option<()> {
    let [a, b, c, d] = tid.block.to_le_bytes();
    let [e, f] = tid.offset.to_le_bytes();
    layout::put(bytes, used(at), [a, b, c, d, e, f])
}

fn put_header(number: PageId, bytes: &mut [u8], header: &Header) -> Option<()> {
    layout::put(bytes, KIND, header.kind.to_le_bytes())?;
    layout::put(bytes, list::COUNT, u16::try_from(header.count).ok()?.to_le_bytes())?;
    layout::put(bytes, list::LIST, header.list.to_le_bytes())?;
    layout::put(bytes, list::EPOCH, header.epoch.to_le_bytes())?;
    layout::put_link(bytes, list::NEXT, header.next)?;
    let check = layout::checksum(number, bytes, used(header.count))?;
    layout::put(bytes, CHECK, check.to_le_bytes())
}
