//! Where each field of a page is, and checked access to it. What the fields mean is told in page.rs and meta.rs.
//!
//! All numbers are little-endian and lie at no particular alignment. Pages are drawn in README.md.

use crate::{PAGE_BYTES, PageId};

/// Page number 0 is the meta page; nothing links to it.
pub const META_PAGE: PageId = PageId(0);
/// The page number of a link that leads nowhere.
pub const NOWHERE: u32 = u32::MAX;

/// Kinds of pages. A page of zeros has never been written.
pub const KIND_META: u16 = 0x5601;
pub const KIND_LIST: u16 = 0x5602;
pub const KIND_FREE: u16 = 0x5603;

/// Bytes of a link: page number (4) and the epoch of the page that is meant (8).
pub const LINK_BYTES: usize = 12;
/// Bytes of a member: heap block (4) and offset (2).
pub const TID_BYTES: usize = 6;

/// The checksum and the kind, which begin every page.
pub const CHECK: usize = 0;
pub const KIND: usize = 4;

/// List pages and free pages.
pub mod list {
    pub const COUNT: usize = 6;
    pub const LIST: usize = 8;
    pub const EPOCH: usize = 12;
    pub const NEXT: usize = 20;
    pub const MEMBERS: usize = 32;
}

/// The meta page.
pub mod meta {
    pub const FORMAT: usize = 6;
    pub const MAGIC: usize = 8;
    pub const DIMENSIONS: usize = 16;
    pub const LISTS: usize = 20;
    pub const NEXT_EPOCH: usize = 24;
    pub const FREE: usize = 32;
    pub const FREE_PAGES: usize = 44;
    pub const ENTRY: usize = 48;
    pub const END: usize = ENTRY + super::entry::BYTES;
}

/// A list's entry in the directory; offsets from the entry's start.
pub mod entry {
    pub const LIST: usize = 0;
    pub const PAGES: usize = 4;
    pub const HEAD: usize = 8;
    pub const TAIL: usize = 20;
    pub const ROOM: usize = 32;
    pub const COUNTED_MEMBERS: usize = 44;
    pub const COUNTED_PAGES: usize = 52;
    pub const BYTES: usize = 56;
}

const _: () = assert!(KIND == CHECK + 4 && list::COUNT == KIND + 2 && meta::FORMAT == KIND + 2);
const _: () = assert!(list::LIST == list::COUNT + 2 && list::EPOCH == list::LIST + 4);
const _: () = assert!(list::NEXT == list::EPOCH + 8 && list::MEMBERS == list::NEXT + LINK_BYTES);
const _: () = assert!(meta::MAGIC == meta::FORMAT + 2 && meta::DIMENSIONS == meta::MAGIC + 8);
const _: () = assert!(meta::LISTS == meta::DIMENSIONS + 4 && meta::NEXT_EPOCH == meta::LISTS + 4);
const _: () = assert!(meta::FREE == meta::NEXT_EPOCH + 8 && meta::FREE_PAGES == meta::FREE + LINK_BYTES);
const _: () = assert!(meta::ENTRY == meta::FREE_PAGES + 4 && meta::END == 104 && meta::END <= PAGE_BYTES);
const _: () = assert!(entry::PAGES == entry::LIST + 4 && entry::HEAD == entry::PAGES + 4);
const _: () = assert!(entry::TAIL == entry::HEAD + LINK_BYTES && entry::ROOM == entry::TAIL + LINK_BYTES);
const _: () = assert!(entry::COUNTED_MEMBERS == entry::ROOM + LINK_BYTES);
const _: () = assert!(entry::COUNTED_PAGES == entry::COUNTED_MEMBERS + 8 && entry::BYTES == entry::COUNTED_PAGES + 4);

/// A page as it was when the link was made: a page that is freed or used again has another epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub page: PageId,
    pub epoch: u64,
}

/// Read `N` bytes at `at`, or nothing where the page ends before.
pub fn bytes<const N: usize>(page: &[u8], at: usize) -> Option<[u8; N]> {
    page.get(at..)?.first_chunk().copied()
}

pub fn u16(page: &[u8], at: usize) -> Option<u16> {
    bytes(page, at).map(u16::from_le_bytes)
}

pub fn u32(page: &[u8], at: usize) -> Option<u32> {
    bytes(page, at).map(u32::from_le_bytes)
}

pub fn u64(page: &[u8], at: usize) -> Option<u64> {
    bytes(page, at).map(u64::from_le_bytes)
}

/// Read a link; the inner `None` is a link that leads nowhere.
pub fn link(page: &[u8], at: usize) -> Option<Option<Link>> {
    let (number, epoch) = (u32(page, at)?, u64(page, at + 4)?);
    Some((number != NOWHERE).then_some(Link { page: PageId(number), epoch }))
}

/// Write `value` at `at`, or nothing where the page ends before.
pub fn put<const N: usize>(page: &mut [u8], at: usize, value: [u8; N]) -> Option<()> {
    *page.get_mut(at..)?.first_chunk_mut()? = value;
    Some(())
}

/// Write a link, or one that leads nowhere.
pub fn put_link(page: &mut [u8], at: usize, link: Option<Link>) -> Option<()> {
    let (number, epoch) = link.map_or((NOWHERE, 0), |link| (link.page.0, link.epoch));
    put(page, at, number.to_le_bytes())?;
    put(page, at + 4, epoch.to_le_bytes())
}

/// Compute the checksum of the first `used` bytes of a page, less the checksum's own. It depends on the page's number,
/// so that a page written to a wrong place is found.
pub fn checksum(number: PageId, page: &[u8], used: usize) -> Option<u32> {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| {
        let product = (hash ^ word).wrapping_mul(ODD);
        product ^ (product >> 32)
    };
    let (words, rest) = page.get(KIND..used)?.as_chunks::<8>();
    let start = mix(used as u64, u64::from(number.0) + 1);
    let hash = words.iter().fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)));
    Some((hash ^ (hash >> 32)) as u32)
}
