//! The centroids of lists, and groups of them: centroids that are near each other lie together in an index.

use vw_vector::kernel::kernels;

use super::rows::{Pacer, Rows};
use super::{Matrix, Nearest, lloyd};

/// The rounds in which lists are found.
const LIST_ROUNDS: usize = 8;

/// Groups are found within parts, of about so many groups, and the rounds for either.
const PART: usize = 64;
const ROUNDS: usize = 8;

/// A group of lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub centroid: Vec<f32>,
    /// The centroids of the lists; never empty.
    pub lists: Vec<Vec<f32>>,
}

/// How many lists are in a group: about, and at most.
#[derive(Clone, Copy, Debug)]
pub struct PerGroup {
    pub about: usize,
    pub most: usize,
}

/// Find about `lists` centroids and put them into groups: fewer centroids where there are fewer different points, and
/// none without points.
///
/// `pause` is called at least every millisecond or so of work.
pub fn groups(points: Matrix<'_>, lists: usize, per: PerGroup, seed: u64, pause: &mut dyn FnMut()) -> Vec<Group> {
    let pacer = &mut Pacer::new(pause);
    let centroids = lloyd(points.rows(), lists, LIST_ROUNDS, seed, pacer);
    let matrix = Matrix { values: &centroids, ..points };
    let parts = matrix.rows().len().div_ceil(per.about.saturating_mul(PART).max(1));
    let middles = lloyd(matrix.rows(), parts, ROUNDS, seed, pacer);
    let mut nearest = Nearest::new(middles, points.dim, points.rotated, pacer);
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); nearest.count()];
    nearest.of_all(matrix.rows().iter(), pacer, |at, home| {
        parts.iter_mut().skip(home).take(1).for_each(|part| part.push(at as u32));
    });
    parts.iter().flat_map(|part| within(matrix.rows().only(part), per, seed, pacer)).collect()
}

/// Put the lists of a part into groups: k-means with room for so many in each.
fn within(lists: Rows<'_>, per: PerGroup, seed: u64, pacer: &mut Pacer<'_>) -> Vec<Group> {
    let most = per.most.max(1);
    let count = lists.len().div_ceil(per.about.clamp(1, most));
    let dim = lists.dim();
    let mut middles = lloyd(lists, count, ROUNDS, seed, pacer);
    // Equal lists have fewer centroids, but need as many places.
    middles.resize(count * dim, 0.0);
    let mut homes = Vec::new();
    for _ in 0..ROUNDS {
        homes = assign(lists, &middles, most, pacer);
        for (at, middle) in middles.chunks_exact_mut(dim).enumerate() {
            let members = || lists.iter().zip(&homes).filter(|(_, home)| **home == at);
            let share = 1.0 / members().count().max(1) as f32;
            middle.fill(0.0);
            members().for_each(|(row, _)| middle.iter_mut().zip(row).for_each(|(mean, value)| *mean += value * share));
        }
    }
    let group = |(at, middle): (usize, &[f32])| {
        let members = lists.iter().zip(&homes).filter(|(_, home)| **home == at);
        Group { centroid: middle.to_vec(), lists: members.map(|(row, _)| row.to_vec()).collect() }
    };
    middles.chunks_exact(dim).enumerate().map(group).filter(|group| !group.lists.is_empty()).collect()
}

/// Give each list to the nearest group that has room, those that are nearest first.
fn assign(lists: Rows<'_>, middles: &[f32], most: usize, pacer: &mut Pacer<'_>) -> Vec<usize> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::with_capacity(lists.len() * middles.len() / lists.dim());
    for (list, row) in lists.iter().enumerate() {
        let distances = middles.chunks_exact(lists.dim()).map(|middle| (kernels().f32_l2_squared)(row, middle));
        pairs.extend(distances.enumerate().map(|(group, distance)| (distance, list, group)));
        pacer.work(middles.len());
    }
    pairs.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then((one.1, one.2).cmp(&(other.1, other.2))));
    let mut room = vec![most; middles.len() / lists.dim()];
    let mut homes = vec![None; lists.len()];
    for (_, list, group) in pairs {
        if homes[list].is_none() && room[group] > 0 {
            homes[list] = Some(group);
            room[group] -= 1;
        }
    }
    homes.into_iter().map(Option::unwrap_or_default).collect()
}
