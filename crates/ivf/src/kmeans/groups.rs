//! The centroids of lists, and groups of them: centroids that are near each other lie together in an index.

use super::rows::Pacer;
use super::{Matrix, halves, lloyd, nearest::Nearest};

/// The rounds in which lists are found, and those in which groups are.
const LIST_ROUNDS: usize = 8;
const GROUP_ROUNDS: usize = 10;

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

/// Find about `lists` centroids and put them into groups: fewer where there are fewer different points, and none
/// without points.
///
/// `pause` is called at least every millisecond or so of work.
pub fn groups(points: Matrix<'_>, lists: usize, per: PerGroup, seed: u64, pause: &mut dyn FnMut()) -> Vec<Group> {
    let pacer = &mut Pacer::new(pause);
    let centroids = lloyd(points.rows(), lists, LIST_ROUNDS, seed, pacer);
    let matrix = Matrix { values: &centroids, ..points };
    let count = matrix.rows().len().div_ceil(per.about.max(1));
    let middles = lloyd(matrix.rows(), count, GROUP_ROUNDS, seed, pacer);
    let mut nearest = Nearest::new(middles, points.dim, points.rotated, pacer);
    let mut groups: Vec<Vec<u32>> = vec![Vec::new(); nearest.count()];
    nearest.of_all(matrix.rows().iter(), pacer, |at, home| {
        groups.iter_mut().skip(home).take(1).for_each(|group| group.push(at as u32));
    });
    let mut found = Vec::with_capacity(groups.len());
    for members in groups {
        split(matrix, members, per.most.max(1), seed, &mut found);
    }
    found
}

/// Make a group of lists, or two or more of too many.
fn split(matrix: Matrix<'_>, members: Vec<u32>, most: usize, seed: u64, found: &mut Vec<Group>) {
    let lists: Vec<Vec<f32>> = matrix.rows().only(&members).iter().map(<[f32]>::to_vec).collect();
    if members.len() > most
        && let Some((_, _, sides)) = halves(&lists.concat(), matrix.dim, seed)
    {
        for side in [false, true] {
            let half = members.iter().zip(&sides).filter(|(_, of)| **of == side).map(|(member, _)| *member).collect();
            split(matrix, half, most, seed, found);
        }
        return;
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
