//! Bulk build: the packed parts of all lists one after another, then the directory over them, and the meta page last.
//! Until then the store holds no index.

use crate::codec::Coding;
use crate::layout::{BODY_BYTES, Link, META_PAGE, Next};
use crate::members::Members;
use crate::meta::Meta;
use crate::packed::{self, Head, Shape};
use crate::plan::{self, Plan, SEED};
use crate::search::Calibration;
use crate::table::{Directory, Entry, Record, Root, Table};
use crate::{Error, Index, Options, PageId, PageStore, Tid, Transaction, centre};

/// Bytes of members that are gathered before they are written. A list that comes to more, as of rows that are all alike,
/// is written as several at the same place.
const MOST_BYTES: usize = 4 << 20;

/// The directory page of lists that do not have one yet.
const UNPLACED: Link = Link { page: META_PAGE, epoch: 0 };

/// An index being built in an empty store that nobody else sees. Dropped before [`Loader::finish`], or after a crash,
/// it leaves pages that [`Index::open`] refuses.
pub struct Loader<'s, S: PageStore> {
    index: Index<'s, S>,
    plan: Plan,
    /// The epoch of the page that is written next; each page has its own.
    epoch: u64,
    /// The list that is being filled, as the plan counts them, and what it has so far.
    filling: u32,
    members: Members,
    /// The number of the list that is written next. A list of the plan without members is none.
    list: u32,
    /// Directory pages that are done or being filled, group by group.
    directories: Vec<Directory>,
    total: u64,
    /// Members of a list before it is split, where that was said.
    limit: Option<u32>,
}

impl<'s, S: PageStore> Loader<'s, S> {
    /// Begin, with a meta page of zeros. Fails with [`Error::NotEmpty`] where the store has pages.
    pub fn new(store: &'s S, options: &Options, plan: Plan) -> Result<Self, Error> {
        if store.pages() > 0 {
            return Err(Error::NotEmpty { pages: store.pages() });
        }
        let index = Index::of(store, options, SEED, plan.centre.clone());
        let members = Members::new(index.codec.row_bytes());
        let directories = Vec::new();
        let mut loader =
            Loader { index, plan, epoch: 1, filling: 0, members, list: 1, directories, total: 0, limit: None };
        loader.extend(|_, _| Ok(()))?;
        loader.epoch = 1;
        Ok(loader)
    }

    /// Let lists be split from so many members on, in place of what suits the index. For tests: of a small index.
    #[doc(hidden)]
    pub fn limited(mut self, members: u32) -> Self {
        self.limit = Some(members);
        self
    }

    /// Add a member to list `list`, as [`crate::Placer`] numbers them: all of one list, then all of a later one. `row` is
    /// from the placer too. A list is written when the next one begins, which is when `pause` is called.
    pub fn push(&mut self, list: u32, tid: Tid, row: &[u8], pause: &mut dyn FnMut()) -> Result<(), Error> {
        let tid = tid.checked()?;
        let bytes = size_of::<Tid>() + self.index.codec.row_bytes();
        if list != self.filling || self.members.len() >= MOST_BYTES / bytes {
            self.flush(pause)?;
            self.filling = list;
        }
        self.total += 1;
        self.members.push(tid, row)
    }

    /// Write what is left, the directory and the root, and then the meta page, with which the index comes to be; then
    /// measure its stop rule. Gives the number of members.
    pub fn finish(mut self, pause: &mut dyn FnMut()) -> Result<u64, Error> {
        self.flush(pause)?;
        if self.directories.is_empty() {
            let empty = self.index.draft(UNPLACED, Members::new(self.index.codec.row_bytes()));
            self.enter(Entry { list: 1, ..Entry::default() }, &empty.centroid, 0)?;
        }
        let centre = self.write_centre()?;
        let mut directories = std::mem::take(&mut self.directories);
        let (directory, _) = self.chain(&mut directories)?;
        let mut roots: Vec<Root> = Vec::new();
        let width = self.index.centroids.bytes();
        let nowhere = Link { page: META_PAGE, epoch: 0 };
        for directory in &directories {
            let full = roots.last().is_none_or(|root| root.records.len() >= Root::capacity(width));
            if full {
                roots.push(Table::empty(nowhere, width));
            }
            let middle = self.index.middle(directory);
            if let Some(root) = roots.last_mut() {
                root.push(directory.link, &middle);
            }
        }
        let (root, root_tail) = self.chain(&mut roots)?;
        let entries = || directories.iter().flat_map(|directory| &directory.records);
        let lists = entries().count();
        let meta = Meta {
            options: self.index.options,
            seed: SEED,
            centre,
            root,
            root_tail,
            directory,
            next_epoch: self.epoch,
            next_list: entries().map(|entry| entry.list).max().unwrap_or(0) + 1,
            free: None,
            free_pages: 0,
            live_pages: self.index.store.pages(),
            lists: lists as u32,
            packed_members: self.total,
            open_pages: 0,
            list_limit: self.limit.unwrap_or_else(|| plan::limit(&self.index.options, self.total, lists)),
            moves: 0,
            calibrated_lists: 0,
            rule: Calibration::UNMEASURED,
            regrouped: lists as u32,
            turned: 0,
        };
        let mut transaction = self.index.store.begin();
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        self.index.calibrate(pause)?;
        Ok(self.total)
    }

    /// Write the list that was filled.
    fn flush(&mut self, pause: &mut dyn FnMut()) -> Result<(), Error> {
        pause();
        if self.members.len() == 0 {
            return Ok(());
        }
        let members = std::mem::replace(&mut self.members, Members::new(self.index.codec.row_bytes()));
        let list = self.list;
        self.list += 1;
        let draft = self.index.draft(UNPLACED, members);
        let (packed, packed_pages) = self.pack(list, &draft.members, pause)?;
        let packed_members = u32::try_from(draft.members.len()).unwrap_or(u32::MAX);
        let entry = Entry { list, packed, packed_members, packed_pages, ..Entry::default() };
        self.enter(entry, &draft.centroid, self.group(self.filling))
    }

    /// The group that a list is of.
    fn group(&self, list: u32) -> usize {
        let mut first = 0;
        let groups = self.plan.groups.iter().position(|group| {
            first += group.lists.len();
            (list as usize) < first
        });
        groups.unwrap_or(0)
    }

    /// Put a list into the directory: on the last page, unless that is full or of another group.
    fn enter(&mut self, entry: Entry, centroid: &[f32], group: usize) -> Result<(), Error> {
        let width = self.index.centroids.bytes();
        let mut code = Vec::new();
        self.index.centroids.encode(centroid, &mut code);
        // Until the page is written, its link tells the group.
        let link = Link { page: META_PAGE, epoch: group as u64 };
        let fits =
            |directory: &Directory| directory.link == link && directory.records.len() < Directory::capacity(width);
        if !self.directories.last().is_some_and(fits) {
            self.directories.push(Table::empty(link, width));
        }
        if let Some(directory) = self.directories.last_mut() {
            directory.push(entry, &code);
        }
        Ok(())
    }

    /// Write the packed part of a list; give its first head page and the number of pages.
    fn pack(&mut self, list: u32, members: &Members, pause: &mut dyn FnMut()) -> Result<(Option<Link>, u32), Error> {
        let capacity = Shape::of(&self.index.codec).capacity();
        let (mut first, mut pages) = (None, 0);
        for segment in (0..members.len().div_ceil(capacity)).rev() {
            pause();
            let range = segment * capacity..members.len().min((segment + 1) * capacity);
            let epoch = self.take_epoch();
            let mut head = Head { link: Link { page: META_PAGE, epoch }, next: first, list, ..Head::default() };
            head.tids.set(members.tids.get(range.clone()).unwrap_or_default())?;
            let codes = packed::stream(&self.index.codec, members, range);
            for part in codes.chunks(BODY_BYTES) {
                let write = |page, bytes: &mut [u8]| packed::write_part(Link { page, epoch }, bytes, list, part);
                head.stream.push(self.extend(write)?);
            }
            pages += 1 + head.stream.len() as u32;
            let page = self.extend(|page, bytes| {
                head.link.page = page;
                head.write(bytes)
            })?;
            first = Some(Link { page, epoch });
        }
        Ok((first, pages))
    }

    /// Write the centre, the last page first, since each names the next; give the first.
    fn write_centre(&mut self) -> Result<Option<Link>, Error> {
        let mut next = None;
        if self.index.options.coding == Coding::None {
            return Ok(None);
        }
        let centre = self.plan.centre.clone();
        for part in centre.chunks(centre::PER_PAGE).rev() {
            let epoch = self.take_epoch();
            let write = |page, bytes: &mut [u8]| centre::write(Link { page, epoch }, bytes, Next::from(next), part);
            let page = self.extend(write)?;
            next = Some(Link { page, epoch });
        }
        Ok(next)
    }

    /// Write tables as a chain of pages that follow each other; give the first and the last. The page that each links to
    /// need not be there yet: nothing leads here before the meta page is written.
    fn chain<R: Record>(&mut self, tables: &mut [Table<R>]) -> Result<(Link, Link), Error> {
        let first = self.index.store.pages();
        let links: Vec<Link> =
            (0..tables.len()).map(|at| Link { page: PageId(first + at as u32), epoch: self.take_epoch() }).collect();
        for (at, table) in tables.iter_mut().enumerate() {
            table.link = links.get(at).copied().unwrap_or(table.link);
            table.next = links.get(at + 1).copied();
            let expected = table.link.page;
            let page = self.extend(|_, bytes| table.write(bytes))?;
            if page != expected {
                return Err(stray(page));
            }
        }
        links.first().copied().zip(links.last().copied()).ok_or(stray(META_PAGE))
    }

    fn take_epoch(&mut self) -> u64 {
        self.epoch += 1;
        self.epoch - 1
    }

    /// Add the next page and fill it.
    fn extend(&mut self, fill: impl FnOnce(PageId, &mut [u8]) -> Result<(), Error>) -> Result<PageId, Error> {
        let expected = PageId(self.index.store.pages());
        let mut transaction = self.index.store.begin();
        let page = transaction.extend()?;
        if page != expected {
            return Err(stray(page));
        }
        fill(page, transaction.page(page)?)?;
        transaction.commit()?;
        Ok(page)
    }
}

/// The error of a page that somebody else put into a store that nobody else sees.
fn stray(page: PageId) -> Error {
    Error::Corrupt { page, what: "it came to an index being built from elsewhere" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;

    #[test]
    fn a_list_that_is_too_long_is_written_as_several() {
        let store = MemoryStore::default();
        let mut loader = Loader::new(&store, &Options::default(), Plan::default()).expect("an empty store");
        let members = (MOST_BYTES / size_of::<Tid>() + 10) as u32;
        for at in 0..members {
            let tid = Tid { block: at / 100, offset: (at % 100 + 1) as u16 };
            loader.push(0, tid, &[], &mut || {}).expect("a push");
        }
        assert_eq!(loader.finish(&mut || {}), Ok(u64::from(members)));
        let index = Index::open(&store).expect("an index");
        let stats = index.stats(&mut || {}).expect("numbers");
        assert_eq!((stats.members, stats.lists, stats.longest), (u64::from(members), 2, u64::from(members) - 10));
        index.check(&mut |problem| panic!("{problem}"), &mut || {}).expect("a check");
    }
}
