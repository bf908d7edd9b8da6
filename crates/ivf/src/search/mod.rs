//! Search: members in the order of their distance, as many as the caller asks for.
//!
//! The lists that are near enough are visited first. Their members lie in a queue under lower bounds of their distances:
//! that of the one-bit code, then that of the row, then the distance in the heap. What comes first is looked at more
//! closely and put back, so no member is refined or fetched whose turn does not come, and no number of rows has to be
//! known beforehand. When a member's turn comes to be given, the search may find that it is too early for it, and visit
//! another list; and it goes on to the last list if the caller asks for that many.

mod calibrate;
mod effort;
mod forecast;
mod frontier;
mod queue;
mod spare;
mod visit;

use std::collections::HashSet;

pub use calibrate::Calibration;
pub use effort::Effort;
pub use forecast::Forecast;
use frontier::Frontier;
use queue::{Candidate, Queue, Stage};
use visit::Visit;

use crate::codec::Query;
use crate::{Error, Index, PageStore, Tid, reserve};

/// A member and its distance: on the scale of the operator class's support function 1, as the heap told it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    pub tid: Tid,
    pub distance: f64,
}

/// What a search did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Lists visited.
    pub lists: u64,
    /// Members whose codes were scanned.
    pub scanned: u64,
    /// Members whose rows were read for a closer estimate.
    pub refined: u64,
    /// Members whose distance was asked of the heap.
    pub fetched: u64,
}

/// A search under way. It holds no lock between calls.
pub struct Search<'s, S: PageStore> {
    index: Index<'s, S>,
    query: Query,
    frontier: Frontier,
    queue: Queue,
    visits: Vec<Visit>,
    /// For each visit, the score of its list.
    lists: Vec<f32>,
    /// Members whose distance has been asked for: a list that was replaced meanwhile may be met again under another name.
    seen: HashSet<Tid>,
    counters: Counters,
    row: Vec<u8>,
}

/// What the neighbours of a member tell; see [`Search::neighbours`].
struct Neighbours {
    lists: Vec<f32>,
    found: Vec<f32>,
    farthest: f32,
}

impl<'s, S: PageStore> Index<'s, S> {
    /// Begin a search for what is nearest to `vector`, which has the index's dimensions.
    pub fn search(self, vector: &[f32], effort: &Effort) -> Result<Search<'s, S>, Error> {
        let mut query = self.codec.query(vector);
        if !effort.is_exhaustive(self.meta()?.lists) {
            return Search::of(self, query, effort);
        }
        query.epsilon = self.codec.certain();
        // Of every list, however many they come to be while the search is under way.
        Search::of(self, query, &Effort { recall: 1.0, probes: 0, ..*effort })
    }
}

impl<S: PageStore> Drop for Search<'_, S> {
    fn drop(&mut self) {
        spare::keep(&mut self.visits);
    }
}

impl<'s, S: PageStore> Search<'s, S> {
    /// Begin a search for a query that has been prepared.
    fn of(index: Index<'s, S>, query: Query, effort: &Effort) -> Result<Self, Error> {
        let frontier = Frontier::new(&index, &query, effort)?;
        Ok(Search {
            index,
            query,
            frontier,
            queue: Queue::default(),
            visits: Vec::new(),
            lists: Vec::new(),
            seen: HashSet::new(),
            counters: Counters::default(),
            row: Vec::new(),
        })
    }

    /// Give the next member, or nothing behind the last.
    ///
    /// `distance` gives a member's distance to the query, NaN where it has none, or nothing where the caller does not
    /// want the member: its row is deleted, or not visible. All members that were there from the search's begin to its
    /// end are given once if all lists are visited; of those that came or went meanwhile some are.
    pub fn next<E: From<Error>>(
        &mut self,
        distance: &mut dyn FnMut(Tid) -> Result<Option<f64>, E>,
    ) -> Result<Option<Found>, E> {
        loop {
            if self.frontier.is_wanted() {
                self.visit()?;
                continue;
            }
            match self.queue.pop() {
                Some(Candidate::Exact(found)) => {
                    if !self.frontier.is_early(&self.query, found.distance) {
                        self.frontier.gave();
                        return Ok(Some(found));
                    }
                    self.queue.push_exact(found);
                }
                Some(Candidate::Estimate { stage: Stage::Visit, visit, .. }) => self.open(visit)?,
                Some(Candidate::Estimate { stage: Stage::Code, visit, slot }) => self.refine(visit, slot)?,
                Some(Candidate::Estimate { stage: Stage::Row, visit, slot }) => {
                    let Some(tid) = self.visits.get(visit as usize).and_then(|visit| visit.tid(slot)) else { continue };
                    self.seen.try_reserve(1).map_err(|_| Error::OutOfMemory { bytes: size_of::<Tid>() })?;
                    self.queue.reserve(0)?;
                    if !self.seen.insert(tid) {
                        continue;
                    }
                    self.counters.fetched += 1;
                    if let Some(distance) = distance(tid)? {
                        if let Some(score) = self.lists.get(visit as usize) {
                            self.frontier.met(&self.query, *score, distance);
                        }
                        self.queue.push_exact(Found { tid, distance });
                    }
                }
                None if self.frontier.is_done() => return Ok(None),
                None => self.visit()?,
            }
        }
    }

    /// Find the members that are nearest by their rows, but for `tid`, without asking the heap. Gives the scores of all
    /// lists, the nearest first, those of the lists of the members, and the distance of the farthest of them.
    fn neighbours(&mut self, tid: Tid, count: usize, pause: &mut dyn FnMut()) -> Result<Neighbours, Error> {
        while !self.frontier.is_done() {
            pause();
            self.visit()?;
        }
        // Rows are to be told by their scores from here on, not by how much less those may be.
        self.query.epsilon = 0.0;
        let (mut found, mut farthest) = (Vec::new(), f32::NAN);
        while found.len() < count {
            match self.queue.pop_bound() {
                Some((_, Stage::Visit, visit, _)) => self.open(visit)?,
                Some((_, Stage::Code, visit, slot)) => self.refine(visit, slot)?,
                Some((bound, Stage::Row, visit, slot)) => {
                    let other = self.visits.get(visit as usize).and_then(|visit| visit.tid(slot)) != Some(tid);
                    if let Some(score) = self.lists.get(visit as usize).filter(|_| other) {
                        found.push(*score);
                        farthest = bound;
                    }
                }
                None => break,
            }
        }
        Ok(Neighbours { lists: self.frontier.scores().to_vec(), found, farthest })
    }

    /// Tell what the search has done so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Visit the nearest list that was not visited yet.
    fn visit(&mut self) -> Result<(), Error> {
        let Some(ahead) = self.frontier.pop(&self.index, &self.query)? else { return Ok(()) };
        let entry = ahead.entry;
        let first = self.visits.len();
        if !visit::list(&self.index, &self.query, &entry, &mut self.visits, &mut self.queue)? {
            return self.frontier.again(&self.index, &self.query, &entry);
        }
        let visits = self.visits.iter().skip(first);
        self.counters.lists += 1;
        self.counters.scanned += visits.clone().map(|visit| visit.len() as u64).sum::<u64>();
        reserve(&mut self.lists, visits.len())?;
        self.lists.extend(visits.map(|_| ahead.score));
        self.frontier.visited(&ahead);
        Ok(())
    }

    /// Take out of a visit the members that are next.
    fn open(&mut self, at: u32) -> Result<(), Error> {
        self.visits.get_mut(at as usize).map_or(Ok(()), |visit| visit.next(at, &mut self.queue))
    }

    /// Estimate a member's distance by its row.
    fn refine(&mut self, at: u32, slot: u32) -> Result<(), Error> {
        let Some(visit) = self.visits.get(at as usize) else { return Ok(()) };
        self.counters.refined += 1;
        self.row.clear();
        // A list that was replaced meanwhile has taken its rows elsewhere; the heap tells then.
        let bound = match visit.row(&self.index, slot, &mut self.row)? {
            true => {
                let (score, slack) = self.query.row(&self.row);
                score - slack
            }
            false => f32::NEG_INFINITY,
        };
        self.queue.reserve(1)?;
        self.queue.push(bound, Stage::Row, at, slot);
        Ok(())
    }
}
