//! Lists before they are written: members, and the centroid of their decoded rows.

use crate::layout::Link;
use crate::members::Members;
use crate::{Error, Index, PageStore, kmeans, reserve};

/// Bytes of decoded rows that a split looks at; of a longer list it looks at a part.
const SAMPLE_BYTES: usize = 8 << 20;

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
    /// Give the number of the draft that a point of draft `own` belongs to.
    fn nearer(drafts: &[Draft], own: usize, point: &[f32]) -> usize {
        let at = Draft::nearest(drafts, point);
        let far = |at: usize| drafts.get(at).map_or(f32::INFINITY, |draft| distance(&draft.centroid, point));
        let norm_sq = (vw_vector::kernel::kernels().f32_inner_product)(point, point);
        if far(own) <= far(at) + NEARER * norm_sq { own } else { at }
    }

    /// Tell whether a point is nearer to the centroid of another draft than to this one's.
    pub fn is_farther(&self, others: &[Draft], point: &[f32]) -> bool {
        let own = distance(&self.centroid, point);
        others.iter().any(|other| distance(&other.centroid, point) < own)
    }

    /// Give the number of the draft whose centroid is nearest to a point.
    pub fn nearest(drafts: &[Draft], point: &[f32]) -> usize {
        let distances = drafts.iter().map(|draft| distance(&draft.centroid, point)).enumerate();
        distances.min_by(|(_, one), (_, other)| one.total_cmp(other)).map_or(0, |(at, _)| at)
    }
}

impl<S: PageStore> Index<'_, S> {
    /// Draft one list of members, for a directory page.
    pub(crate) fn draft(&self, home: Link, members: Members) -> Draft {
        let mut centroid = vec![0.0; self.codec.padded()];
        let (mut point, mut count) = (Vec::new(), 0_u32);
        for (_, row) in members.iter() {
            if self.codec.decode(row, &mut point) {
                centroid.iter_mut().zip(&point).for_each(|(sum, value)| *sum += value);
                count += 1;
            }
        }
        let share = 1.0 / count.max(1) as f32;
        centroid.iter_mut().for_each(|sum| *sum *= share);
        if !centroid.iter().all(|value| value.is_finite()) {
            centroid.fill(0.0);
        }
        Draft { members, centroid, home }
    }

    /// Deal the members of drafts out anew, each to the nearest centroid, and draft those that got any.
    pub(crate) fn deal(&self, drafts: Vec<Draft>) -> Result<Vec<Draft>, Error> {
        let mut dealt: Vec<Members> = drafts.iter().map(|_| Members::new(self.codec.row_bytes())).collect();
        let mut point = Vec::new();
        for (own, draft) in drafts.iter().enumerate() {
            for (tid, row) in draft.members.iter() {
                let at = if self.codec.decode(row, &mut point) { Draft::nearer(&drafts, own, &point) } else { own };
                dealt.get_mut(at).map_or(Ok(()), |members| members.push(tid, row))?;
            }
        }
        let dealt = drafts.iter().zip(dealt).filter(|(_, members)| members.len() > 0);
        Ok(dealt.map(|(draft, members)| self.draft(draft.home, members)).collect())
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
