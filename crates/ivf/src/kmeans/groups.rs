//! The centroids of lists, and groups of them: centroids that are near each other lie together in an index.

use vw_vector::kernel::kernels;

use super::rows::Pacer;
use super::{Matrix, halves, lloyd, nearest::Nearest};

/// The rounds in which lists are found.
const LIST_ROUNDS: usize = 8;

/// Groups are halves of halves of parts, for groups that k-means finds have one list as often as three times too many.
/// These are the groups of a part, about, and the rounds in which parts are found.
const PART: usize = 16;
const PART_ROUNDS: usize = 8;

/// A group of lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub centroid: Vec<f32>,
    /// The centroids of the lists; never empty.
    pub lists: Vec<Vec<f32>>,
}

/// Find about `lists` centroids and put them into groups of `per_group` or a few less: fewer centroids where there are
/// fewer different points, and none without points.
///
/// `pause` is called at least every millisecond or so of work.
pub fn groups(points: Matrix<'_>, lists: usize, per_group: usize, seed: u64, pause: &mut dyn FnMut()) -> Vec<Group> {
    let pacer = &mut Pacer::new(pause);
    let centroids = lloyd(points.rows(), lists, LIST_ROUNDS, seed, pacer);
    let matrix = Matrix { values: &centroids, ..points };
    let parts = matrix.rows().len().div_ceil(per_group.saturating_mul(PART).max(1));
    let middles = lloyd(matrix.rows(), parts, PART_ROUNDS, seed, pacer);
    let mut nearest = Nearest::new(middles, points.dim, points.rotated, pacer);
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); nearest.count()];
    nearest.of_all(matrix.rows().iter(), pacer, |at, home| {
        parts.iter_mut().skip(home).take(1).for_each(|part| part.push(at as u32));
    });
    let mut found = Vec::with_capacity(parts.len());
    for part in parts {
        split(matrix, part, per_group.max(1), pacer, &mut found);
    }
    found
}

/// Make groups of lists: one, or those of two halves, each of as many as fill its groups.
fn split(matrix: Matrix<'_>, mut members: Vec<u32>, per_group: usize, pacer: &mut Pacer<'_>, found: &mut Vec<Group>) {
    let lists: Vec<Vec<f32>> = matrix.rows().only(&members).iter().map(<[f32]>::to_vec).collect();
    let groups = members.len().div_ceil(per_group);
    if groups > 1 {
        if let Some((left, right, sides)) = halves(&lists.concat(), matrix.dim, members.len() as u64) {
            let distance = kernels().f32_l2_squared;
            let lead = |list: &Vec<f32>| distance(list, &left) - distance(list, &right);
            let mut order: Vec<(f32, u32)> = lists.iter().map(lead).zip(members).collect();
            order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            members = order.into_iter().map(|(_, member)| member).collect();
            let first = sides.iter().filter(|side| !**side).count();
            let share = ((first * groups + sides.len() / 2) / sides.len()).clamp(1, groups - 1);
            pacer.work(20 * matrix.dim * members.len());
            let rest = members.split_off(members.len() * share / groups);
            split(matrix, members, per_group, pacer, found);
            return split(matrix, rest, per_group, pacer, found);
        }
        // All are equal.
        let rest = members.split_off(per_group);
        split(matrix, members, per_group, pacer, found);
        return split(matrix, rest, per_group, pacer, found);
    }
    let mut centroid = vec![0.0; matrix.dim];
    let share = 1.0 / lists.len().max(1) as f32;
    for list in &lists {
        centroid.iter_mut().zip(list).for_each(|(mean, value)| *mean += value * share);
    }
    if !lists.is_empty() {
        found.push(Group { centroid, lists });
    }
}
