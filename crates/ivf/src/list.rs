//! A whole list as it is at one moment: every member, and every page that it is on.

use crate::index::known;
use crate::layout::{KIND_HEAD, KIND_OPEN, Link, Next};
use crate::members::Members;
use crate::packed::{Head, Shape};
use crate::table::Entry;
use crate::{Error, Index, PageId, PageStore, Tid, open, page};

/// A list that was read.
#[derive(Debug)]
pub struct List {
    /// The members that are not deleted, those of the packed part first.
    pub members: Members,
    /// All pages that were read.
    pub pages: Vec<PageId>,
    /// The last open page and the members that it had.
    pub end: Option<(Link, usize)>,
    /// Members of the packed part that are deleted.
    pub deleted: usize,
}

impl<S: PageStore> Index<'_, S> {
    /// Read a list; `None` where it has been replaced meanwhile.
    pub(crate) fn list(&self, entry: &Entry, pause: &mut dyn FnMut()) -> Result<Option<List>, Error> {
        let members = Members::new(self.codec.row_bytes());
        let mut list = List { members, pages: Vec::new(), end: None, deleted: 0 };
        let mut next = entry.packed;
        while let Some(link) = next {
            pause();
            let Some(head) = self.head(link, entry.list)? else { return Ok(None) };
            if !self.unpack(&head, &mut list)? {
                return Ok(None);
            }
            next = head.next;
        }
        Ok(self.opened(entry, &mut list, pause)?.then_some(list))
    }

    /// Read a head page of a list; `None` where it is one no longer.
    pub(crate) fn head(&self, link: Link, list: u32) -> Result<Option<Head>, Error> {
        let head = self.glance(link, list, Head::default())?;
        head.as_ref().map_or(Ok(()), Head::check)?;
        Ok(head)
    }

    /// The same, with members that are not [checked](Head::check) yet, in the memory of `spare`.
    pub(crate) fn glance(&self, link: Link, list: u32, spare: Head) -> Result<Option<Head>, Error> {
        let bytes = self.store.read(known(self.store, link.page)?)?;
        let header = page::found(self.store, link, &bytes, KIND_HEAD, list)?;
        header.map(|header| Head::parse(link, &header, &bytes, Shape::of(&self.codec), spare)).transpose()
    }

    /// Add the members of a head page to a list; false where its stream is gone.
    fn unpack(&self, head: &Head, list: &mut List) -> Result<bool, Error> {
        let shape = Shape::of(&self.codec);
        let members = head.tids.len();
        let mut rows = Vec::new();
        let start = shape.blocks(members);
        if shape.row_bytes > 0 && !head.copy(self.store, start..start + members * shape.row_bytes, &mut rows)? {
            return Ok(false);
        }
        for (slot, tid) in head.tids.iter().enumerate() {
            let row = rows.get(slot * shape.row_bytes..(slot + 1) * shape.row_bytes).unwrap_or_default();
            match tid {
                Tid::DELETED => list.deleted += 1,
                tid => list.members.push(tid, row)?,
            }
        }
        list.pages.push(head.link.page);
        list.pages.extend(&head.stream);
        Ok(true)
    }

    /// Add the members of the open part to a list, from where it ended before; false where the list is gone.
    pub(crate) fn opened(&self, entry: &Entry, list: &mut List, pause: &mut dyn FnMut()) -> Result<bool, Error> {
        let (mut next, mut skip) = match list.end {
            Some((link, count)) => (Some(link), count),
            None => (entry.open, 0),
        };
        while let Some(link) = next {
            pause();
            let bytes = self.store.read(known(self.store, link.page)?)?;
            let row_bytes = self.codec.row_bytes();
            let Some(header) = page::found(self.store, link, &bytes, KIND_OPEN, entry.list)? else { return Ok(false) };
            open::parse(link, &header, &bytes, row_bytes, skip, &mut list.members)?;
            if list.end.is_none_or(|(end, _)| end != link) {
                list.pages.push(link.page);
            }
            list.end = Some((link, header.count));
            skip = 0;
            next = match header.next {
                Next::Page(next) => Some(next),
                Next::None | Next::Closed => None,
            };
        }
        Ok(true)
    }
}
