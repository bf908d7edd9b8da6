//! Puts rows to the lists of a plan, in as many processes as work on a build: the plan is numbers that they can share.
//!
//! ```text
//! numbers   length of the centre | groups | width | lists of each group | the centre
//!           | centroids of the groups | centroids of the lists, group by group
//! ```
//! Counts are the bits of a number.

use crate::codec::Codec;
use crate::kmeans::{Nearest, Pacer};
use crate::plan::{codec, rotated};
use crate::{Options, Plan};

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
pub struct Placer {
    codec: Codec,
    nearest: Nearest,
    projected: Vec<f32>,
}

impl Placer {
    /// Make a placer of a plan.
    pub fn new(options: &Options, plan: &Plan) -> Option<Placer> {
        Placer::of_numbers(options, &plan.to_numbers())
    }

    /// Make a placer of a plan's numbers; `None` where they are not from [`Plan::to_numbers`].
    pub fn of_numbers(options: &Options, numbers: &[f32]) -> Option<Placer> {
        let [centre, groups, width] = numbers.first_chunk::<HEAD>()?.map(|count| count.to_bits() as usize);
        let counts = numbers.get(HEAD..HEAD.checked_add(groups)?)?;
        let lists = counts.iter().try_fold(0_usize, |lists, count| lists.checked_add(count.to_bits() as usize))?;
        let centre = HEAD + groups..(HEAD + groups).checked_add(centre)?;
        let centroids = numbers.get(centre.end.checked_add(groups.checked_mul(width)?)?..)?;
        if centroids.len() != lists.checked_mul(width)? {
            return None;
        }
        let codec = codec(options, numbers.get(centre)?.to_vec());
        if groups > 0 && width != codec.padded() {
            return None;
        }
        let (centroids, rotated) = (centroids.to_vec(), rotated(options.coding));
        let nearest = Nearest::new(centroids, codec.padded(), rotated, &mut Pacer::new(&mut || ()));
        Some(Placer { codec, nearest, projected: Vec::new() })
    }

    /// Count the bytes that a placer of so many lists takes: their centroids, of each the leading coordinates once more,
    /// and little else.
    pub fn bytes(options: &Options, lists: usize) -> usize {
        Nearest::bytes(lists, codec(options, Vec::new()).padded(), rotated(options.coding))
    }

    /// Append a vector's row to `row`, and give the number of its list, counted through all groups from 0.
    pub fn place(&mut self, vector: &[f32], row: &mut Vec<u8>) -> u32 {
        self.codec.project(vector, &mut self.projected);
        self.codec.encode(&self.projected, row);
        self.nearest.of(&self.projected) as u32
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
