//! Puts rows to the lists of a plan, in as many processes as work on a build: the plan is numbers that they can share.
//!
//! ```text
//! numbers   length of the centre | groups | width | lists of each group | the centre
//!           | centroids of the groups | centroids of the lists, group by group
//! ```
//! Counts are the bits of a number.

use std::borrow::Cow;
use std::ops::Range;

use vw_vector::kernel::kernels;

use crate::codec::Codec;
use crate::plan::codec;
use crate::{Options, Plan};

/// Groups whose lists are looked at for a row.
const NEAR_GROUPS: usize = 4;
/// Numbers before the counts of lists.
const HEAD: usize = 3;

impl Plan {
    /// The plan as numbers, for [`Placer::of_numbers`].
    pub fn to_numbers(&self) -> Vec<f32> {
        let count = |count: usize| f32::from_bits(count as u32);
        let width = self.groups.first().map_or(0, |group| group.centroid.len());
        let mut numbers = vec![count(self.centre.len()), count(self.groups.len()), count(width)];
        numbers.extend(self.groups.iter().map(|group| count(group.lists.len())));
        numbers.extend(&self.centre);
        self.groups.iter().for_each(|group| numbers.extend(&group.centroid));
        self.groups.iter().flat_map(|group| &group.lists).for_each(|centroid| numbers.extend(centroid));
        numbers
    }
}

/// Puts rows to lists, as a plan says.
pub struct Placer<'n> {
    codec: Codec,
    numbers: Cow<'n, [f32]>,
    width: usize,
    /// Where the groups' centroids are among the numbers.
    groups: Range<usize>,
    /// The first list of each group, and the number of all.
    firsts: Vec<usize>,
    /// Half of each centroid's squared norm, of groups and then of lists: that less the inner product orders centroids
    /// as distances do.
    halves: Vec<f32>,
    projected: Vec<f32>,
    near: Vec<(f32, usize)>,
}

impl<'n> Placer<'n> {
    /// Make a placer of a plan.
    pub fn new(options: &Options, plan: &Plan) -> Option<Placer<'static>> {
        Placer::of(options, Cow::Owned(plan.to_numbers()))
    }

    /// Make a placer of a plan's numbers; `None` where they are not from [`Plan::to_numbers`].
    pub fn of_numbers(options: &Options, numbers: &'n [f32]) -> Option<Placer<'n>> {
        Placer::of(options, Cow::Borrowed(numbers))
    }

    fn of(options: &Options, numbers: Cow<'n, [f32]>) -> Option<Placer<'n>> {
        let [centre, groups, width] = numbers.first_chunk::<HEAD>()?.map(|count| count.to_bits() as usize);
        let counts = numbers.get(HEAD..HEAD.checked_add(groups)?)?;
        let mut firsts = vec![0];
        let mut lists = 0_usize;
        for count in counts {
            lists = lists.checked_add(count.to_bits() as usize)?;
            firsts.push(lists);
        }
        let centre = HEAD + groups..(HEAD + groups).checked_add(centre)?;
        let of_groups = centre.end..centre.end.checked_add(groups.checked_mul(width)?)?;
        let of_lists = numbers.get(of_groups.end..)?;
        if of_lists.len() != lists.checked_mul(width)? {
            return None;
        }
        let codec = codec(options, numbers.get(centre)?.to_vec());
        if groups > 0 && width != codec.padded() {
            return None;
        }
        let centroids = numbers.get(of_groups.start..)?.chunks_exact(width.max(1));
        let halves = centroids.map(|centroid| (kernels().f32_inner_product)(centroid, centroid) / 2.0).collect();
        let (projected, near) = (Vec::new(), Vec::with_capacity(groups));
        Some(Placer { codec, numbers, width, groups: of_groups, firsts, halves, projected, near })
    }

    /// Append a vector's row to `row`, and give the number of its list, counted through all groups from 0.
    pub fn place(&mut self, vector: &[f32], row: &mut Vec<u8>) -> u32 {
        self.codec.project(vector, &mut self.projected);
        self.codec.encode(&self.projected, row);
        let groups = self.firsts.len() - 1;
        let mut near = std::mem::take(&mut self.near);
        near.clear();
        near.extend((0..groups).map(|group| (self.distance(group), group)));
        let closest = NEAR_GROUPS.min(groups);
        if closest < groups {
            near.select_nth_unstable_by(closest, |(one, _), (other, _)| one.total_cmp(other));
        }
        let mut best = (f32::INFINITY, 0);
        for (_, group) in near.iter().take(closest) {
            let lists = self.firsts.get(*group..group + 2).unwrap_or_default();
            let [first, end] = *lists else { continue };
            for list in first..end {
                let distance = self.distance(groups + list);
                // Of equals the first, in whatever order the groups come.
                if distance < best.0 || (distance == best.0 && list < best.1) {
                    best = (distance, list);
                }
            }
        }
        self.near = near;
        best.1 as u32
    }

    /// Half the squared distance from the vector at hand to a centroid, but for what is the same for all.
    fn distance(&self, centroid: usize) -> f32 {
        let start = self.groups.start + centroid * self.width;
        let numbers = self.numbers.get(start..start + self.width).unwrap_or_default();
        let half = self.halves.get(centroid).copied().unwrap_or(f32::INFINITY);
        half - (kernels().f32_inner_product)(&self.projected, numbers)
    }

    /// Count the bytes of a row.
    pub fn row_bytes(&self) -> usize {
        self.codec.row_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Coding, Metric};
    use crate::plan::Sample;

    /// A plan over points of three places, and its options.
    fn plan() -> (Options, Plan) {
        let options = Options { dimensions: 64, lists: 3, metric: Metric::L2, coding: Coding::Bits(4) };
        let mut sample = Sample::new(&options, 300).expect("memory");
        (0..300).for_each(|at| sample.offer(&point(at)));
        (options, Plan::new(sample, 300, &mut || {}))
    }

    fn point(at: u32) -> Vec<f32> {
        (0..64).map(|dim| (at % 3 * 100) as f32 * ((dim % 3) as f32 - 1.0) + ((at * 7 + dim) % 11) as f32).collect()
    }

    #[test]
    fn points_of_one_place_come_to_one_list() {
        let (options, plan) = plan();
        assert_eq!(plan.lists(), 3);
        let numbers = plan.to_numbers();
        let mut placer = Placer::of_numbers(&options, &numbers).expect("numbers of a plan");
        let mut whole = Placer::new(&options, &plan).expect("a plan");
        let mut lists = Vec::new();
        for at in 0..30 {
            let (mut row, mut other) = (Vec::new(), Vec::new());
            lists.push(placer.place(&point(at), &mut row));
            assert_eq!(whole.place(&point(at), &mut other), lists[at as usize]);
            assert_eq!((row.len(), &row), (placer.row_bytes(), &other));
        }
        assert!((3..30).all(|at| lists[at] == lists[at - 3]));
        lists.truncate(3);
        lists.sort_unstable();
        assert_eq!(lists, [0, 1, 2]);
    }

    #[test]
    fn numbers_that_are_no_plan_are_refused() {
        let (options, plan) = plan();
        let numbers = plan.to_numbers();
        for length in 0..numbers.len() {
            assert!(Placer::of_numbers(&options, &numbers[..length]).is_none(), "{length}");
        }
        let one = Placer::new(&options, &Plan::default());
        assert_eq!(one.map(|mut placer| placer.place(&point(1), &mut Vec::new())), Some(0));
    }
}
