//! Pages of records with a centroid each: directory pages, whose records are lists, and root pages, whose records are
//! directory pages.
//!
//! All directory pages are one chain in which each follows the page that it was split off from, so a walk along it meets
//! every list. The root is a hint on where to look first: a directory page that it does not name is found by the chain.
//! Records are of one length and in no order.

use crate::index::known;
use crate::layout::{BODY_BYTES, Fields, KIND_DIRECTORY, KIND_ROOT, LINK_BYTES, Link, Next, Writer};
use crate::page::{self, Header};
use crate::{Error, PageStore};

/// What a table is made of, beside the centroids.
pub trait Record: Copy {
    /// The kind of the pages.
    const KIND: u16;
    /// Bytes of a record before its centroid.
    const BYTES: usize;

    fn read(fields: &mut Fields<'_>) -> Option<Self>;
    fn write(&self, writer: &mut Writer<'_>) -> Option<()>;
}

/// A list, as its directory page describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Entry {
    /// Its number; no other list ever has the same.
    pub list: u32,
    /// The first head page of the packed part.
    pub packed: Option<Link>,
    /// Members that were packed; some may have been deleted since.
    pub packed_members: u32,
    /// Pages of the packed part.
    pub packed_pages: u32,
    /// The first and the last page of the open part.
    pub open: Option<Link>,
    pub tail: Option<Link>,
    /// Pages of the open part.
    pub open_pages: u32,
}

impl Entry {
    /// Count the list's pages.
    pub fn pages(&self) -> u32 {
        self.packed_pages.saturating_add(self.open_pages)
    }
}

impl Record for Entry {
    const KIND: u16 = KIND_DIRECTORY;
    const BYTES: usize = 64;

    fn read(fields: &mut Fields<'_>) -> Option<Entry> {
        let entry = Entry {
            list: fields.u32()?,
            packed: fields.link()?,
            packed_members: fields.u32()?,
            packed_pages: fields.u32()?,
            open: fields.link()?,
            tail: fields.link()?,
            open_pages: fields.u32()?,
        };
        fields.slice(SPARE)?;
        (entry.open.is_some() == entry.tail.is_some()).then_some(entry)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Option<()> {
        writer.u32(self.list)?;
        writer.next(self.packed.into())?;
        writer.u32(self.packed_members)?;
        writer.u32(self.packed_pages)?;
        writer.next(self.open.into())?;
        writer.next(self.tail.into())?;
        writer.u32(self.open_pages)?;
        writer.put(&[0; SPARE])
    }
}

/// Bytes of an entry that are not in use yet.
const SPARE: usize = Entry::BYTES - (4 * 4 + 3 * LINK_BYTES);

/// The link to a directory page, beside the centroid of its lists.
impl Record for Link {
    const KIND: u16 = KIND_ROOT;
    const BYTES: usize = LINK_BYTES;

    fn read(fields: &mut Fields<'_>) -> Option<Link> {
        fields.link()?
    }

    fn write(&self, writer: &mut Writer<'_>) -> Option<()> {
        writer.next(Next::Page(*self))
    }
}

/// A page of records as it was at one moment.
#[derive(Clone, Debug)]
pub struct Table<R> {
    pub link: Link,
    pub next: Option<Link>,
    pub records: Vec<R>,
    /// The records' centroids one after another, each of `width` bytes.
    pub centroids: Vec<u8>,
    pub width: usize,
}

/// The lists of one neighbourhood.
pub type Directory = Table<Entry>;
/// A part of the root.
pub type Root = Table<Link>;

impl<R: Record> Table<R> {
    /// A page without records.
    pub fn empty(link: Link, width: usize) -> Self {
        Table { link, next: None, records: Vec::new(), centroids: Vec::new(), width }
    }

    /// Count the records that a page has room for, with centroids of `width` bytes.
    pub fn capacity(width: usize) -> usize {
        BODY_BYTES / (R::BYTES + width)
    }

    /// Give a record's centroid.
    pub fn centroid(&self, at: usize) -> &[u8] {
        self.centroids.get(at * self.width..(at + 1) * self.width).unwrap_or_default()
    }

    /// Add a record.
    pub fn push(&mut self, record: R, centroid: &[u8]) {
        self.records.push(record);
        self.centroids.extend_from_slice(centroid);
    }

    /// Keep the records of which `keep` says so.
    pub fn retain(&mut self, keep: impl Fn(&R) -> bool) {
        let mut kept = Table { records: Vec::new(), centroids: Vec::new(), ..*self };
        for (at, record) in self.records.iter().enumerate().filter(|(_, record)| keep(record)) {
            kept.push(*record, self.centroid(at));
        }
        *self = kept;
    }

    /// Read a page; `None` where it is not the page that the link means.
    pub fn read(link: Link, bytes: &[u8], width: usize) -> Result<Option<Self>, Error> {
        page::meant(link, bytes, R::KIND, 0)?.map(|header| Self::parse(link, &header, bytes, width)).transpose()
    }

    /// Read a page from a store; `None` where it is not the page that the link means.
    pub fn find<S: PageStore>(store: &S, link: Link, width: usize) -> Result<Option<Self>, Error> {
        let bytes = store.read(known(store, link.page)?)?;
        let header = page::found(store, link, &bytes, R::KIND, 0)?;
        header.map(|header| Self::parse(link, &header, &bytes, width)).transpose()
    }

    /// Show each record of a page of a store and its centroid to `each`, with the page locked, and give the next page's
    /// link; `None` where it is not the page that the link means. For whoever keeps few of many records.
    pub fn each<S: PageStore>(
        store: &S,
        link: Link,
        width: usize,
        each: &mut dyn FnMut(R, &[u8]),
    ) -> Result<Option<Option<Link>>, Error> {
        let bytes = store.read(known(store, link.page)?)?;
        let Some(header) = page::found(store, link, &bytes, R::KIND, 0)? else { return Ok(None) };
        Self::records(link, &header, &bytes, width, each)?;
        Ok(Some(header.next.link()))
    }

    /// Show each record behind the header of a page to `each`.
    fn records(
        link: Link,
        header: &Header,
        bytes: &[u8],
        width: usize,
        each: &mut dyn FnMut(R, &[u8]),
    ) -> Result<(), Error> {
        let mut fields = Fields(page::body(bytes));
        for _ in 0..header.count {
            let (record, centroid) = R::read(&mut fields).zip(fields.slice(width)).ok_or(Error::Corrupt {
                page: link.page,
                what: "a record of it is cut off, or has a link that leads nowhere",
            })?;
            each(record, centroid);
        }
        Ok(())
    }

    /// Read what is behind the header of a page.
    fn parse(link: Link, header: &Header, bytes: &[u8], width: usize) -> Result<Self, Error> {
        let mut table = Table { next: header.next.link(), ..Table::empty(link, width) };
        Self::records(link, header, bytes, width, &mut |record, centroid| table.push(record, centroid))?;
        Ok(table)
    }

    /// Write the whole page.
    pub fn write(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let number = self.link.page;
        bytes.fill(0);
        let mut writer = Writer(page::body_mut(bytes));
        for (at, record) in self.records.iter().enumerate() {
            record.write(&mut writer).ok_or(page::misfit(number))?;
            writer.put(self.centroid(at)).ok_or(page::misfit(number))?;
        }
        let (count, epoch, next) = (self.records.len(), self.link.epoch, Next::from(self.next));
        page::seal(number, bytes, &Header { kind: R::KIND, count, list: 0, epoch, next })
    }
}
