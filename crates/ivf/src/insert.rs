//! Insert: into the page with room, else further along the chain, else onto a new page at the tail.
//!
//! The usual insert changes one page. The meta page is locked only where the page with room is full.

use crate::cursor::Cursor;
use crate::index::{known, lock, lock_list, lock_meta};
use crate::layout::{KIND_FREE, KIND_LIST, Link, META_PAGE};
use crate::meta::{Entry, Meta};
use crate::page::{self, Header};
use crate::{Error, Index, PageId, PageStore, Tid, Transaction};

/// Pages that one insert looks at for room before it takes the tail; the next insert looks further.
const LOOK_AHEAD: usize = 32;

/// What came of an insert into a certain page.
enum Outcome {
    Done,
    /// It has no room; this is its link to the next page.
    Full(Option<Link>),
    /// It is no longer the page that was meant.
    Gone,
}

impl<S: PageStore> Index<'_, S> {
    /// Add a member. It is in the index for good when this returns; a crash before leaves it in or out, whole.
    /// Whether it is there already is not asked.
    pub fn insert(&self, tid: Tid) -> Result<(), Error> {
        let tid = tid.checked()?;
        let mut suspect = None;
        loop {
            let entry = self.meta()?.list;
            let outcome = self.append(&entry, entry.room, tid)?;
            let done = match outcome {
                Outcome::Done => true,
                Outcome::Full(_) if entry.room == entry.tail => self.grow(entry.tail, tid)?,
                Outcome::Full(Some(next)) => self.look_ahead(&entry, next, tid)?,
                // Another moved the page with room, or took the tail away, since the meta page was read. Epochs are
                // never given twice, so the meta page says so now, unless it is wrong.
                Outcome::Full(None) | Outcome::Gone if suspect == Some((entry.room, entry.tail)) => {
                    let what = "the page with room or the tail is not in the list";
                    return Err(Error::Corrupt { page: META_PAGE, what });
                }
                Outcome::Full(None) | Outcome::Gone => {
                    suspect = Some((entry.room, entry.tail));
                    false
                }
            };
            if done {
                return Ok(());
            }
        }
    }

    /// Add a member to the page that `link` means.
    fn append(&self, entry: &Entry, link: Link, tid: Tid) -> Result<Outcome, Error> {
        let mut transaction = self.store.begin();
        let Some(header) = lock_list(self.store, &mut transaction, entry.list, link)? else { return Ok(Outcome::Gone) };
        if !header.has_room() {
            return Ok(Outcome::Full(header.next));
        }
        page::append(link.page, transaction.page(link.page)?, &header, tid)?;
        transaction.commit()?;
        Ok(Outcome::Done)
    }

    /// Move the mark of the page with room forward from a full page; add the member at the tail where there is no room
    /// nearby. False where the caller is to try again.
    fn look_ahead(&self, entry: &Entry, next: Link, tid: Tid) -> Result<bool, Error> {
        let mut cursor = Cursor::behind(self.store, entry.list, entry.room, next);
        for _ in 0..LOOK_AHEAD {
            let Some(page) = cursor.next()? else { return Ok(false) };
            let found = page.members.len() < page::MEMBERS_PER_PAGE;
            if found || page.next.is_none() {
                self.move_room(entry.room, page.link)?;
                return Ok(false);
            }
        }
        if let Some(page) = cursor.next()? {
            self.move_room(entry.room, page.link)?;
        }
        match self.append(entry, entry.tail, tid)? {
            Outcome::Done => Ok(true),
            Outcome::Full(_) => self.grow(entry.tail, tid),
            Outcome::Gone => Ok(false),
        }
    }

    /// Let inserts look for room from page `to` on, unless another has moved the mark away from `from`.
    fn move_room(&self, from: Link, to: Link) -> Result<(), Error> {
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        if meta.list.room != from || lock_list(self.store, &mut transaction, meta.list.list, to)?.is_none() {
            return Ok(());
        }
        meta.list.room = to;
        meta.write(transaction.page(META_PAGE)?)?;
        Ok(transaction.commit()?)
    }

    /// Add a page with one member behind the full page `tail`. False where `tail` is the tail no longer.
    fn grow(&self, tail: Link, tid: Tid) -> Result<bool, Error> {
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        if meta.list.tail != tail {
            return Ok(false);
        }
        let new = self.take_page(&mut transaction, &mut meta)?;
        let Some(header) = lock_list(self.store, &mut transaction, meta.list.list, tail)? else {
            return Err(Error::Corrupt { page: tail.page, what: "the meta page calls it a tail, and it is not" });
        };
        if header.next.is_some() {
            return Err(Error::Corrupt { page: tail.page, what: "it is the tail of a list, and links to a page" });
        }
        let epoch = meta.take_epoch()?;
        let link = Link { page: new, epoch };
        let fresh = Header { kind: KIND_LIST, count: 1, list: meta.list.list, epoch, next: None };
        page::write(new, transaction.page(new)?, &fresh, &[tid])?;
        page::write_header(tail.page, transaction.page(tail.page)?, &Header { next: Some(link), ..header })?;
        meta.grow(link);
        meta.write(transaction.page(META_PAGE)?)?;
        transaction.commit()?;
        Ok(true)
    }

    /// Hold the tail and a page for it to link to: the first free page, or one more. The meta page is held already,
    /// which keeps others from doing the same.
    fn take_page(&self, transaction: &mut S::Transaction<'_>, meta: &mut Meta) -> Result<PageId, Error> {
        let tail = meta.list.tail.page;
        let Some(free) = meta.free else {
            transaction.page(known(self.store, tail)?)?;
            return Ok(transaction.extend()?);
        };
        if free.page == tail {
            return Err(Error::Corrupt { page: tail, what: "it is both a tail and free" });
        }
        lock(self.store, transaction, [tail, free.page])?;
        let header = page::read(free.page, transaction.page(free.page)?)?;
        let Some(header) = header.filter(|header| header.is(KIND_FREE, 0, free.epoch)) else {
            return Err(Error::Corrupt { page: free.page, what: "it is among the free pages, and it is not free" });
        };
        meta.free = header.next;
        meta.free_pages = meta.free_pages.saturating_sub(1);
        Ok(free.page)
    }
}

impl Meta {
    /// Note a new tail.
    fn grow(&mut self, link: Link) {
        if self.list.room == self.list.tail {
            self.list.room = link;
        }
        self.list.tail = link;
        self.list.pages = self.list.pages.saturating_add(1);
    }
}
