//! Where each field of a page is, and checked access to it. What the fields mean is told in the files of the pages.
//!
//! All numbers are little-endian and lie at no particular alignment. Pages are drawn in README.md.

use crate::{PAGE_BYTES, PageId};

/// Page number 0 is the meta page; nothing links to it.
pub const META_PAGE: PageId = PageId(0);
/// The page number of a link that leads nowhere.
pub const NOWHERE: u32 = u32::MAX;
/// The page number of a link that leads nowhere, from a page behind which nothing may be put.
pub const CLOSED: u32 = u32::MAX - 1;

/// Kinds of pages. A page of zeros has never been written.
pub const KIND_META: u16 = 0x5601;
pub const KIND_FREE: u16 = 0x5602;
pub const KIND_CENTRE: u16 = 0x5603;
pub const KIND_ROOT: u16 = 0x5604;
pub const KIND_DIRECTORY: u16 = 0x5605;
pub const KIND_HEAD: u16 = 0x5606;
pub const KIND_STREAM: u16 = 0x5607;
pub const KIND_OPEN: u16 = 0x5608;

/// Bytes of a link: page number (4) and the epoch of the page that is meant (8).
pub const LINK_BYTES: usize = 12;
/// Bytes of a member's tuple identifier: heap block (4) and offset (2).
pub const TID_BYTES: usize = 6;

/// The checksum and the kind, which begin every page.
pub const CHECK: usize = 0;
pub const KIND: usize = 4;

/// The header of all pages but the meta page.
pub mod header {
    pub const COUNT: usize = 6;
    pub const LIST: usize = 8;
    pub const EPOCH: usize = 12;
    pub const NEXT: usize = 20;
    pub const BYTES: usize = 32;
}

/// Bytes of a page behind its header.
pub const BODY_BYTES: usize = PAGE_BYTES - header::BYTES;

const _: () = assert!(KIND == CHECK + 4 && header::COUNT == KIND + 2 && header::LIST == header::COUNT + 2);
const _: () = assert!(header::EPOCH == header::LIST + 4 && header::NEXT == header::EPOCH + 8);
const _: () = assert!(header::BYTES == header::NEXT + LINK_BYTES);

/// A page as it was when the link was made: a page that is freed or used again has another epoch. The default is none that is:
/// epochs count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    pub page: PageId,
    pub epoch: u64,
}

/// What a page says about the page behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// There is none yet.
    #[default]
    None,
    /// There is none and will be none: the chain is being replaced.
    Closed,
    Page(Link),
}

impl Next {
    /// The page behind, if there is one.
    pub fn link(self) -> Option<Link> {
        match self {
            Self::Page(link) => Some(link),
            Self::None | Self::Closed => None,
        }
    }
}

impl From<Option<Link>> for Next {
    fn from(link: Option<Link>) -> Next {
        link.map_or(Next::None, Next::Page)
    }
}

/// Reads the fields of a record one after another.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    #[inline]
    pub fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    #[inline]
    pub fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub fn f32(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }

    pub fn next(&mut self) -> Option<Next> {
        let (number, epoch) = (self.u32()?, self.u64()?);
        Some(match number {
            NOWHERE => Next::None,
            CLOSED => Next::Closed,
            number => Next::Page(Link { page: PageId(number), epoch }),
        })
    }

    /// Read a link that may lead nowhere, and may not be closed.
    pub fn link(&mut self) -> Option<Option<Link>> {
        match self.next()? {
            Next::None => Some(None),
            Next::Closed => None,
            Next::Page(link) => Some(Some(link)),
        }
    }
}

/// Writes the fields of a record one after another.
pub struct Writer<'a>(pub &'a mut [u8]);

impl Writer<'_> {
    pub fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let (field, rest) = std::mem::take(&mut self.0).split_at_mut_checked(bytes.len())?;
        field.copy_from_slice(bytes);
        self.0 = rest;
        Some(())
    }

    pub fn u8(&mut self, value: u8) -> Option<()> {
        self.put(&value.to_le_bytes())
    }

    pub fn u16(&mut self, value: u16) -> Option<()> {
        self.put(&value.to_le_bytes())
    }

    pub fn u32(&mut self, value: u32) -> Option<()> {
        self.put(&value.to_le_bytes())
    }

    pub fn u64(&mut self, value: u64) -> Option<()> {
        self.put(&value.to_le_bytes())
    }

    pub fn f32(&mut self, value: f32) -> Option<()> {
        self.put(&value.to_le_bytes())
    }

    pub fn next(&mut self, next: Next) -> Option<()> {
        let (number, epoch) = match next {
            Next::None => (NOWHERE, 0),
            Next::Closed => (CLOSED, 0),
            Next::Page(link) => (link.page.0, link.epoch),
        };
        self.u32(number)?;
        self.u64(epoch)
    }
}
