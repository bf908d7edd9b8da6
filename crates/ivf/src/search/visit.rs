//! A visit to a list: the bounds of all its members by their codes or their rows. Few of them are ever looked at, so they
//! wait with the visit, and the queue has the least of them; those that are next go into the queue when its turn comes.
//!
//! Visits are made of the memory of earlier ones: see [`super::spare`].

use super::queue::{Queue, Stage, rank_of_bound};
use super::spare;
use crate::codec::{Coding, Query};
use crate::index::known;
use crate::layout::KIND_OPEN;
use crate::packed::{BLOCK, Head, Shape};
use crate::table::Entry;
use crate::{Error, Index, PageStore, Tid, open, page, reserve};

/// Members that go into the queue at once.
const BATCH: usize = 16;

/// Members of an open part that make a visit, at most: an index without codes has no limit to them, and those that are
/// next are looked for among all.
const OPEN: usize = 1_024;

/// A visit to a part of a list.
#[derive(Default)]
pub struct Visit {
    /// The members, in the order of their slots, and where their rows are. Those of an open part have been looked at by
    /// their rows, and nothing says where these are.
    head: Head,
    /// How closely the members have been looked at.
    stage: Stage,
    /// The bounds of all members, until the first of them is next: of most visits, none ever is.
    bounds: Vec<f32>,
    /// Then, the bounds and slots of those that are not in the queue, as [`super::queue::rank_of_bound`] ranks them, turned
    /// about so that the least comes last.
    waiting: Vec<(u32, u32)>,
}

impl Visit {
    /// Make it as good as new, but for its memory.
    pub fn clear(&mut self) {
        self.head.tids.clear();
        self.head.stream.clear();
        self.bounds.clear();
        self.waiting.clear();
    }

    /// Put the members that are next into the queue, and the rest of the visit under the least of their bounds.
    pub fn next(&mut self, at: u32, queue: &mut Queue) -> Result<(), Error> {
        if !self.bounds.is_empty() {
            self.rank()?;
        }
        queue.reserve(BATCH + 1)?;
        let count = self.waiting.len();
        if count > BATCH {
            self.waiting.select_nth_unstable(count - BATCH - 1);
        }
        for (rank, slot) in self.waiting.drain(count.saturating_sub(BATCH)..) {
            queue.push_rank(!rank, self.stage, at, slot);
        }
        if let Some(rank) = self.waiting.iter().map(|(rank, _)| *rank).max() {
            queue.push_rank(!rank, Stage::Visit, at, 0);
        }
        Ok(())
    }

    /// Rank the members that are not deleted.
    fn rank(&mut self) -> Result<(), Error> {
        self.head.check()?;
        reserve(&mut self.waiting, self.bounds.len())?;
        let ranked = self.bounds.iter().zip(0_u32..).map(|(bound, slot)| (!rank_of_bound(*bound), slot));
        let live = ranked.zip(self.head.tids.iter()).filter(|(_, tid)| tid.is_valid());
        self.waiting.extend(live.map(|(ranked, _)| ranked));
        self.bounds.clear();
        Ok(())
    }

    /// Scan the codes of the head page; false where its stream is gone.
    fn scan<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query) -> Result<bool, Error> {
        let shape = Shape::of(&index.codec);
        let members = self.len();
        let Visit { head, stage, bounds, .. } = self;
        reserve(bounds, members.next_multiple_of(BLOCK))?;
        *stage = Stage::Row;
        match index.options.coding {
            Coding::None => bounds.resize(members, f32::NEG_INFINITY),
            Coding::Raw => {
                let mut rows = Vec::new();
                reserve(&mut rows, members * shape.row_bytes)?;
                if !head.copy(index.store, 0..members * shape.row_bytes, &mut rows)? {
                    return Ok(false);
                }
                bounds.extend(rows.chunks(shape.row_bytes.max(1)).map(|row| by_row(query, row)));
            }
            Coding::Bits(_) => {
                *stage = Stage::Code;
                bounds.resize(members.next_multiple_of(BLOCK), f32::NEG_INFINITY);
                let mut lanes = bounds.as_chunks_mut::<BLOCK>().0.iter_mut();
                let whole = head.each_block(index.store, shape, &mut |block| {
                    if let Some(lower) = lanes.next() {
                        query.block(block, lower);
                    }
                })?;
                bounds.truncate(members);
                return Ok(whole);
            }
        }
        Ok(true)
    }

    /// Put the visit into the queue for the first time. Deleted members make its bound less than it could be, not wrong.
    fn begin(&self, at: u32, queue: &mut Queue) {
        if self.len() > 0 {
            queue.push(least(&self.bounds), Stage::Visit, at, 0);
        }
    }

    /// Count the members, deleted ones among them.
    pub fn len(&self) -> usize {
        self.head.tids.len()
    }

    /// Give the member in a slot, if it is not deleted.
    pub fn tid(&self, slot: u32) -> Option<Tid> {
        self.head.tids.get(slot as usize).filter(|tid| tid.is_valid())
    }

    /// Read a member's row; false where its page is another's by now.
    pub fn row<S: PageStore>(&self, index: &Index<'_, S>, slot: u32, row: &mut Vec<u8>) -> Result<bool, Error> {
        let range = Shape::of(&index.codec).row(self.len(), slot as usize);
        self.head.copy(index.store, range, row)
    }
}

/// The least of bounds, none of which is NaN. Many at a time: it is asked of all that is scanned.
fn least(bounds: &[f32]) -> f32 {
    let less = |one: f32, other: f32| if other < one { other } else { one };
    let (chunks, rest) = bounds.as_chunks::<BLOCK>();
    let mut lanes = [f32::INFINITY; BLOCK];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, bound)| *lane = less(*lane, *bound));
    }
    lanes.into_iter().chain(rest.iter().copied()).fold(f32::INFINITY, less)
}

/// Visit a list, and put it into the queue; false where it has been replaced, and then nothing of it is.
pub fn list<S: PageStore>(
    index: &Index<'_, S>,
    query: &Query,
    entry: &Entry,
    visits: &mut Vec<Visit>,
    queue: &mut Queue,
) -> Result<bool, Error> {
    let first = visits.len();
    if !packed_part(index, query, entry, visits)? || !open_part(index, query, entry, visits)? {
        visits.truncate(first);
        return Ok(false);
    }
    queue.reserve(visits.len() - first)?;
    for (at, visit) in visits.iter().enumerate().skip(first) {
        visit.begin(at as u32, queue);
    }
    Ok(true)
}

/// Visit the packed part of a list, by its head pages; false where the list has been replaced.
fn packed_part<S: PageStore>(
    index: &Index<'_, S>,
    query: &Query,
    entry: &Entry,
    visits: &mut Vec<Visit>,
) -> Result<bool, Error> {
    let mut next = entry.packed;
    while let Some(link) = next {
        let mut visit = spare::take();
        let Some(head) = index.glance(link, entry.list, std::mem::take(&mut visit.head))? else { return Ok(false) };
        next = head.next;
        visit.head = head;
        visit.head.prefetch(index.store, 0);
        if !visit.scan(index, query)? {
            return Ok(false);
        }
        reserve(visits, 1)?;
        visits.push(visit);
    }
    Ok(true)
}

/// Visit the open part of a list, page by page; false where the list has been replaced.
fn open_part<S: PageStore>(
    index: &Index<'_, S>,
    query: &Query,
    entry: &Entry,
    visits: &mut Vec<Visit>,
) -> Result<bool, Error> {
    let row_bytes = index.codec.row_bytes();
    let mut next = entry.open;
    let (mut tids, mut bounds) = (Vec::new(), Vec::new());
    while let Some(link) = next {
        let bytes = index.store.read(known(index.store, link.page)?)?;
        let Some(header) = page::found(index.store, link, &bytes, KIND_OPEN, entry.list)? else { return Ok(false) };
        reserve(&mut tids, header.count)?;
        reserve(&mut bounds, header.count)?;
        open::each(link, &header, &bytes, row_bytes, &mut |tid, row| {
            tids.push(tid);
            bounds.push(by_row(query, row));
            Ok(())
        })?;
        next = header.next.link();
    }
    for (tids, bounds) in tids.chunks(OPEN).zip(bounds.chunks(OPEN)) {
        let mut visit = spare::take();
        visit.stage = Stage::Row;
        visit.head.tids.set(tids)?;
        reserve(&mut visit.bounds, bounds.len())?;
        visit.bounds.extend_from_slice(bounds);
        reserve(visits, 1)?;
        visits.push(visit);
    }
    Ok(true)
}

/// Bound a member's score by its row.
fn by_row(query: &Query, row: &[u8]) -> f32 {
    let (score, slack) = query.row(row);
    score - slack
}

/// Ask the store for the pages that a visit to a list will read first.
pub fn prefetch<S: PageStore>(index: &Index<'_, S>, entry: &Entry) {
    for link in [entry.packed, entry.open].into_iter().flatten() {
        if known(index.store, link.page).is_ok() {
            index.store.prefetch(link.page);
        }
    }
}
