//! The lists that a search has not visited yet, nearest first, and the rule that says which of them it visits before
//! anything else.
//!
//! A list at distance D of the query, where the nearest list is at D1, holds a nearest member as `exp(-f (D - D1) / r)`
//! says, with r the distance of the farthest member that is wanted and f measured on members, see
//! [`super::Calibration`]. So what lists have in them that were not visited can be told for every member that is about to be
//! given: r is its distance. It works for queries that are unlike the members, too: their r is greater.
//! SPANN (arXiv 2111.08566) stops by `D / D1`; Quake (J. Mohoney and others, OSDI 2025) reckons what is
//! missed as well, by geometry.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::{Calibration, Effort, visit};
use crate::codec::{Coding, Query};
use crate::layout::{Link, META_PAGE};
use crate::table::{Directory, Entry};
use crate::{Error, Index, PageStore};

/// Directory pages that are read at once, at least, before lists are visited.
const GROUPS: usize = 128;
/// One in so many directory pages is read at once.
const SHARE: usize = 8;

/// One in so many lists more are visited before it is asked again whether those are enough.
const PATIENCE: usize = 8;
/// Members that are given before it counts how many they are.
const MANY: u64 = 128;
/// How much farther than the next member is looked, so that not every one is a reason to.
const BEYOND: f32 = 1.0 + 1.0 / 64.0;

/// A list that is ahead.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// The centroid's score.
    pub score: f32,
    pub entry: Entry,
}

/// A list's place among those ahead: the centroid's score, and where its entry is.
#[derive(Clone, Copy, Debug)]
struct Place(f32, u32);

impl PartialEq for Place {
    fn eq(&self, other: &Place) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Place {}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Place) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Place {
    fn cmp(&self, other: &Place) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0).then(self.1.cmp(&other.1))
    }
}

/// How numbers are spread.
#[derive(Default)]
struct Spread {
    count: f32,
    sum: f32,
    squares: f32,
}

impl Spread {
    fn add(&mut self, number: f32) {
        self.count += 1.0;
        self.sum += number;
        self.squares += number * number;
    }

    /// Give what few of the numbers are below: two standard deviations less than the mean.
    fn least(&self) -> f32 {
        let count = self.count.max(1.0);
        let mean = self.sum / count;
        mean - 2.0 * (self.squares / count - mean * mean).max(0.0).sqrt()
    }
}

/// The lists ahead.
pub struct Frontier {
    effort: Effort,
    rule: Calibration,
    /// The share that may be missed.
    spared: f32,
    lists: BinaryHeap<Reverse<Place>>,
    /// What the places lead to.
    entries: Vec<Entry>,
    /// Directory pages that were not read yet, the nearest last.
    groups: Vec<Link>,
    /// Directory pages that were read or are in `groups`.
    known: HashSet<Link>,
    visited: HashSet<u32>,
    /// The scores of the lists that were visited.
    behind: Vec<f32>,
    /// Lists to visit before anything is given.
    due: usize,
    /// Members that were given.
    given: u64,
    /// How much the squared distances of members are above those of their lists.
    excess: Spread,
    /// The length up to which members may be given without a look at the lists ahead: with more lists visited, there is
    /// only less to be missed.
    calm: f32,
    /// The list that was last found to be replaced.
    suspect: Option<Entry>,
    /// What the meta page counted when the directory was read.
    moves: u32,
}

impl Frontier {
    /// Read the root, and the directory around the query.
    pub fn new<S: PageStore>(index: &Index<'_, S>, query: &Query, effort: &Effort) -> Result<Frontier, Error> {
        let meta = index.meta()?;
        let mut frontier = Frontier {
            effort: *effort,
            rule: Calibration::of(&meta),
            spared: effort.missed(index.options.coding == Coding::Raw),
            lists: BinaryHeap::new(),
            entries: Vec::new(),
            groups: Vec::new(),
            known: HashSet::new(),
            visited: HashSet::new(),
            behind: Vec::new(),
            due: effort.least(meta.lists),
            given: 0,
            excess: Spread::default(),
            calm: 0.0,
            suspect: None,
            moves: 0,
        };
        frontier.route(index, query)?;
        Ok(frontier)
    }

    /// Tell whether another list is to be visited before any member is given.
    pub fn is_wanted(&self) -> bool {
        self.visited.len() < self.due && !self.is_done()
    }

    /// Tell whether it is too early to give a member at this distance: nearer ones may be in lists that were not visited.
    /// Then some more are to be visited first.
    pub fn is_early(&mut self, query: &Query, distance: f64) -> bool {
        let reach = query.length(distance as f32, self.rule.reach);
        if self.effort.probes > 0 || self.is_done() || (reach <= self.calm && !distance.is_nan()) {
            return false;
        }
        // Whoever wants many members asks for each of them.
        let reach = reach * BEYOND;
        // What has no distance is farther than everything.
        let known = reach.is_finite() && !distance.is_nan();
        if known && !self.is_within(query, reach) && self.missed(query, reach) <= self.may_miss() {
            self.calm = reach;
            return false;
        }
        self.due = self.visited.len() + 1 + self.visited.len() / PATIENCE;
        true
    }

    /// Tell, once many members were given, whether the nearest list ahead has members no farther than `reach`, as far as those
    /// of the lists behind tell: their squared distances are so much above those of their lists.
    fn is_within(&self, query: &Query, reach: f32) -> bool {
        let nearest = self.lists.peek().filter(|_| self.given >= MANY);
        nearest.is_some_and(|Reverse(Place(score, _))| {
            let length = query.length(*score, self.rule.reach);
            length * length + self.excess.least() <= reach * reach
        })
    }

    /// Note the distance of a member of a list of this score; few members tell nothing.
    #[inline]
    pub fn met(&mut self, query: &Query, score: f32, distance: f64) {
        if self.given >= MANY / 2 {
            self.note(query, score, distance);
        }
    }

    #[cold]
    fn note(&mut self, query: &Query, score: f32, distance: f64) {
        let [list, member] = [score, distance as f32].map(|score| query.length(score, self.rule.reach));
        let excess = member * member - list * list;
        if excess.is_finite() {
            self.excess.add(excess);
        }
    }

    /// Note that a member was given.
    pub fn gave(&mut self) {
        self.given += 1;
        if self.given >= MANY && self.given.is_power_of_two() {
            self.calm = 0.0;
        }
    }

    /// The share that may be missed from here on. Whoever has been given many members takes few of them, and which those are
    /// may have to do with where they are: all that is wanted may be in the lists that are thought to hold the rest. So no
    /// more may be missed of many than of [`MANY`]; to visit a list costs little beside so many members.
    fn may_miss(&self) -> f32 {
        self.spared * (MANY as f32 / self.given.max(MANY) as f32)
    }

    /// Give the share of the members no farther than `reach` that are in lists that were not visited, as far as can be told.
    fn missed(&self, query: &Query, reach: f32) -> f32 {
        let (ahead, behind) = (self.lists.iter().map(|Reverse(Place(score, _))| *score), self.behind.iter().copied());
        let first = ahead.clone().next().into_iter().chain(behind.clone()).fold(f32::INFINITY, f32::min);
        let near = query.length(first, self.rule.reach);
        // A member that is where the query is says of no list that it has a nearer one, but of those at the same place.
        let scale = (reach / self.rule.fall).max(f32::MIN_POSITIVE);
        let weight = |score| weight((query.length(score, self.rule.reach) - near) / scale);
        let (ahead, behind): (f32, f32) = (ahead.map(weight).sum(), behind.map(weight).sum());
        ahead / (ahead + behind)
    }

    /// The scores of the lists that were visited, in that order.
    pub fn scores(&self) -> &[f32] {
        &self.behind
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
        if let Some(next) = self.lists.peek().and_then(|Reverse(place)| self.at(*place)) {
            visit::prefetch(index, &next.entry);
        }
        Ok(ahead.and_then(|Reverse(place)| self.at(place)))
    }

    /// Find what a place leads to.
    fn at(&self, Place(score, at): Place) -> Option<Ahead> {
        self.entries.get(at as usize).map(|entry| Ahead { score, entry: *entry })
    }

    /// Note that a list was visited.
    pub fn visited(&mut self, ahead: &Ahead) {
        self.visited.insert(ahead.entry.list);
        self.behind.push(ahead.score);
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
        self.entries.clear();
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
        self.read(index, query, GROUPS.max(self.groups.len() / SHARE))
    }

    /// Read so many directory pages more.
    fn read<S: PageStore>(&mut self, index: &Index<'_, S>, query: &Query, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            let Some(link) = self.groups.pop() else { return Ok(()) };
            let (lists, entries, visited) = (&mut self.lists, &mut self.entries, &self.visited);
            let most = Directory::capacity(index.centroids.bytes());
            let room = lists.try_reserve(most).and_then(|()| entries.try_reserve(most));
            room.map_err(|_| Error::OutOfMemory { bytes: most * size_of::<Ahead>() })?;
            let next = index.entries(link, &mut |entry, centroid| {
                if !visited.contains(&entry.list) {
                    lists.push(Reverse(Place(index.score(query, centroid), entries.len() as u32)));
                    entries.push(entry);
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

/// Give `exp(-x)`, or a little less, for x of zero and more.
fn weight(x: f32) -> f32 {
    let root = (1.0 - x / 256.0).max(0.0);
    (0..8).fold(root, |power, _| power * power)
}
