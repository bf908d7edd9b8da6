//! The meta page: what the index is of, the clock that stamps pages, the free pages, where root and directory begin, and
//! what a planner and a search want to know before they read anything else.
//!
//! Every change to the free pages, to the number of pages and to the lists that there are is made by a transaction that
//! holds this page.

use crate::codec::{Coding, Metric};
use crate::layout::{self, CHECK, Fields, KIND, KIND_META, Link, META_PAGE, Writer};
use crate::search::Calibration;
use crate::{Error, Options, PAGE_BYTES, page};

/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u16 = 3;

const MAGIC: [u8; 8] = *b"vw-ivf\r\n";

/// What the meta page says.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    pub options: Options,
    /// The seed of the rotation.
    pub seed: u64,
    /// The first page of the centre, where there is one.
    pub centre: Option<Link>,
    /// The first page of the root, the last one, and the first page of the directory. None of them is ever freed.
    pub root: Link,
    pub root_tail: Link,
    pub directory: Link,
    /// The epoch that the next page to be given a place will have, and the number of the next list.
    pub next_epoch: u64,
    pub next_list: u32,
    /// The first free page, and how many there are.
    pub free: Option<Link>,
    pub free_pages: u32,
    /// Pages that are in use, this one among them.
    pub live_pages: u32,
    pub lists: u32,
    /// Members of all packed parts, and pages of all open parts.
    pub packed_members: u64,
    pub open_pages: u32,
    /// Members that a list has at most before it is split.
    pub list_limit: u32,
    /// How often lists of several directory pages were replaced at once: whoever reads several pages of the directory
    /// reads this before and after.
    pub moves: u32,
    /// Lists that there were when the stop rule was calibrated; 0 where it never was.
    pub calibrated_lists: u32,
    /// The stop rule: see [`crate::Calibration`].
    pub rule: Calibration,
    /// Lists that there were when all of them were last dealt out anew, as a build does; 0 where they never were.
    pub regrouped: u32,
    /// Open pages that were packed since then, which tells how many members are new.
    pub turned: u32,
}

impl Meta {
    /// Read and check the meta page.
    pub fn read(bytes: &[u8]) -> Result<Meta, Error> {
        Meta::read_by(bytes, |check| page::checksum(META_PAGE, bytes) == Some(check))
    }

    /// The same, where `whole` says that the checksum is right.
    pub fn read_by(bytes: &[u8], whole: impl FnOnce(u32) -> bool) -> Result<Meta, Error> {
        let mut fields = Fields(bytes);
        let check = fields.u32();
        if check == Some(0) && bytes.iter().all(|byte| *byte == 0) {
            return Err(corrupt("it was never written: the build did not finish"));
        }
        let (kind, format, magic) = (fields.u16(), fields.u16(), fields.take());
        if kind != Some(KIND_META) || magic != Some(MAGIC) {
            return Err(corrupt("it is not the meta page of an inverted-file index"));
        }
        if format != Some(FORMAT) {
            return Err(Error::Format { found: format.unwrap_or_default(), known: FORMAT });
        }
        if bytes.len() != PAGE_BYTES || !check.is_some_and(whole) {
            return Err(corrupt("its checksum does not match"));
        }
        let meta = Meta::fields(&mut fields).ok_or_else(|| corrupt("a field of it has no value that there is"))?;
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

    /// Take the number of a new list.
    pub fn take_list(&mut self) -> Result<u32, Error> {
        let list = self.next_list;
        self.next_list = list.checked_add(1).ok_or_else(|| corrupt("it has no numbers left for lists; REINDEX"))?;
        Ok(list)
    }

    fn fields(fields: &mut Fields<'_>) -> Option<Meta> {
        let options = Options {
            dimensions: fields.u32()?,
            lists: fields.u32()?,
            metric: metric(fields.u8()?)?,
            coding: coding(fields.u8()?)?,
        };
        fields.u16()?;
        let meta = Meta {
            options,
            seed: fields.u64()?,
            centre: fields.link()?,
            root: fields.link()??,
            root_tail: fields.link()??,
            directory: fields.link()??,
            next_epoch: fields.u64()?,
            next_list: fields.u32()?,
            free: fields.link()?,
            free_pages: fields.u32()?,
            live_pages: fields.u32()?,
            lists: fields.u32()?,
            packed_members: fields.u64()?,
            open_pages: fields.u32()?,
            list_limit: fields.u32()?,
            moves: fields.u32()?,
            calibrated_lists: fields.u32()?,
            rule: Calibration { fall: fields.f32()?, reach: fields.f32()? },
            regrouped: fields.u32()?,
            turned: fields.u32()?,
        };
        Some(meta).filter(|meta| meta.rule.is_sound())
    }

    /// Check what must hold between the fields.
    fn consistent(self) -> Result<Meta, Error> {
        let links = [self.centre, Some(self.root), Some(self.root_tail), Some(self.directory), self.free];
        if links.iter().flatten().any(|link| link.page == META_PAGE || link.epoch >= self.next_epoch) {
            return Err(corrupt("it links to itself or into the future"));
        }
        if self.free.is_some() != (self.free_pages > 0) {
            return Err(corrupt("the number of free pages does not agree with the link to the first"));
        }
        if matches!(self.options.coding, Coding::Bits(_) | Coding::Raw) && self.options.dimensions == 0 {
            return Err(corrupt("it codes vectors and does not say of how many dimensions"));
        }
        if self.options.dimensions as usize > vw_vector::MAX_DIM && self.options.coding != Coding::None {
            return Err(corrupt("its vectors have more dimensions than there can be"));
        }
        Ok(self)
    }

    fn put(&self, bytes: &mut [u8]) -> Option<()> {
        let mut writer = Writer(bytes.get_mut(KIND..)?);
        writer.u16(KIND_META)?;
        writer.u16(FORMAT)?;
        writer.put(&MAGIC)?;
        writer.u32(self.options.dimensions)?;
        writer.u32(self.options.lists)?;
        writer.u8(self.options.metric as u8)?;
        writer.u8(match self.options.coding {
            Coding::None => 0,
            Coding::Raw => 32,
            Coding::Bits(bits) => bits,
        })?;
        writer.u16(0)?;
        writer.u64(self.seed)?;
        writer.next(self.centre.into())?;
        [self.root, self.root_tail, self.directory]
            .iter()
            .try_for_each(|link| writer.next(layout::Next::Page(*link)))?;
        writer.u64(self.next_epoch)?;
        writer.u32(self.next_list)?;
        writer.next(self.free.into())?;
        writer.u32(self.free_pages)?;
        writer.u32(self.live_pages)?;
        writer.u32(self.lists)?;
        writer.u64(self.packed_members)?;
        writer.u32(self.open_pages)?;
        writer.u32(self.list_limit)?;
        writer.u32(self.moves)?;
        writer.u32(self.calibrated_lists)?;
        writer.f32(self.rule.fall)?;
        writer.f32(self.rule.reach)?;
        writer.u32(self.regrouped)?;
        writer.u32(self.turned)?;
        let check = page::checksum(META_PAGE, bytes)?;
        Writer(bytes.get_mut(CHECK..)?).u32(check)
    }
}

/// The metric of a number; `Metric as u8` is the way back.
fn metric(number: u8) -> Option<Metric> {
    [Metric::L2, Metric::InnerProduct, Metric::Cosine].into_iter().find(|metric| *metric as u8 == number)
}

/// The coding of a number of bits a dimension.
fn coding(bits: u8) -> Option<Coding> {
    match bits {
        0 => Some(Coding::None),
        32 => Some(Coding::Raw),
        1 | 2 | 4 | 8 => Some(Coding::Bits(bits)),
        _ => None,
    }
}

fn corrupt(what: &'static str) -> Error {
    Error::Corrupt { page: META_PAGE, what }
}
