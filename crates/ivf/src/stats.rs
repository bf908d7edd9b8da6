//! Numbers about an index: counted, which reads all lists, or estimated, which reads the meta page.

use crate::index::{self, known};
use crate::layout::Link;
use crate::members::Members;
use crate::table::Entry;
use crate::{Error, Index, Options, PageStore, Tid, open};

/// What was counted. Where others write meanwhile, the numbers are of different moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Members that are not deleted.
    pub members: u64,
    /// Places of deleted members that are not in use again yet.
    pub deleted: u64,
    /// Members that were not packed yet.
    pub open_members: u64,
    pub lists: u64,
    /// Members of the longest list.
    pub longest: u64,
    /// Pages of the whole index.
    pub pages: u32,
    /// Pages that wait to be used again.
    pub free_pages: u32,
}

/// What the meta page alone says, for a planner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    pub options: Options,
    /// Members, deleted ones that still have a place among them.
    pub members: u64,
    pub lists: u32,
    /// Pages of the directory and the root, about.
    pub directory_pages: u32,
    /// Pages that are in use.
    pub live_pages: u32,
    /// Pages that wait to be used again.
    pub free_pages: u32,
}

impl<S: PageStore> Index<'_, S> {
    /// Count members, lists and pages; reads every head page and every open page.
    pub fn stats(&self, pause: &mut dyn FnMut()) -> Result<Stats, Error> {
        let mut stats = Stats { free_pages: self.meta()?.free_pages, ..Stats::default() };
        let mut walk = self.walk()?;
        while let Some(directory) = self.step(&mut walk)? {
            for entry in &directory.records {
                // A list that is replaced meanwhile is counted as far as it was met.
                let members = self.count(entry, &mut stats, pause)?;
                stats.members += members;
                stats.longest = stats.longest.max(members);
                stats.lists += 1;
            }
        }
        stats.pages = self.store.pages();
        Ok(stats)
    }

    /// Count the members of a list.
    fn count(&self, entry: &Entry, stats: &mut Stats, pause: &mut dyn FnMut()) -> Result<u64, Error> {
        let mut members = 0;
        let mut next = entry.packed;
        while let Some(link) = next {
            pause();
            let Some(head) = self.head(link, entry.list)? else { return Ok(members) };
            let live = head.tids.live();
            members += live as u64;
            stats.deleted += (head.tids.len() - live) as u64;
            next = head.next;
        }
        let mut next = entry.open;
        while let Some(link) = next {
            pause();
            let Some((open, after)) = self.count_open(link, entry.list)? else { return Ok(members) };
            members += open;
            stats.open_members += open;
            next = after;
        }
        Ok(members)
    }

    /// Count the members of an open page, and give the next.
    fn count_open(&self, link: Link, list: u32) -> Result<Option<(u64, Option<Link>)>, Error> {
        let bytes = self.store.read(known(self.store, link.page)?)?;
        let mut members = Members::new(self.codec.row_bytes());
        let header = open::read(link, &bytes, list, self.codec.row_bytes(), usize::MAX, &mut members)?;
        Ok(header.map(|header| (header.count as u64, header.next.link())))
    }

    /// Give every member. Nothing may change lists meanwhile, or members come twice or not at all.
    pub fn each(&self, take: &mut dyn FnMut(Tid), pause: &mut dyn FnMut()) -> Result<(), Error> {
        let mut walk = self.walk()?;
        while let Some(directory) = self.step(&mut walk)? {
            for entry in &directory.records {
                let gone =
                    Error::Corrupt { page: directory.link.page, what: "it names a list whose pages are another's" };
                let list = self.list(entry, pause)?.ok_or(gone)?;
                list.members.iter().for_each(|(tid, _)| take(tid));
            }
        }
        Ok(())
    }

    /// Read an estimate from the meta page.
    pub fn estimate(&self) -> Result<Estimate, Error> {
        Estimate::read(self.store)
    }
}

impl Estimate {
    /// Read an estimate from the meta page, and no other.
    pub fn read<S: PageStore>(store: &S) -> Result<Estimate, Error> {
        let meta = index::meta(store)?;
        let index = Index::of(store, &meta.options, meta.seed, Vec::new());
        let per_page = open::capacity(index.codec.row_bytes()) as u64;
        // The last page of an open part is half full, on average.
        let last = u64::from(meta.lists.min(meta.open_pages));
        let open = (u64::from(meta.open_pages) * per_page).saturating_sub(last * per_page / 2);
        let per_directory = crate::table::Directory::capacity(index.centroids.bytes()).max(1) as u32;
        Ok(Estimate {
            options: meta.options,
            members: meta.packed_members.saturating_add(open),
            lists: meta.lists,
            directory_pages: 1 + meta.lists.div_ceil(per_directory).saturating_mul(3) / 2,
            live_pages: meta.live_pages,
            free_pages: meta.free_pages,
        })
    }
}
