//! The packed part of a list: head pages with the tuple identifiers, and a stream of codes over pages of its own.
//!
//! Codes are written once. All that changes is that identifiers are crossed out, so a deletion writes head pages and no
//! others. The stream of a head page is its members' one-bit codes in blocks of 32, then their rows, with no regard to
//! where pages end; which byte is where follows from the number of members.

use crate::codec::Codec;
use crate::layout::{BODY_BYTES, Fields, KIND_HEAD, KIND_STREAM, Link, Next, TID_BYTES, Writer};
use crate::members::Members;
use crate::page::{self, Header};
use crate::tid::Tids;
use crate::{Error, Index, PageId, PageStore};

/// Members of a block.
pub const BLOCK: usize = 32;
/// Bytes of a head page that say how many pages its stream has.
const COUNT_BYTES: usize = 4;
/// Bytes of a page number.
const PAGE_NUMBER_BYTES: usize = 4;
/// Members of a head page at most.
const MOST: usize = 1_024;

/// What the lengths of an index's codes make of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub block_bytes: usize,
    pub row_bytes: usize,
}

impl Shape {
    pub fn of(codec: &Codec) -> Shape {
        Shape { block_bytes: codec.block_bytes(), row_bytes: codec.row_bytes() }
    }

    /// Count the bytes of the blocks of `members` members, which the stream begins with.
    pub fn blocks(self, members: usize) -> usize {
        members.div_ceil(BLOCK) * self.block_bytes
    }

    /// Count the pages that the stream of `members` members takes.
    pub fn pages(self, members: usize) -> usize {
        (self.blocks(members) + members * self.row_bytes).div_ceil(BODY_BYTES)
    }

    /// Count the members that one head page can have.
    pub fn capacity(self) -> usize {
        let fits =
            |members: usize| COUNT_BYTES + members * TID_BYTES + self.pages(members) * PAGE_NUMBER_BYTES <= BODY_BYTES;
        (1..=MOST).rev().find(|members| fits(*members)).unwrap_or(1)
    }

    /// Give the place of a member's row in the stream.
    pub fn row(self, members: usize, slot: usize) -> std::ops::Range<usize> {
        let at = self.blocks(members) + slot * self.row_bytes;
        at..at + self.row_bytes
    }
}

/// A head page as it was at one moment.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub link: Link,
    pub next: Option<Link>,
    pub list: u32,
    /// The members, in the order of the stream; `Tid::DELETED` where there was one.
    pub tids: Tids,
    /// The pages of the stream. They have the head's list and epoch.
    pub stream: Vec<PageId>,
}

impl Head {
    /// Read a head page; `None` where it is not the page of the list that the link means.
    pub fn read(link: Link, bytes: &[u8], list: u32, shape: Shape) -> Result<Option<Head>, Error> {
        let Some(header) = page::meant(link, bytes, KIND_HEAD, list)? else { return Ok(None) };
        let head = Head::parse(link, &header, bytes, shape, Head::default())?;
        head.check()?;
        Ok(Some(head))
    }

    /// Read what is behind the header of a head page, and believe what it says of members until [`Head::check`] is asked.
    /// What it is read to is made of the memory of `spare`.
    pub fn parse(link: Link, header: &Header, bytes: &[u8], shape: Shape, spare: Head) -> Result<Head, Error> {
        let corrupt = |what| Error::Corrupt { page: link.page, what };
        if header.next.link().is_some_and(|next| next.epoch >= link.epoch) {
            return Err(corrupt("it links to a newer head page; the last of a list is written first"));
        }
        let mut fields = Fields(page::body(bytes));
        let pages = fields.u32().unwrap_or_default() as usize;
        if pages != shape.pages(header.count) {
            return Err(corrupt("it has more or fewer pages of codes than its members need"));
        }
        let cut = || corrupt("it counts more members than it has room for");
        let stream = fields.slice(pages * PAGE_NUMBER_BYTES).ok_or_else(cut)?;
        let tids = fields.slice(header.count * TID_BYTES).ok_or_else(cut)?;
        let mut head = Head { link, next: header.next.link(), list: header.list, ..spare };
        head.tids.copy(tids)?;
        head.stream.clear();
        head.stream.extend(stream.as_chunks().0.iter().map(|bytes| PageId(u32::from_le_bytes(*bytes))));
        Ok(head)
    }

    /// Refuse members that are no tuple identifiers.
    pub fn check(&self) -> Result<(), Error> {
        if self.tids.are_sound() {
            return Ok(());
        }
        Err(Error::Corrupt { page: self.link.page, what: "a member is no tuple identifier" })
    }

    /// Write the whole page.
    pub fn write(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let number = self.link.page;
        bytes.fill(0);
        let mut writer = Writer(page::body_mut(bytes));
        let mut body = || {
            writer.u32(u32::try_from(self.stream.len()).ok()?)?;
            self.stream.iter().try_for_each(|page| writer.u32(page.0))?;
            writer.put(self.tids.bytes())
        };
        body().ok_or(page::misfit(number))?;
        let (count, list, epoch) = (self.tids.len(), self.list, self.link.epoch);
        page::seal(number, bytes, &Header { kind: KIND_HEAD, count, list, epoch, next: Next::from(self.next) })
    }

    /// Append bytes `range` of the stream to `out`; false where a page of it belongs to another by now.
    pub fn copy<S: PageStore>(
        &self,
        store: &S,
        range: std::ops::Range<usize>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        self.parts(store, range, &mut |part| out.extend_from_slice(part))
    }

    /// Show the blocks of the stream to `each`, where they are: most lie on one page. False where a page of it belongs to
    /// another by now.
    pub fn each_block<S: PageStore>(
        &self,
        store: &S,
        shape: Shape,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Error> {
        let length = shape.block_bytes.max(1);
        let mut begun: Vec<u8> = Vec::with_capacity(length);
        self.parts(store, 0..shape.blocks(self.tids.len()), &mut |part| {
            let ends = if begun.is_empty() { 0 } else { length - begun.len() };
            let (end, rest) = part.split_at(ends.min(part.len()));
            begun.extend_from_slice(end);
            if begun.len() == length {
                each(&begun);
                begun.clear();
            }
            let blocks = rest.chunks_exact(length);
            begun.extend_from_slice(blocks.remainder());
            blocks.for_each(&mut *each);
        })
    }

    /// Tell the store that a page of the stream will be read soon.
    pub fn prefetch<S: PageStore>(&self, store: &S, at: usize) {
        // A number that is wrong is found when the page is read.
        if let Some(page) = self.stream.get(at).filter(|page| store.has(**page)) {
            store.prefetch(*page);
        }
    }

    /// Show bytes `range` of the stream to `each`, page by page; false where a page of it belongs to another by now.
    fn parts<S: PageStore>(
        &self,
        store: &S,
        range: std::ops::Range<usize>,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, Error> {
        let (first, last) = (range.start / BODY_BYTES, range.end.div_ceil(BODY_BYTES));
        for (at, page) in self.stream.iter().enumerate().take(last).skip(first) {
            let link = Link { page: crate::index::known(store, *page)?, epoch: self.link.epoch };
            if at + 1 < last {
                self.prefetch(store, at + 1);
            }
            let bytes = store.read(link.page)?;
            if page::found(store, link, &bytes, KIND_STREAM, self.list)?.is_none() {
                return Ok(false);
            }
            let start = at * BODY_BYTES;
            let part = range.start.max(start) - start..range.end.min(start + BODY_BYTES) - start;
            each(page::body(&bytes).get(part).unwrap_or_default());
        }
        Ok(true)
    }
}

/// Write the codes of members as a stream.
pub fn stream(codec: &Codec, members: &Members, range: std::ops::Range<usize>) -> Vec<u8> {
    let rows: Vec<&[u8]> = range.map(|at| members.row(at)).collect();
    let mut bytes = Vec::new();
    if codec.block_bytes() > 0 {
        rows.chunks(BLOCK).for_each(|rows| codec.block(rows, &mut bytes));
    }
    rows.iter().for_each(|row| bytes.extend_from_slice(row));
    bytes
}

/// What was packed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed {
    pub first: Option<Link>,
    pub pages: u32,
}

impl<S: PageStore> Index<'_, S> {
    /// Write members as the packed part of list `list`. Nothing leads to its pages yet.
    pub(crate) fn pack(&self, list: u32, members: &Members, pause: &mut dyn FnMut()) -> Result<Packed, Error> {
        let codec = &self.codec;
        let shape = Shape::of(codec);
        let mut packed = Packed::default();
        let capacity = shape.capacity();
        for segment in (0..members.len().div_ceil(capacity)).rev() {
            let range = segment * capacity..members.len().min((segment + 1) * capacity);
            let epoch = self.take_epoch()?;
            let mut head = Head { link: Link { page: PageId(0), epoch }, next: packed.first, list, ..Head::default() };
            head.tids.set(members.tids.get(range.clone()).unwrap_or_default())?;
            let stream = stream(codec, members, range);
            head.stream = self.place_all(epoch, stream.len().div_ceil(BODY_BYTES), pause, |at, link, bytes| {
                let part = stream.get(at * BODY_BYTES..stream.len().min((at + 1) * BODY_BYTES));
                write_part(link, bytes, list, part.unwrap_or_default())
            })?;
            let first = self.place(Some(epoch), |link, bytes| {
                head.link = link;
                head.write(bytes)
            })?;
            packed.pages = packed.pages.saturating_add(1 + head.stream.len() as u32);
            packed.first = Some(first);
        }
        Ok(packed)
    }
}

/// Write one page of a stream.
pub fn write_part(link: Link, bytes: &mut [u8], list: u32, part: &[u8]) -> Result<(), Error> {
    bytes.fill(0);
    page::body_mut(bytes).get_mut(..part.len()).ok_or(page::misfit(link.page))?.copy_from_slice(part);
    let header = Header { kind: KIND_STREAM, count: 0, list, epoch: link.epoch, next: Next::None };
    page::seal(link.page, bytes, &header)
}
