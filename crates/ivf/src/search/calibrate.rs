//! The stop rule, measured: members are taken as queries, and all lists are searched for the ten members nearest to each.
//! Where those are tells how fast lists have less of them with their distance (what that is, is told in `frontier.rs`).
//! Of all rates, the one is kept in the meta page under which what was found is most likely.

use super::{Effort, Neighbours, Search};
use crate::codec::{Coding, Query};
use crate::index::lock_meta;
use crate::layout::META_PAGE;
use crate::members::Members;
use crate::meta::Meta;
use crate::table::Entry;
use crate::{Error, Index, PageStore, Tid, Transaction, open};

/// Members that are taken as queries.
const QUERIES: u64 = 128;
/// Lists of an index that has grown from which on that is worth it.
const FEW: u32 = 8;
/// Neighbours that each of them is to find.
const NEIGHBOURS: usize = 10;
/// Lists that are looked at for each, the nearest: the others have next to nothing.
const LISTS: usize = 1_024;
/// Rates that there may be, and the share of the most likely one that is taken: what is told to be in far lists is more than
/// what is there, and in return the searches of most queries do not differ much.
const RATES: (f32, f32) = (2.0, 100.0);
const SHARE: f32 = 0.45;

/// What the stop rule needs to know of an index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// How fast lists have less of the nearest members with their distance from the query, in parts of the farthest of those
    /// members' distance.
    pub(crate) fall: f32,
    /// The greatest norm of the members that were looked at, as they are coded.
    pub(crate) reach: f32,
}

impl Calibration {
    /// That of an index that was not measured.
    pub(crate) const UNMEASURED: Calibration = Calibration { fall: 12.0, reach: 1.0 };

    /// Read it out of the meta page.
    pub(crate) fn of(meta: &Meta) -> Calibration {
        meta.rule
    }

    /// Tell whether it may be one.
    pub(crate) fn is_sound(&self) -> bool {
        self.fall > 0.0 && self.fall.is_finite() && self.reach >= 0.0 && self.reach.is_finite()
    }
}

/// What the neighbours of members need.
#[derive(Default)]
struct Needs {
    reach: f32,
    /// For each member: how much farther than the nearest list the others are, in parts of its farthest neighbour's distance;
    /// and the mean of that over the lists that its neighbours are in.
    lists: Vec<(Vec<f32>, f32)>,
}

impl Needs {
    /// Note the neighbours of a member.
    fn add(&mut self, query: &Query, found: &Neighbours) {
        let length = |score| query.length(score, self.reach);
        let (Some(first), count) = (found.lists.first(), found.found.len()) else { return };
        let farthest = length(found.farthest);
        if count == 0 || !farthest.is_normal() {
            return;
        }
        let farther = |score: &f32| (length(*score) - length(*first)) / farthest;
        let mean = found.found.iter().map(farther).sum::<f32>() / count as f32;
        let lists: Vec<f32> = found.lists.iter().take(LISTS).map(farther).filter(|list| list.is_finite()).collect();
        if mean.is_finite() {
            self.lists.push((lists, mean));
        }
    }

    /// Sum up: the rate at which lists that were chosen as the rule says would be as far as these are, on average.
    fn sum_up(&self, share: f32) -> Option<Calibration> {
        let found: f32 = self.lists.iter().map(|(_, mean)| mean).sum();
        let told = |rate: f32| -> f32 { self.lists.iter().map(|(lists, _)| mean(lists, rate)).sum() };
        let (mut low, mut high) = RATES;
        for _ in 0..20 {
            let middle = (low + high) / 2.0;
            if told(middle) > found { low = middle } else { high = middle }
        }
        let rule = Calibration { fall: share * high, reach: self.reach };
        (!self.lists.is_empty() && rule.is_sound()).then_some(rule)
    }
}

/// The mean of numbers, each weighing less the greater it is.
fn mean(numbers: &[f32], rate: f32) -> f32 {
    let weighed = numbers.iter().map(|number| ((-rate * number).exp(), *number));
    let (sum, weights) = weighed.fold((0.0, 0.0), |(sum, all), (weight, number)| (sum + weight * number, all + weight));
    if weights > 0.0 { sum / weights } else { 0.0 }
}

impl<S: PageStore> Index<'_, S> {
    /// Measure the stop rule on members of the index, and note it. The caller has the store for itself.
    pub(crate) fn calibrate(&self, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let lists = self.meta()?.lists;
        if self.options.coding == Coding::None || lists < 2 {
            return Ok(());
        }
        let some = self.some(pause)?;
        let mut needs = Needs { reach: self.reach(&some), ..Needs::default() };
        for (tid, row) in some.iter() {
            self.needs(tid, row, &mut needs, pause)?;
        }
        // Of few dimensions all is told, and little is spared: see `Effort::missed`.
        let share = if self.options.coding == Coding::Raw { 1.0 } else { SHARE };
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        meta.rule = needs.sum_up(share).unwrap_or(Calibration::UNMEASURED);
        meta.calibrated_lists = lists;
        meta.write(transaction.page(META_PAGE)?)?;
        Ok(transaction.commit()?)
    }

    /// The greatest norm of members.
    fn reach(&self, members: &Members) -> f32 {
        let (mut reach, mut point) = (0.0_f32, Vec::new());
        for (_, row) in members.iter() {
            if self.codec.decode(row, &mut point) {
                reach = reach.max(point.iter().map(|value| value * value).sum::<f32>().sqrt());
            }
        }
        reach
    }

    /// Measure the stop rule anew where there are twice or half as many lists as when it was last measured, and no more
    /// than `most`. The caller has the store for itself.
    pub(crate) fn recalibrate(&self, most: u32, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let meta = self.meta()?;
        let (lists, before) = (meta.lists, meta.calibrated_lists);
        let changed = lists / 2 >= before || lists < before / 2;
        if lists < FEW || lists > most || !changed {
            return Ok(());
        }
        self.calibrate(pause)
    }

    /// Some members from all over the index, of long lists more than of short ones: a list of one member has no neighbour of it,
    /// and no query like it comes often.
    fn some(&self, pause: &mut dyn FnMut()) -> Result<Members, Error> {
        let mut some = Members::new(self.codec.row_bytes());
        let directories = self.directories()?;
        let per_page = open::capacity(self.codec.row_bytes()) as u64;
        let members = |entry: &Entry| u64::from(entry.packed_members) + u64::from(entry.open_pages) * per_page;
        let entries = || directories.iter().flat_map(|directory| &directory.records);
        let all: u64 = entries().map(members).sum();
        let (mut taken, mut behind) = (0, 0);
        for entry in entries() {
            let before = taken;
            behind += members(entry);
            // Any of a list's members will do, if it is the same each time.
            let due = (behind.saturating_mul(QUERIES) / all.max(1)) as usize;
            if due == before {
                continue;
            }
            pause();
            let Some(list) = self.list(entry, pause)? else { continue };
            let count = list.members.len();
            for at in before..due {
                if let Some((tid, row)) = list.members.iter().nth((at * 7_919) % count.max(1)) {
                    some.push(tid, row)?;
                }
            }
            taken = due;
        }
        Ok(some)
    }

    /// Find the neighbours of one member, and note where they are.
    fn needs(&self, tid: Tid, row: &[u8], needs: &mut Needs, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let mut point = Vec::new();
        if !self.codec.decode(row, &mut point) {
            return Ok(());
        }
        let (codec, centroids) = (self.codec.clone(), self.centroids.clone());
        let index = Index { store: self.store, options: self.options, codec, centroids };
        let query = self.codec.query_of(&point);
        let found = Search::of(index, query.clone(), &Effort { recall: 1.0, ..Effort::default() })?
            .neighbours(tid, NEIGHBOURS, pause)?;
        needs.add(&query, &found);
        Ok(())
    }
}
