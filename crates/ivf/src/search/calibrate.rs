//! The stop rule: how far from its centroid a list may be expected to reach towards a query.
//!
//! Measured, not assumed: members are taken as queries, all lists are searched for the ten members nearest to each, and
//! for each of those it is noted what width the bound of its list would have needed to let the search in (the bound is
//! told in `frontier.rs`). The widths that did for a certain share of them are kept in the meta page.

use super::{Effort, Search};
use crate::codec::{Coding, Metric};
use crate::index::lock_meta;
use crate::layout::META_PAGE;
use crate::members::Members;
use crate::meta::{Meta, STEPS};
use crate::{Error, Index, PageStore, Tid, Transaction};

/// Shares of the nearest members for which a width is kept.
const SHARES: [f32; STEPS] =
    [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999];
/// Widths before anything was measured: those of directions that spread as in about 60 independent dimensions.
const UNMEASURED: [f32; STEPS] =
    [0.25, 0.27, 0.29, 0.3, 0.31, 0.33, 0.35, 0.37, 0.4, 0.41, 0.43, 0.45, 0.47, 0.5, 0.55, 0.65];
/// Members that are taken as queries.
const QUERIES: usize = 128;
/// Neighbours that each of them is to find.
const NEIGHBOURS: usize = 10;

/// Widths, ascending, for [`SHARES`] of the nearest members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    pub(crate) steps: [f32; STEPS],
}

impl Calibration {
    /// The widths of an index that was not measured.
    pub(crate) const UNMEASURED: Calibration = Calibration { steps: UNMEASURED };

    /// Read the widths out of the meta page.
    pub(crate) fn of(meta: &Meta) -> Calibration {
        Calibration { steps: meta.steps }
    }

    /// Give the width that finds a share of the nearest members; infinite for all of them.
    pub fn width(&self, share: f32) -> f32 {
        let points = SHARES.iter().zip(&self.steps);
        let mut before = (0.0, 0.0);
        for (at, width) in points {
            if share <= *at {
                let (from, low) = before;
                return low + (width - low) * ((share - from) / (at - from)).clamp(0.0, 1.0);
            }
            before = (*at, *width);
        }
        if share < 1.0 { before.1 * 1.25 } else { f32::INFINITY }
    }

    /// The least distance that a member of a list is taken to have. `score` is the centroid's, `norm` the query's.
    pub(crate) fn bound(metric: Metric, score: f32, norm: f32, radius: f32, width: f32) -> f32 {
        if width.is_infinite() {
            return f32::NEG_INFINITY;
        }
        let (middle, spread) = Calibration::reach(metric, score, norm, radius);
        middle - width * spread
    }

    /// Where the members of a list are on the scale of distances, and what they spread by at a width of 1.
    fn reach(metric: Metric, score: f32, norm: f32, radius: f32) -> (f32, f32) {
        match metric {
            Metric::L2 => (score + radius * radius, 2.0 * score.max(0.0).sqrt() * radius),
            // Half the squared distance of what was normalised.
            Metric::Cosine => (score + radius * radius / 2.0, (2.0 * score.max(0.0)).sqrt() * radius),
            Metric::InnerProduct => (score, norm * radius),
        }
    }

    /// Sum up the widths that neighbours needed.
    fn of_needs(mut needs: Vec<f32>) -> Calibration {
        needs.retain(|need| need.is_finite());
        needs.sort_by(f32::total_cmp);
        let Some(last) = needs.len().checked_sub(1) else { return Calibration::UNMEASURED };
        let at = |share: f32| needs.get((share * last as f32).ceil() as usize).copied().unwrap_or_default();
        Calibration { steps: SHARES.map(|share| at(share).max(0.0)) }
    }
}

impl<S: PageStore> Index<'_, S> {
    /// Give the width of the stop rule that finds a share of the nearest members; see [`Calibration::width`].
    pub fn width(&self, share: f32) -> Result<f32, Error> {
        Ok(Calibration::of(&self.meta()?).width(share))
    }

    /// Measure the stop rule on members of the index, and note it.
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

    /// Note the widths that the neighbours of one member need.
    fn needs(&self, tid: Tid, row: &[u8], needs: &mut Vec<f32>, pause: &mut dyn FnMut()) -> Result<(), Error> {
        let mut point = Vec::new();
        if !self.codec.decode(row, &mut point) {
            return Ok(());
        }
        let index = Index {
            store: self.store,
            options: self.options,
            codec: self.codec.clone(),
            centroids: self.centroids.clone(),
        };
        let query = self.codec.query_of(&point);
        let mut search = Search::of(index, query, &Effort { recall: 1.0, ..Effort::default() })?;
        let neighbours = search.neighbours(tid, NEIGHBOURS, pause)?;
        let Some((farthest, ..)) = neighbours.last().copied() else { return Ok(()) };
        for (_, score, radius) in neighbours {
            let (middle, spread) = Calibration::reach(self.options.metric, score, search.norm(), radius);
            if spread > 0.0 {
                needs.push((middle - farthest) / spread);
            }
        }
        Ok(())
    }
}
