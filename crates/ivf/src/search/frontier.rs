//! The lists that a search has not visited yet, nearest first, and the bound that says whether it has to.
//!
//! A list with centroid c and radius r is taken to hold nothing nearer than its bound. With s the squared distance of the
//! query to c, members are around s + r^2, and spread by what the query's direction has of theirs; the bound is
//! `s + r^2 - 2 w sqrt(s) r`. With w = 1 it would hold for every member at distance r, by the triangle inequality; the
//! width w that finds the wanted share of the nearest members is less, and is measured: see [`super::Calibration`].
//! For cosines it is half of that, of normalised vectors; for inner products it is `s - w |q| r`, with s the score.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::{Calibration, Effort, visit};
use crate::codec::Query;
use crate::layout::Link;
use crate::table::Entry;
use crate::{Error, Index, PageStore};

/// Directory pages that are read at once, at least, before lists are visited.
const GROUPS: usize = 32;
/// One in so many directory pages is read at once.
const SHARE: usize = 8;

/// A list that is ahead.
#[derive(Clone, Copy)]
pub struct Ahead {
    bound: f32,
    /// The centroid's own score.
    pub score: f32,
    pub entry: Entry,
}

impl PartialEq for Ahead {
    fn eq(&self, other: &Ahead) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ahead {}

impl PartialOrd for Ahead {
    fn partial_cmp(&self, other: &Ahead) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ahead {
    fn cmp(&self, other: &Ahead) -> std::cmp::Ordering {
        self.bound.total_cmp(&other.bound).then(self.entry.list.cmp(&other.entry.list))
    }
}

/// The lists ahead.
pub struct Frontier {
    effort: Effort,
    width: f32,
    lists: BinaryHeap<Reverse<Ahead>>,
    /// Directory pages that were not read yet, the nearest last.
    groups: Vec<Link>,
    /// Directory pages that were read or are in `groups`.
    known: HashSet<Link>,
    visited: HashSet<u32>,
    /// The list that was last found to be replaced.
    suspect: Option<Entry>,
}

impl Frontier {
    /// Read the root, and the directory around the query.
    pub fn new<S: PageStore>(index: &Index<'_, S>, query: &Query, effort: &Effort) -> Result<Frontier, Error> {
        let width = Calibration::of(&index.meta()?).width(effort.recall);
        let mut frontier = Frontier {
            effort: *effort,
            width,
            lists: BinaryHeap::new(),
            groups: Vec::new(),
            known: HashSet::new(),
            visited: HashSet::new(),
            suspect: None,
        };
        frontier.route(index, query)?;
        Ok(frontier)
    }

    /// The least distance that a member of a list ahead is taken to have.
    pub fn bound(&self) -> f64 {
        let probes = u64::from(self.effort.probes);
        let visited = self.visited.len() as u64;
        match self.lists.peek() {
            _ if visited >= u64::from(self.effort.most) => f64::INFINITY,
            None if self.groups.is_empty() => f64::INFINITY,
            _ if probes > 0 && visited < probes => f64::NEG_INFINITY,
            Some(_) if probes > 0 => f64::INFINITY,
            Some(Reverse(ahead)) => f64::from(ahead.bound),
            None => f64::NEG_INFINITY,
        }
    }

    /// Tell whether there is nothing ahead.
    pub fn is_done(&self) -> bool {
        let none = self.lists.is_empty() && self.groups.is_empty();
        none || self.visited.len() as u64 >= u64::from(self.effort.most)
    }

    /// Take the nearest list.
    pub fn pop<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query) -> Result<Option<Ahead>, Error> {
        if self.lists.len() <= self.visited.len() {
            self.read(index, query, GROUPS)?;
        }
        let ahead = self.lists.pop();
        if let Some(Reverse(next)) = self.lists.peek() {
            visit::prefetch(index, &next.entry);
        }
        Ok(ahead.map(|Reverse(ahead)| ahead))
    }

    /// Note that a list was visited.
    pub fn visited(&mut self, list: u32) {
        self.visited.insert(list);
    }

    /// Read the directory again, after a list of it was found to be replaced.
    pub fn again<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query, entry: &Entry) -> Result<(), Error> {
        if self.suspect == Some(*entry) {
            let page = entry.packed.or(entry.open).map_or(crate::layout::META_PAGE, |link| link.page);
            return Err(Error::Corrupt { page, what: "the directory leads here for a list that is not here" });
        }
        self.suspect = Some(*entry);
        self.lists.clear();
        self.groups.clear();
        self.known.clear();
        self.route(index, query)
    }

    /// Read the root, and of the directory what is nearest.
    fn route<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query) -> Result<(), Error> {
        let mut groups = Vec::new();
        for root in index.root()? {
            for (at, link) in root.records.iter().enumerate() {
                groups.push((index.score(query, root.centroid(at)), *link));
            }
        }
        groups.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        self.groups = groups.into_iter().map(|(_, link)| link).collect();
        self.known = self.groups.iter().copied().collect();
        self.read(index, query, GROUPS.max(self.groups.len() / SHARE))
    }

    /// Read so many directory pages more.
    fn read<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            let Some(link) = self.groups.pop() else { return Ok(()) };
            let directory = index.directory(link)?;
            // A page that was split off a moment ago may not be in the root yet.
            if let Some(next) = directory.next.filter(|next| self.known.insert(*next)) {
                self.groups.push(next);
            }
            for (at, entry) in directory.records.iter().enumerate() {
                if !self.visited.contains(&entry.list) {
                    let score = index.score(query, directory.centroid(at));
                    let bound = Calibration::bound(index.options.metric, score, query.norm(), entry.radius, self.width);
                    self.lists.push(Reverse(Ahead { bound, score, entry: *entry }));
                }
            }
        }
        Ok(())
    }
}
