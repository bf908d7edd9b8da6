//! Deletion, as vacuum does it: members go within their page, empty pages are freed, and room is found again.

use crate::cursor::{Cursor, Visited};
use crate::index::{lock_list, lock_meta};
use crate::layout::{Link, META_PAGE};
use crate::meta::Meta;
use crate::page::{self, MEMBERS_PER_PAGE};
use crate::{Error, Index, PageStore, Tid, Transaction};

/// A page with this many members or fewer is worth sending inserts back to.
const ROOMY: usize = MEMBERS_PER_PAGE - MEMBERS_PER_PAGE / 8;

/// What a deletion did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Members taken out.
    pub removed: u64,
    /// Members left, of those that were met.
    pub kept: u64,
    /// Pages of the whole index, as of the end.
    pub pages: u32,
    /// Pages that this deletion made free: empty ones, and those that crashes left behind.
    pub freed: u32,
}

impl<S: PageStore> Index<'_, S> {
    /// Take out every member that `dead` names. `pause` is called before each page, with no page locked; `dead` is asked
    /// twice about a member of a page that is changed, once with that page locked, so it must be quick and give the
    /// same answer. Members inserted meanwhile may or may not be met. Pages without dead members are only read, and
    /// where nothing is dead, empty or left behind, nothing is written.
    pub fn delete(&self, dead: &mut dyn FnMut(Tid) -> bool, pause: &mut dyn FnMut()) -> Result<Deleted, Error> {
        let mut cursor = Cursor::at_head(self.store)?;
        let mut deleted = Deleted::default();
        let (mut before, mut roomy) = (None, None);
        loop {
            pause();
            let Some(page) = cursor.next()? else { break };
            let left = self.purge(&page, dead, &mut deleted)?;
            if left == 0 && self.free_page(before, page.link)? {
                deleted.freed += 1;
                continue;
            }
            if left <= ROOMY && roomy.is_none() {
                roomy = Some(page.link);
            }
            before = Some(page.link);
        }
        deleted.freed += self.reclaim(pause)?;
        self.settle(&deleted, roomy)?;
        deleted.pages = self.store.pages();
        Ok(deleted)
    }

    /// Take the dead members out of a page; give the number left.
    fn purge(&self, page: &Visited, dead: &mut dyn FnMut(Tid) -> bool, deleted: &mut Deleted) -> Result<usize, Error> {
        let mut left = page.members.len();
        if page.members.iter().any(|tid| dead(*tid)) {
            let mut transaction = self.store.begin();
            let list = page.list;
            if let Some(header) = lock_list(self.store, &mut transaction, list, page.link)? {
                let bytes = transaction.page(page.link.page)?;
                let mut members = page::members(page.link.page, bytes, &header)?;
                let met = members.len();
                members.retain(|tid| !dead(*tid));
                left = members.len();
                page::write(page.link.page, bytes, &header, &members)?;
                transaction.commit()?;
                deleted.removed += (met - left) as u64;
            }
        }
        deleted.kept += left as u64;
        Ok(left)
    }

    /// Free an empty page, unless it is the head, which has none before it.
    fn free_page(&self, before: Option<Link>, page: Link) -> Result<bool, Error> {
        before.map_or(Ok(false), |before| self.unlink(before, page))
    }

    /// Note in the meta page what was counted and where there is room, if that is news.
    fn settle(&self, deleted: &Deleted, roomy: Option<Link>) -> Result<(), Error> {
        let is_before = |meta: &Meta, roomy: Link| roomy.epoch < meta.list.room.epoch;
        let meta = self.meta()?;
        if deleted.removed == 0 && deleted.freed == 0 && !roomy.is_some_and(|roomy| is_before(&meta, roomy)) {
            return Ok(());
        }
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        if let Some(roomy) = roomy.filter(|roomy| is_before(&meta, *roomy))
            && lock_list(self.store, &mut transaction, meta.list.list, roomy)?.is_some()
        {
            meta.list.room = roomy;
        }
        meta.list.counted_members = deleted.kept;
        meta.list.counted_pages = meta.list.pages;
        meta.write(transaction.page(META_PAGE)?)?;
        Ok(transaction.commit()?)
    }
}
