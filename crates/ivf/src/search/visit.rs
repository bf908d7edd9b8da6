//! A visit to a list: the bounds of all its members by their codes or their rows. Few of them are ever looked at, so they
//! wait with the visit, and the queue has the least of them; those that are next go into the queue when its turn comes.

use super::queue::{Queue, Stage, rank_of_bound};
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
    /// The bounds of all members, until the first of them is next: of most visits, none ever is.
    bounds: Vec<f32>,
    /// Then, the bounds and slots of those that are not in the queue, as [`super::queue::rank_of_bound`] ranks them, turned
    /// about so that the least comes last.
    waiting: Vec<(u32, u32)>,
}

impl Visit {
    fn new(part: Part, stage: Stage, bounds: Vec<f32>) -> Visit {
        Visit { part, stage, bounds, waiting: Vec::new() }
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
        let bounds = std::mem::take(&mut self.bounds);
        reserve(&mut self.waiting, bounds.len())?;
        let ranked = bounds.iter().zip(0_u32..).map(|(bound, slot)| (!rank_of_bound(*bound), slot));
        match &self.part {
            Part::Open(tids) => self.waiting.extend(ranked.take(tids.len())),
            Part::Packed(head) => {
                head.check()?;
                let live = ranked.zip(head.tids.iter()).filter(|(_, tid)| tid.is_valid());
                self.waiting.extend(live.map(|(ranked, _)| ranked));
            }
        }
        Ok(())
    }

    /// Put the visit into the queue for the first time. Deleted members make its bound less than it could be, not wrong.
    fn begin(&self, at: u32, queue: &mut Queue) {
        if self.len() > 0 {
            queue.push(least(&self.bounds), Stage::Visit, at, 0);
        }
    }

    /// Count the members, deleted ones among them.
    pub fn len(&self) -> usize {
        match &self.part {
            Part::Packed(head) => head.tids.len(),
            Part::Open(tids) => tids.len(),
        }
    }

    /// Give the member in a slot, if it is not deleted.
    pub fn tid(&self, slot: u32) -> Option<Tid> {
        let tid = match &self.part {
            Part::Packed(head) => head.tids.get(slot as usize),
            Part::Open(tids) => tids.get(slot as usize).copied(),
        };
        tid.filter(|tid| tid.is_valid())
    }

    /// Read a member's row; false where its page is another's by now, or there are no rows.
    pub fn row<S: PageStore>(&self, index: &Index<'_, S>, slot: u32, row: &mut Vec<u8>) -> Result<bool, Error> {
        let Part::Packed(head) = &self.part else { return Ok(false) };
        let range = Shape::of(&index.codec).row(head.tids.len(), slot as usize);
        head.copy(index.store, range, row)
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
        let Some(head) = index.glance(link, entry.list)? else { return Ok(None) };
        next = head.next;
        let Some(visit) = scan(index, query, head)? else { return Ok(None) };
        visits.push(visit);
    }
    if !open_part(index, query, entry, &mut visits)? {
        return Ok(None);
    }
    queue.reserve(visits.len())?;
    for (at, visit) in visits.iter().enumerate() {
        visit.begin((first + at) as u32, queue);
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
        visits.push(Visit::new(Part::Open(tids.to_vec()), Stage::Row, bounds.to_vec()));
    }
    Ok(true)
}

/// Bound a member's score by its row.
fn by_row(query: &Query, row: &[u8]) -> f32 {
    let (score, slack) = query.row(row);
    score - slack
}

/// Scan the codes of one head page; `None` where its stream is gone.
fn scan<S: PageStore>(index: &Index<'_, S>, query: &Query, head: Head) -> Result<Option<Visit>, Error> {
    let shape = Shape::of(&index.codec);
    let members = head.tids.len();
    let mut bounds = Vec::new();
    reserve(&mut bounds, members.next_multiple_of(BLOCK))?;
    let (whole, stage) = match index.options.coding {
        Coding::None => {
            bounds.resize(members, f32::NEG_INFINITY);
            (true, Stage::Row)
        }
        Coding::Raw => {
            let mut rows = Vec::new();
            reserve(&mut rows, members * shape.row_bytes)?;
            let whole = head.copy(index.store, 0..members * shape.row_bytes, &mut rows)?;
            bounds.extend(rows.chunks(shape.row_bytes.max(1)).map(|row| by_row(query, row)));
            (whole, Stage::Row)
        }
        Coding::Bits(_) => {
            bounds.resize(members.next_multiple_of(BLOCK), f32::NEG_INFINITY);
            let mut lanes = bounds.as_chunks_mut::<BLOCK>().0.iter_mut();
            let whole = head.each_block(index.store, shape, &mut |block| {
                if let Some(lower) = lanes.next() {
                    query.block(block, lower);
                }
            })?;
            bounds.truncate(members);
            (whole, Stage::Code)
        }
    };
    Ok(whole.then(|| Visit::new(Part::Packed(head), stage, bounds)))
}

/// Ask the store for the pages that a visit to a list will read first.
pub fn prefetch<S: PageStore>(index: &Index<'_, S>, entry: &Entry) {
    for link in [entry.packed, entry.open].into_iter().flatten() {
        if known(index.store, link.page).is_ok() {
            index.store.prefetch(link.page);
        }
    }
}
