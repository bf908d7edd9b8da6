//! A visit to a list: every member of it goes into the queue, under the bound of its code or of its row.

use super::queue::{Queue, Stage};
use crate::codec::{Coding, Query};
use crate::index::known;
use crate::list::List;
use crate::members::Members;
use crate::packed::{BLOCK, Head, Shape};
use crate::table::Entry;
use crate::{Error, Index, PageStore, Tid};

/// The members of one head page, or of an open part, in the order of their slots.
pub enum Visit {
    Packed(Head),
    Open(Vec<Tid>),
}

impl Visit {
    fn tids(&self) -> &[Tid] {
        match self {
            Visit::Packed(head) => &head.tids,
            Visit::Open(tids) => tids,
        }
    }

    /// Count the members, deleted ones among them.
    pub fn len(&self) -> usize {
        self.tids().len()
    }

    /// Give the member in a slot, if it is not deleted.
    pub fn tid(&self, slot: u32) -> Option<Tid> {
        self.tids().get(slot as usize).copied().filter(|tid| tid.is_valid())
    }

    /// Read a member's row; false where its page is another's by now, or there are no rows.
    pub fn row<S: PageStore>(&self, index: &Index<'_, S>, slot: u32, row: &mut Vec<u8>) -> Result<bool, Error> {
        let Visit::Packed(head) = self else { return Ok(false) };
        let range = Shape::of(&index.codec).row(head.tids.len(), slot as usize);
        head.copy(index.store, range, row)
    }
}

/// Visit a list; `None` where it has been replaced, and then nothing of it is in the queue. Visits are counted from
/// `first`.
pub fn list<S: PageStore>(
    index: &Index<'_, S>,
    query: &Query,
    entry: &Entry,
    first: usize,
    queue: &mut Queue,
) -> Result<Option<Vec<Visit>>, Error> {
    let mut visits = Vec::new();
    let mut bounds = Vec::new();
    let mut next = entry.packed;
    while let Some(link) = next {
        let Some(head) = index.head(link, entry.list)? else { return Ok(None) };
        if !scan(index, query, &head, visits.len(), &mut bounds)? {
            return Ok(None);
        }
        next = head.next;
        visits.push(Visit::Packed(head));
        if visits.len() > index.store.pages() as usize {
            return Err(Error::Corrupt { page: link.page, what: "the head pages of a list go round in a circle" });
        }
    }
    let members = Members::new(index.codec.row_bytes());
    let mut open = List { members, pages: Vec::new(), end: None, deleted: 0 };
    if !index.opened(entry, &mut open, &mut || {})? {
        return Ok(None);
    }
    for (slot, (_, row)) in open.members.iter().enumerate() {
        let (score, slack) = query.row(row);
        bounds.push((score - slack, Stage::Row, visits.len(), slot));
    }
    visits.push(Visit::Open(open.members.tids));
    for (bound, stage, visit, slot) in bounds {
        queue.push(bound, stage, (first + visit) as u32, slot as u32);
    }
    Ok(Some(visits))
}

/// What goes into the queue: a bound, its stage, the visit and the slot.
type Bounds = Vec<(f32, Stage, usize, usize)>;

/// Scan the codes of one head page; false where its stream is gone.
fn scan<S: PageStore>(
    index: &Index<'_, S>,
    query: &Query,
    head: &Head,
    visit: usize,
    bounds: &mut Bounds,
) -> Result<bool, Error> {
    let shape = Shape::of(&index.codec);
    let members = head.tids.len();
    let mut codes = Vec::new();
    let live = |slot: usize| head.tids.get(slot).is_some_and(|tid| tid.is_valid());
    match index.options.coding {
        Coding::None => {
            let slots = (0..members).filter(|slot| live(*slot));
            bounds.extend(slots.map(|slot| (f32::NEG_INFINITY, Stage::Row, visit, slot)));
        }
        Coding::Raw => {
            if !head.copy(index.store, 0..members * shape.row_bytes, &mut codes)? {
                return Ok(false);
            }
            let rows = codes.chunks(shape.row_bytes).enumerate().filter(|(slot, _)| live(*slot));
            bounds.extend(rows.map(|(slot, row)| {
                let (score, slack) = query.row(row);
                (score - slack, Stage::Row, visit, slot)
            }));
        }
        Coding::Bits(_) => {
            if !head.copy(index.store, 0..shape.blocks(members), &mut codes)? {
                return Ok(false);
            }
            let mut lower = [0.0; BLOCK];
            for (block, codes) in codes.chunks(shape.block_bytes).enumerate() {
                query.block(codes, &mut lower);
                let slots = lower.iter().enumerate().map(|(lane, bound)| (block * BLOCK + lane, *bound));
                bounds.extend(
                    slots.filter(|(slot, _)| live(*slot)).map(|(slot, bound)| (bound, Stage::Code, visit, slot)),
                );
            }
        }
    }
    Ok(true)
}

/// Ask the store for the pages that a visit to a list will read first.
pub fn prefetch<S: PageStore>(index: &Index<'_, S>, entry: &Entry) {
    for link in [entry.packed, entry.open].into_iter().flatten() {
        if known(index.store, link.page).is_ok() {
            index.store.prefetch(link.page);
        }
    }
}
