//! The meta page: format, options, the clock that stamps pages, the free pages and the directory of lists.
//!
//! The directory has one entry. Every change to it, to the free pages and to the number of pages is made by a
//! transaction that holds this page.

use crate::layout::{self, CHECK, KIND, KIND_META, Link, META_PAGE, entry, meta};
use crate::page::MEMBERS_PER_PAGE;
use crate::{Error, Options, PAGE_BYTES};

/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u16 = 1;
/// The list that a new index begins with.
pub const FIRST_LIST: u32 = 1;

const MAGIC: [u8; 8] = *b"vw-ivf\r\n";

/// What the meta page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    pub options: Options,
    /// The epoch that the next page to be given a place will have.
    pub next_epoch: u64,
    /// The first free page, and how many there are.
    pub free: Option<Link>,
    pub free_pages: u32,
    pub list: Entry,
}

/// A list's entry in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub list: u32,
    /// Pages in the chain.
    pub pages: u32,
    /// The first page, which is never freed, and the last.
    pub head: Link,
    pub tail: Link,
    /// Where inserts look for room first. Pages before it are taken for full.
    pub room: Link,
    /// Members that the last build or vacuum counted, and the pages that they were on.
    pub counted_members: u64,
    pub counted_pages: u32,
}

impl Entry {
    /// Guess the members without reading the list: those counted, and full pages since.
    pub fn members(&self) -> u64 {
        let grown = self.pages.saturating_sub(self.counted_pages);
        self.counted_members.saturating_add(u64::from(grown) * MEMBERS_PER_PAGE as u64)
    }
}

impl Meta {
    /// Read and check the meta page.
    pub fn read(bytes: &[u8]) -> Result<Meta, Error> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(corrupt("it was never written: the build did not finish"));
        }
        if layout::u16(bytes, KIND) != Some(KIND_META) || layout::bytes(bytes, meta::MAGIC) != Some(MAGIC) {
            return Err(corrupt("it is not the meta page of an inverted-file index"));
        }
        match layout::u16(bytes, meta::FORMAT) {
            Some(FORMAT) => {}
            found => return Err(Error::Format { found: found.unwrap_or_default(), known: FORMAT }),
        }
        if layout::u32(bytes, CHECK) != layout::checksum(META_PAGE, bytes, meta::END) {
            return Err(corrupt("its checksum does not match"));
        }
        let meta = Meta::fields(bytes).ok_or_else(|| corrupt("a list has no head, no tail or no page with room"))?;
        meta.consistent()
    }

    /// Write the whole meta page.
    pub fn write(&self, bytes: &mut [u8]) -> Result<(), Error> {
        if bytes.len() != PAGE_BYTES {
            return Err(corrupt("it is not as long as a page"));
        }
        bytes.fill(0);
        self.put(bytes).ok_or_else(|| corrupt("it is too short for what is written to it"))
    }

    /// Take the next epoch for a page that gets a new place.
    pub fn take_epoch(&mut self) -> Result<u64, Error> {
        let epoch = self.next_epoch;
        self.next_epoch = epoch.checked_add(1).ok_or_else(|| corrupt("its clock has run out"))?;
        Ok(epoch)
    }

    fn fields(bytes: &[u8]) -> Option<Meta> {
        let at = |offset| meta::ENTRY + offset;
        let list = Entry {
            list: layout::u32(bytes, at(entry::LIST))?,
            pages: layout::u32(bytes, at(entry::PAGES))?,
            head: layout::link(bytes, at(entry::HEAD))??,
            tail: layout::link(bytes, at(entry::TAIL))??,
            room: layout::link(bytes, at(entry::ROOM))??,
            counted_members: layout::u64(bytes, at(entry::COUNTED_MEMBERS))?,
            counted_pages: layout::u32(bytes, at(entry::COUNTED_PAGES))?,
        };
        let dimensions = layout::u32(bytes, meta::DIMENSIONS)?;
        Some(Meta {
            options: Options { dimensions, lists: layout::u32(bytes, meta::LISTS)? },
            next_epoch: layout::u64(bytes, meta::NEXT_EPOCH)?,
            free: layout::link(bytes, meta::FREE)?,
            free_pages: layout::u32(bytes, meta::FREE_PAGES)?,
            list,
        })
    }

    /// Check what must hold between the fields.
    fn consistent(self) -> Result<Meta, Error> {
        let Entry { pages, head, tail, room, .. } = self.list;
        let links = [Some(head), Some(tail), Some(room), self.free];
        if links.iter().flatten().any(|link| link.page == META_PAGE || link.epoch >= self.next_epoch) {
            return Err(corrupt("it links to itself or into the future"));
        }
        if head.epoch > room.epoch || room.epoch > tail.epoch || pages == 0 {
            return Err(corrupt("the head, the page with room and the tail of a list are out of order"));
        }
        if self.free.is_some() != (self.free_pages > 0) {
            return Err(corrupt("the number of free pages does not agree with the link to the first"));
        }
        Ok(self)
    }

    fn put(&self, bytes: &mut [u8]) -> Option<()> {
        layout::put(bytes, KIND, KIND_META.to_le_bytes())?;
        layout::put(bytes, meta::FORMAT, FORMAT.to_le_bytes())?;
        layout::put(bytes, meta::MAGIC, MAGIC)?;
        layout::put(bytes, meta::DIMENSIONS, self.options.dimensions.to_le_bytes())?;
        layout::put(bytes, meta::LISTS, self.options.lists.to_le_bytes())?;
        layout::put(bytes, meta::NEXT_EPOCH, self.next_epoch.to_le_bytes())?;
        layout::put_link(bytes, meta::FREE, self.free)?;
        layout::put(bytes, meta::FREE_PAGES, self.free_pages.to_le_bytes())?;
        self.list.put(bytes.get_mut(meta::ENTRY..)?)?;
        let check = layout::checksum(META_PAGE, bytes, meta::END)?;
        layout::put(bytes, CHECK, check.to_le_bytes())
    }
}

impl Entry {
    /// Write the entry to where it begins.
    fn put(&self, bytes: &mut [u8]) -> Option<()> {
        layout::put(bytes, entry::LIST, self.list.to_le_bytes())?;
        layout::put(bytes, entry::PAGES, self.pages.to_le_bytes())?;
        layout::put_link(bytes, entry::HEAD, Some(self.head))?;
        layout::put_link(bytes, entry::TAIL, Some(self.tail))?;
        layout::put_link(bytes, entry::ROOM, Some(self.room))?;
        layout::put(bytes, entry::COUNTED_MEMBERS, self.counted_members.to_le_bytes())?;
        layout::put(bytes, entry::COUNTED_PAGES, self.counted_pages.to_le_bytes())
    }
}

fn corrupt(what: &'static str) -> Error {
    Error::Corrupt { page: META_PAGE, what }
}
