//! A visit to a list: the bounds of all its members by their codes or their rows. Few of them are ever looked at, so they
//! wait with the visit, and the queue has the least of them; those that are next go into the queue when its turn comes.

use super::queue::{Queue, Stage, rank_of_bound};
use crate::codec::{Coding, Query};
use crate::index::known;
use crate::layout::KIND_OPEN;
use crate::packed::{BLOCK, Head, Shape};
use crate::table::Entry;
use crate::{Error, Index, PageStore, Tid, open, page};

/// Members that go into the queue at once.
const BATCH: usize = 16;

/// Members of an open part that make a visit, at most: an index without codes has no limit to them, and those that are
/// next are looked for among all.
const OPEN: usize = 1_024;

/// The members of one head page, or of an open part, in the order of their slots.
enum Part {
    Packed(Head),
    Open(Vec<Tid>),
}

/// A visit to a part of a list.
pub struct Visit {
    part: Part,
    /// How closely the members have been looked at.
    stage: Stage,
    /// Bounds and slots of those that are not in the queue, as [`super::queue::rank_of_bound`] ranks them.
    waiting: Vec<(u32, u32)>,
}

impl Visit {
    fn tids(&self) -> &[Tid] {
        match &self.part {
            Part::Packed(head) => &head.tids,
            Part::Open(tids) => tids,
        }
    }

    /// Put the members that are next into the queue, and the rest of the visit under the least of their bounds.
    pub fn next(&mut self, at: u32, queue: &mut Queue) -> Result<(), Error> {
        queue.reserve(BATCH + 1)?;
        let count = self.waiting.len();
        if count > BATCH {
            self.waiting.select_nth_unstable(count - BATCH - 1);
        }
        for (rank, slot) in self.waiting.drain(count.saturating_sub(BATCH)..) {
            queue.push_rank(!rank, self.stage, at, slot);
        }
        self.wait(at, queue);
        Ok(())
    }

    /// Put the visit into the queue, if any of its members is not.
    fn wait(&self, at: u32, queue: &mut Queue) {
        if let Some(rank) = self.waiting.iter().map(|(rank, _)| *rank).max() {
            queue.push_rank(!rank, Stage::Visit, at, 0);
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
        let Part::Packed(head) = &self.part else { return Ok(false) };
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
    let mut next = entry.packed;
    while let Some(link) = next {
        let Some(head) = index.head(link, entry.list)? else { return Ok(None) };
        next = head.next;
        let Some(visit) = scan(index, query, head)? else { return Ok(None) };
        visits.push(visit);
    }
    if !open_part(index, query, entry, &mut visits)? {
        return Ok(None);
    }
    queue.reserve(visits.len())?;
    for (at, visit) in visits.iter().enumerate() {
        visit.wait((first + at) as u32, queue);
    }
    Ok(Some(visits))
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
        let waiting = waiting(tids, bounds.iter().copied());
        visits.push(Visit { part: Part::Open(tids.to_vec()), stage: Stage::Row, waiting });
    }
    Ok(true)
}

/// Make room for so many values more.
pub fn reserve<T>(values: &mut Vec<T>, count: usize) -> Result<(), Error> {
    values.try_reserve(count).map_err(|_| Error::OutOfMemory { bytes: count * size_of::<T>() })
}

/// Bound a member's score by its row.
fn by_row(query: &Query, row: &[u8]) -> f32 {
    let (score, slack) = query.row(row);
    score - slack
}

/// The ranks of bounds, turned about so that the least comes last, and the slots they are of; of live members only.
fn waiting(tids: &[Tid], bounds: impl Iterator<Item = f32>) -> Vec<(u32, u32)> {
    let mut waiting = Vec::with_capacity(tids.len());
    let ranked = bounds.take(tids.len()).zip(0_u32..).map(|(bound, slot)| (!rank_of_bound(bound), slot));
    if tids.iter().fold(true, |all, tid| all & tid.is_valid()) {
        waiting.extend(ranked);
    } else {
        waiting.extend(ranked.zip(tids).filter(|(_, tid)| tid.is_valid()).map(|(ranked, _)| ranked));
    }
    waiting
}

/// Scan the codes of one head page; `None` where its stream is gone.
fn scan<S: PageStore>(index: &Index<'_, S>, query: &Query, head: Head) -> Result<Option<Visit>, Error> {
    let shape = Shape::of(&index.codec);
    let members = head.tids.len();
    let (whole, stage, waiting) = match index.options.coding {
        Coding::None => (true, Stage::Row, waiting(&head.tids, std::iter::repeat(f32::NEG_INFINITY))),
        Coding::Raw => {
            let mut rows = Vec::new();
            let bytes = members * shape.row_bytes;
            rows.try_reserve_exact(bytes).map_err(|_| Error::OutOfMemory { bytes })?;
            let whole = head.copy(index.store, 0..bytes, &mut rows)?;
            let bounds = rows.chunks(shape.row_bytes.max(1)).map(|row| by_row(query, row));
            (whole, Stage::Row, waiting(&head.tids, bounds))
        }
        Coding::Bits(_) => {
            let mut bounds = vec![f32::NEG_INFINITY; members.next_multiple_of(BLOCK)];
            let mut lanes = bounds.as_chunks_mut::<BLOCK>().0.iter_mut();
            let whole = head.each_block(index.store, shape, &mut |block| {
                if let Some(lower) = lanes.next() {
                    query.block(block, lower);
                }
            })?;
            (whole, Stage::Code, waiting(&head.tids, bounds.into_iter()))
        }
    };
    Ok(whole.then_some(Visit { part: Part::Packed(head), stage, waiting }))
}

/// Ask the store for the pages that a visit to a list will read first.
pub fn prefetch<S: PageStore>(index: &Index<'_, S>, entry: &Entry) {
    for link in [entry.packed, entry.open].into_iter().flatten() {
        if known(index.store, link.page).is_ok() {
            index.store.prefetch(link.page);
        }
    }
}
