//! Lists before they are written: members, and the centroid of their decoded rows.

use crate::layout::Link;
use crate::members::Members;
use crate::{Error, Index, PageStore, kmeans, reserve};

/// Bytes of decoded rows that a split looks at to find its two centroids; of a longer list it looks at a part. What is
/// dealt out then are all.
const SAMPLE_BYTES: usize = 1 << 20;

/// A list to be written.
#[derive(Debug)]
pub struct Draft {
    pub members: Members,
    /// In the space of the rotated vectors.
    pub centroid: Vec<f32>,
    /// The directory page that it is to be on.
    pub home: Link,
}

/// How much nearer another centroid has to be for a member to move there, in parts of the member's squared norm: lists
/// of members that are alike are to stay several.
const NEARER: f32 = 1e-6;

impl Draft {
    /// Give the number of the draft that a point of draft `own` belongs to: that or one of `others`, which come first.
    fn nearer(drafts: &[Draft], own: usize, others: usize, point: &[f32]) -> usize {
        let at = Draft::nearest(drafts.get(..others).unwrap_or(drafts), point);
        let far = |at: usize| drafts.get(at).map_or(f32::INFINITY, |draft| distance(&draft.centroid, point));
        let norm_sq = (vw_vector::kernel::kernels().f32_inner_product)(point, point);
        if far(own) <= far(at) + NEARER * norm_sq { own } else { at }
    }

    /// Tell whether a point is nearer to the centroid of one of some drafts than to another centroid.
    pub fn is_nearer(drafts: &[Draft], centroid: &[f32], point: &[f32]) -> bool {
        let own = distance(centroid, point);
        drafts.iter().any(|draft| distance(&draft.centroid, point) < own)
    }

    /// Give the number of the draft whose centroid is nearest to a point.
    pub fn nearest(drafts: &[Draft], point: &[f32]) -> usize {
        let distances = drafts.iter().map(|draft| distance(&draft.centroid, point)).enumerate();
        distances.min_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0, |(at, _)| at)
    }
}

/// The mean of points in the making.
struct Mean {
    sum: Vec<f32>,
    count: u32,
}

impl Mean {
    fn new(dimensions: usize) -> Mean {
        Mean { sum: vec![0.0; dimensions], count: 0 }
    }

    fn add(&mut self, point: &[f32]) {
        self.sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += value);
        self.count += 1;
    }

    /// Give the mean; zeros where there is none that is finite.
    fn end(mut self) -> Vec<f32> {
        let share = 1.0 / self.count.max(1) as f32;
        self.sum.iter_mut().for_each(|sum| *sum *= share);
        if !self.sum.iter().all(|value| value.is_finite()) {
            self.sum.fill(0.0);
        }
        self.sum
    }
}

impl<S: PageStore> Index<'_, S> {
    /// Draft one list of members, for a directory page.
    pub(crate) fn draft(&self, home: Link, members: Members) -> Draft {
        let (mut mean, mut point) = (Mean::new(self.codec.padded()), Vec::new());
        for (_, row) in members.iter() {
            if self.codec.decode(row, &mut point) {
                mean.add(&point);
            }
        }
        Draft { members, centroid: mean.end(), home }
    }

    /// Deal the members of drafts out anew, each to the nearest centroid, and draft those that got any, or the first where
    /// there are none: what is being inserted needs a list. The first `new` drafts change members with all; the others have
    /// been beside each other before, and give members to those only.
    pub(crate) fn deal(&self, drafts: Vec<Draft>, new: usize) -> Result<Vec<Draft>, Error> {
        let list = || (Members::new(self.codec.row_bytes()), Mean::new(self.codec.padded()));
        let mut dealt: Vec<(Members, Mean)> = drafts.iter().map(|_| list()).collect();
        let mut point = Vec::new();
        for (own, draft) in drafts.iter().enumerate() {
            let others = if own < new { drafts.len() } else { new };
            for (tid, row) in draft.members.iter() {
                let decoded = self.codec.decode(row, &mut point);
                let at = if decoded { Draft::nearer(&drafts, own, others, &point) } else { own };
                let Some((members, mean)) = dealt.get_mut(at) else { continue };
                members.push(tid, row)?;
                if decoded {
                    mean.add(&point);
                }
            }
        }
        let taken = drafts.iter().zip(dealt).filter(|(_, (members, _))| members.len() > 0);
        let taken = taken.map(|(draft, (members, mean))| Draft { members, centroid: mean.end(), home: draft.home });
        let dealt: Vec<Draft> = taken.collect();
        Ok(if dealt.is_empty() { drafts.into_iter().take(1).collect() } else { dealt })
    }

    /// Draft lists of the first and the second half of members, or one where there are not two.
    pub(crate) fn cut(&self, home: Link, members: &Members) -> Result<Vec<Draft>, Error> {
        let middle = members.len() / 2;
        let mut drafts = Vec::new();
        for range in [0..middle, middle..members.len()] {
            let mut half = Members::new(self.codec.row_bytes());
            members.iter().take(range.end).skip(range.start).try_for_each(|(tid, row)| half.push(tid, row))?;
            drafts.push(self.draft(home, half));
        }
        drafts.retain(|draft| draft.members.len() > 0);
        Ok(drafts)
    }

    /// Draft two lists of the members of one; gives them back where all are alike.
    pub(crate) fn halves(&self, home: Link, members: Members, seed: u64) -> Result<Result<[Draft; 2], Members>, Error> {
        let dimensions = self.codec.padded();
        let most = (SAMPLE_BYTES / (dimensions.max(1) * size_of::<f32>())).max(64);
        let step = members.len().div_ceil(most).max(1);
        let (mut points, mut point) = (Vec::new(), Vec::new());
        for (_, row) in members.iter().step_by(step) {
            if self.codec.decode(row, &mut point) {
                reserve(&mut points, point.len())?;
                points.extend_from_slice(&point);
            }
        }
        let Some((one, other, _)) = kmeans::halves(&points, dimensions, seed) else { return Ok(Err(members)) };
        let mut sides = [(); 2].map(|()| Members::new(self.codec.row_bytes()));
        for (tid, row) in members.iter() {
            let second = self.codec.decode(row, &mut point) && distance(&other, &point) < distance(&one, &point);
            let [left, right] = &mut sides;
            if second { right } else { left }.push(tid, row)?;
        }
        if sides.iter().any(|side| side.len() == 0) {
            return Ok(Err(members));
        }
        Ok(Ok(sides.map(|side| self.draft(home, side))))
    }
}

/// The squared distance of two points.
fn distance(one: &[f32], other: &[f32]) -> f32 {
    (vw_vector::kernel::kernels().f32_l2_squared)(one, other)
}
