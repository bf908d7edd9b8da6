//! The lists that a search has not visited yet, nearest first, and the rule that says which of them it visits before
//! anything else.
//!
//! With s the score of a list's centroid, s1 that of the nearest list and m the mean of all, the list's nearness is
//! `(m - s) / (m - s1)`: 1 for the nearest list, 0 for one that is no nearer than any. All lists down to a certain
//! nearness are visited; which one finds the wanted share of the nearest members is measured, see [`super::Calibration`].
//! SPANN (arXiv 2111.08566) stops by `s / s1`, which is a matter of scale where scores have a constant part.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::{Calibration, Effort, visit};
use crate::codec::Query;
use crate::layout::{Link, META_PAGE};
use crate::table::{Directory, Entry};
use crate::{Error, Index, PageStore};

/// Directory pages that are read at once, at least, before lists are visited.
const GROUPS: usize = 128;
/// One in so many directory pages is read at once.
const SHARE: usize = 8;
/// Groups whose centroids are enough to tell the mean score by.
const ENOUGH: usize = 8;

/// A list that is ahead.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// The centroid's score.
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
        self.score.total_cmp(&other.score).then(self.entry.list.cmp(&other.entry.list))
    }
}

/// The lists ahead.
pub struct Frontier {
    effort: Effort,
    /// Lists at least so near are visited before anything else.
    nearness: f32,
    /// The mean score, and that of the nearest list.
    mean: f32,
    first: f32,
    lists: BinaryHeap<Reverse<Ahead>>,
    /// Directory pages that were not read yet, the nearest last.
    groups: Vec<Link>,
    /// Directory pages that were read or are in `groups`.
    known: HashSet<Link>,
    visited: HashSet<u32>,
    /// The list that was last found to be replaced.
    suspect: Option<Entry>,
    /// What the meta page counted when the directory was read.
    moves: u32,
}

impl Frontier {
    /// Read the root, and the directory around the query.
    pub fn new<S: PageStore>(index: &Index<'_, S>, query: &Query, effort: &Effort) -> Result<Frontier, Error> {
        let mut frontier = Frontier {
            effort: *effort,
            nearness: Calibration::of(&index.meta()?).nearness(effort.recall),
            mean: 0.0,
            first: 0.0,
            lists: BinaryHeap::new(),
            groups: Vec::new(),
            known: HashSet::new(),
            visited: HashSet::new(),
            suspect: None,
            moves: 0,
        };
        frontier.route(index, query)?;
        Ok(frontier)
    }

    /// Tell whether another list is to be visited before any member is given.
    pub fn is_wanted(&self) -> bool {
        let visited = self.visited.len() as u32;
        match self.lists.peek() {
            _ if self.is_done() => false,
            _ if self.effort.probes > 0 => visited < self.effort.probes,
            // What cannot be told is not near nor far, and is visited.
            Some(Reverse(next)) => visited == 0 || !matches!(self.nearness(next.score), near if near < self.nearness),
            None => true,
        }
    }

    /// Tell whether it is too early to give a member, when it and those before came from lists that were the `depth`-th
    /// visited, on average.
    pub fn is_early(&self, depth: f32) -> bool {
        !self.is_done() && self.effort.probes == 0 && (self.visited.len() as f32) < self.effort.lists(depth)
    }

    /// Give the nearness of a list by its score.
    pub fn nearness(&self, score: f32) -> f32 {
        (self.mean - score) / (self.mean - self.first)
    }

    /// Tell whether there is nothing ahead.
    pub fn is_done(&self) -> bool {
        let none = self.lists.is_empty() && self.groups.is_empty();
        none || self.visited.len() as u64 >= u64::from(self.effort.most)
    }

    /// Take the nearest list.
    pub fn pop<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query) -> Result<Option<Ahead>, Error> {
        if self.lists.len() <= self.visited.len() && !self.groups.is_empty() {
            self.read(index, query, GROUPS)?;
            if index.meta()?.moves != self.moves {
                self.forget();
                self.route(index, query)?;
            }
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
            let page = entry.packed.or(entry.open).map_or(META_PAGE, |link| link.page);
            return Err(Error::Corrupt { page, what: "the directory leads here for a list that is not here" });
        }
        self.suspect = Some(*entry);
        self.forget();
        self.route(index, query)
    }

    /// Read the root, and of the directory what is nearest.
    fn route<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query) -> Result<(), Error> {
        loop {
            let moves = index.meta()?.moves;
            self.moves = moves;
            self.route_once(index, query)?;
            if index.meta()?.moves == moves {
                return Ok(());
            }
            // Members moved between lists of different pages while these were read one after another: what was read
            // may lack the one list that they came from and the other that they went to.
            self.forget();
        }
    }

    /// Forget what was read of the directory, but not which lists were visited.
    fn forget(&mut self) {
        self.lists.clear();
        self.groups.clear();
        self.known.clear();
    }

    /// Read them as they are.
    fn route_once<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query) -> Result<(), Error> {
        let mut groups = Vec::new();
        index.groups(&mut |link, centroid| groups.push((index.score(query, centroid), link)))?;
        groups.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        self.groups = groups.iter().map(|(_, link)| *link).collect();
        self.known = self.groups.iter().copied().collect();
        self.read(index, query, GROUPS.max(self.groups.len() / SHARE))?;
        self.first = self.lists.peek().map_or(0.0, |Reverse(ahead)| ahead.score);
        self.mean = match groups.len() {
            count if count >= ENOUGH => mean(groups.iter().map(|(score, _)| *score)),
            _ => mean(self.lists.iter().map(|Reverse(ahead)| ahead.score)),
        };
        Ok(())
    }

    /// Read so many directory pages more.
    fn read<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            let Some(link) = self.groups.pop() else { return Ok(()) };
            let (lists, visited) = (&mut self.lists, &self.visited);
            let most = Directory::capacity(index.centroids.bytes());
            lists.try_reserve(most).map_err(|_| Error::OutOfMemory { bytes: most * size_of::<Ahead>() })?;
            let next = index.entries(link, &mut |entry, centroid| {
                if !visited.contains(&entry.list) {
                    lists.push(Reverse(Ahead { score: index.score(query, centroid), entry }));
                }
            })?;
            // A page that was split off a moment ago may not be in the root yet.
            if let Some(next) = next.filter(|next| self.known.insert(*next)) {
                self.groups.push(next);
            }
        }
        Ok(())
    }
}

/// The mean of scores.
fn mean(scores: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = scores.fold((0.0, 0_u32), |(sum, count), score| (sum + score, count + 1));
    sum / count.max(1) as f32
}
