//! Deletion: what vacuum calls dead goes out of the index, lists that have become too short are joined, and pages that a
//! crash left behind are found again.
//!
//! In a packed part identifiers are crossed out in place; in an open part the other members move together on their page.

use std::collections::HashSet;

use crate::index::{known, lock};
use crate::layout::{KIND_CENTRE, KIND_DIRECTORY, KIND_FREE, KIND_ROOT, Link, Next};
use crate::members::Members;
use crate::packed::{Head, Shape};
use crate::page;
use crate::table::{Directory, Entry};
use crate::{Error, Index, PageStore, Tid, Transaction, open};

/// What a deletion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Members taken out.
    pub removed: u64,
    /// Members left, of those that were met.
    pub kept: u64,
    /// Pages of the whole index, as of the end.
    pub pages: u32,
    /// Pages that this deletion made free.
    pub freed: u32,
}

/// What is left of a list.
#[derive(Clone, Copy, Default)]
struct Left {
    members: usize,
    /// Places without a member, but for those of the last open page, which fill up.
    empty: usize,
}

impl<S: PageStore> Index<'_, S> {
    /// Take out every member that `dead` names. `pause` is called before each page, with no page locked; `dead` is asked
    /// twice about a member of a page that is changed, once with that page locked, so it must be quick and give the
    /// same answer. Members inserted meanwhile may or may not be met. Pages without dead members are only read, and
    /// where nothing is dead or left behind, nothing is written.
    pub fn delete(&self, dead: &mut dyn FnMut(Tid) -> bool, pause: &mut dyn FnMut()) -> Result<Deleted, Error> {
        let _alone = self.store.exclusive()?;
        let mut deleted = Deleted::default();
        let mut thinned = HashSet::new();
        let mut walk = self.walk()?;
        while let Some(directory) = self.step(&mut walk)? {
            for entry in &directory.records {
                let left = self.purge(entry, dead, &mut deleted, pause)?;
                deleted.kept += left.members as u64;
                if left.empty > left.members {
                    thinned.insert(entry.list);
                }
            }
        }
        let free = self.meta()?.free_pages;
        self.settle(&thinned, pause)?;
        self.reclaim(pause)?;
        self.recalibrate(u32::MAX, pause)?;
        deleted.freed = self.meta()?.free_pages.saturating_sub(free);
        deleted.pages = self.store.pages();
        Ok(deleted)
    }

    /// Take the dead members out of a list.
    fn purge(
        &self,
        entry: &Entry,
        dead: &mut dyn FnMut(Tid) -> bool,
        deleted: &mut Deleted,
        pause: &mut dyn FnMut(),
    ) -> Result<Left, Error> {
        let gone =
            |link: Link| Error::Corrupt { page: link.page, what: "its list leads here, and it is not of that list" };
        let mut left = Left::default();
        let mut next = entry.packed;
        while let Some(link) = next {
            pause();
            let head = self.head(link, entry.list)?.ok_or_else(|| gone(link))?;
            let head = self.cross_out(head, dead, deleted)?;
            let live = head.tids.live();
            left.members += live;
            left.empty += head.tids.len() - live;
            next = head.next;
        }
        let mut next = entry.open;
        while let Some(link) = next {
            pause();
            let (members, after) = self.compact(link, entry.list, dead, deleted)?.ok_or_else(|| gone(link))?;
            left.members += members;
            next = after.link();
            if next.is_some() {
                left.empty += open::capacity(self.codec.row_bytes()).saturating_sub(members);
            }
        }
        Ok(left)
    }

    /// Cross out the dead members of a head page; give it as it is then.
    fn cross_out(&self, head: Head, dead: &mut dyn FnMut(Tid) -> bool, deleted: &mut Deleted) -> Result<Head, Error> {
        if !head.tids.iter().any(|tid| tid.is_valid() && dead(tid)) {
            return Ok(head);
        }
        let mut transaction = self.store.begin();
        let bytes = lock(self.store, &mut transaction, head.link)?;
        let now = Head::read(head.link, bytes, head.list, Shape::of(&self.codec))?;
        let mut now = now.ok_or(Error::Corrupt { page: head.link.page, what: "it went away while it was locked" })?;
        deleted.removed += now.tids.cross_out(dead);
        now.write(bytes)?;
        transaction.commit()?;
        Ok(now)
    }

    /// Take the dead members out of an open page; give the number left and the link to the next page.
    fn compact(
        &self,
        link: Link,
        list: u32,
        dead: &mut dyn FnMut(Tid) -> bool,
        deleted: &mut Deleted,
    ) -> Result<Option<(usize, Next)>, Error> {
        let row_bytes = self.codec.row_bytes();
        let read = |bytes: &[u8]| {
            let mut members = Members::new(row_bytes);
            let header = open::read(link, bytes, list, row_bytes, 0, &mut members)?;
            Ok::<_, Error>(header.map(|header| (header, members)))
        };
        let bytes = self.store.read(known(self.store, link.page)?)?;
        let found = read(&bytes)?;
        drop(bytes);
        let Some((header, members)) = found else { return Ok(None) };
        if !members.tids.iter().any(|tid| dead(*tid)) {
            return Ok(Some((members.len(), header.next)));
        }
        let mut transaction = self.store.begin();
        let bytes = lock(self.store, &mut transaction, link)?;
        let Some((header, mut members)) = read(bytes)? else { return Ok(None) };
        let met = members.len();
        members.retain(|tid| !dead(tid))?;
        deleted.removed += (met - members.len()) as u64;
        open::write(link, bytes, list, header.next, &members)?;
        transaction.commit()?;
        Ok(Some((members.len(), header.next)))
    }

    /// Pack the lists that have fewer members than places for them, and join those that have become short.
    fn settle(&self, thinned: &HashSet<u32>, pause: &mut dyn FnMut()) -> Result<(), Error> {
        if thinned.is_empty() {
            return Ok(());
        }
        let mut walk = self.walk()?;
        while let Some(Directory { link, .. }) = self.step(&mut walk)? {
            // Joining two lists changes the page, and may take another one of the thinned lists along.
            loop {
                pause();
                let directory = self.directory(link)?;
                walk.next = directory.next;
                let thin = directory.records.iter().find(|entry| thinned.contains(&entry.list));
                let Some(entry) = thin.copied() else { break };
                if !self.join(&directory, entry, pause)? {
                    self.renew(link, entry, pause)?;
                }
            }
        }
        Ok(())
    }

    /// Do what is due from time to time, whether anything is dead or not: free what crashes left behind, and let the lists of
    /// an index that has grown change members. `pause` is called with no page locked.
    pub fn tend(&self, pause: &mut dyn FnMut()) -> Result<(), Error> {
        {
            let _alone = self.store.exclusive()?;
            self.reclaim(pause)?;
        }
        self.regroup(pause)
    }

    /// Free the pages that an undone transaction or a list that never came to be left behind. As long as the store has
    /// no more pages than are in use or free, nothing is read. The caller has the store for itself.
    fn reclaim(&self, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let meta = self.meta()?;
        let pages = self.store.pages();
        if pages <= meta.live_pages.saturating_add(meta.free_pages) {
            return Ok(());
        }
        let (mut lists, mut tables) = (HashSet::new(), Vec::new());
        for directory in self.directories()? {
            lists.extend(directory.records.iter().map(|entry| entry.list));
            tables.push(directory.link.page);
        }
        tables.extend(self.root()?.iter().map(|root| root.link.page));
        for page in (1..pages).map(crate::PageId) {
            pause();
            let nobodys = |header: &Option<page::Header>| match header {
                None => true,
                Some(header) => match header.kind {
                    KIND_FREE | KIND_CENTRE => false,
                    KIND_ROOT | KIND_DIRECTORY => !tables.contains(&page),
                    _ => !lists.contains(&header.list),
                },
            };
            if nobodys(&page::read(page, &self.store.read(page)?)?) {
                self.free(&[page], nobodys)?;
            }
        }
        Ok(())
    }
}
