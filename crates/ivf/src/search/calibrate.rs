//! The stop rule, measured: members are taken as queries, all lists are searched for the ten members nearest to each, and
//! for each of those the nearness of its list is noted (what that is, is told in `frontier.rs`). The nearness that
//! certain shares of them have at least is kept in the meta page.

use super::{Effort, Search};
use crate::codec::Coding;
use crate::index::lock_meta;
use crate::layout::META_PAGE;
use crate::members::Members;
use crate::meta::{Meta, STEPS};
use crate::{Error, Index, PageStore, Tid, Transaction};

/// Shares of the nearest members for which a nearness is kept.
const SHARES: [f32; STEPS] =
    [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999];
/// What is taken before anything was measured.
const UNMEASURED: [f32; STEPS] =
    [0.9, 0.85, 0.8, 0.77, 0.73, 0.68, 0.6, 0.55, 0.48, 0.45, 0.4, 0.33, 0.3, 0.25, 0.2, 0.1];
/// Members that are taken as queries.
const QUERIES: usize = 128;
/// Lists of an index that has grown from which on that is worth it.
const FEW: u32 = 8;
/// Neighbours that each of them is to find.
const NEIGHBOURS: usize = 10;

/// The nearness of lists, falling, for [`SHARES`] of the nearest members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    pub(crate) steps: [f32; STEPS],
}

impl Calibration {
    /// That of an index that was not measured.
    pub(crate) const UNMEASURED: Calibration = Calibration { steps: UNMEASURED };

    /// Read it out of the meta page.
    pub(crate) fn of(meta: &Meta) -> Calibration {
        Calibration { steps: meta.steps }
    }

    /// Give the nearness down to which lists have to be visited to find a share of the nearest members; negative infinity
    /// for all of them.
    pub fn nearness(&self, share: f32) -> f32 {
        let mut before = (0.0, 1.0);
        for (at, step) in SHARES.iter().zip(&self.steps) {
            if share <= *at {
                let (from, high) = before;
                return high + (step - high) * ((share - from) / (at - from)).clamp(0.0, 1.0);
            }
            before = (*at, *step);
        }
        if share < 1.0 { before.1 - 0.1 } else { f32::NEG_INFINITY }
    }

    /// Sum up what neighbours needed.
    fn of_needs(mut needs: Vec<f32>) -> Calibration {
        needs.retain(|need| need.is_finite());
        needs.sort_by(|one, other| other.total_cmp(one));
        let Some(last) = needs.len().checked_sub(1) else { return Calibration::UNMEASURED };
        let at = |share: f32| needs.get((share * last as f32).ceil() as usize).copied().unwrap_or_default();
        Calibration { steps: SHARES.map(at) }
    }
}

impl<S: PageStore> Index<'_, S> {
    /// Give the nearness of lists that finds a share of the nearest members; see [`Calibration::nearness`].
    pub fn nearness(&self, share: f32) -> Result<f32, Error> {
        Ok(Calibration::of(&self.meta()?).nearness(share))
    }

    /// Measure the stop rule on members of the index, and note it. The caller has the store for itself.
    pub(crate) fn calibrate(&self, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let lists = self.meta()?.lists;
        if self.options.coding == Coding::None || lists < 2 {
            return Ok(());
        }
        let mut needs = Vec::new();
        for (tid, row) in self.some(pause)?.iter() {
            self.needs(tid, row, &mut needs, pause)?;
        }
        let calibration = Calibration::of_needs(needs);
        let mut transaction = self.store.begin();
        let mut meta = lock_meta(&mut transaction)?;
        (meta.steps, meta.calibrated_lists) = (calibration.steps, lists);
        meta.write(transaction.page(META_PAGE)?)?;
        Ok(transaction.commit()?)
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

    /// Some members from all over the index.
    fn some(&self, pause: &mut dyn FnMut()) -> Result<Members, Error> {
        let mut some = Members::new(self.codec.row_bytes());
        let directories = self.directories()?;
        let entries: Vec<_> = directories.iter().flat_map(|directory| &directory.records).collect();
        for at in 0..QUERIES {
            pause();
            let Some(entry) = entries.get(at * entries.len() / QUERIES) else { break };
            let Some(list) = self.list(entry, pause)? else { continue };
            // Any order will do, if it is the same each time.
            let slot = (at * 7_919) % list.members.len().max(1);
            if let Some((tid, row)) = list.members.iter().nth(slot) {
                some.push(tid, row)?;
            }
        }
        Ok(some)
    }

    /// Note what the neighbours of one member need.
    fn needs(&self, tid: Tid, row: &[u8], needs: &mut Vec<f32>, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let mut point = Vec::new();
        if !self.codec.decode(row, &mut point) {
            return Ok(());
        }
        let (codec, centroids) = (self.codec.clone(), self.centroids.clone());
        let index = Index { store: self.store, options: self.options, codec, centroids };
        let query = self.codec.query_of(&point);
        let mut search = Search::of(index, query, &Effort { recall: 1.0, ..Effort::default() })?;
        needs.extend(search.neighbours(tid, NEIGHBOURS, pause)?);
        Ok(())
    }
}
