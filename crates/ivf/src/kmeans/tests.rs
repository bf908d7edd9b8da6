//! Guards k-means: centroids that are not where the points are, lists of unlike sizes, work without pauses, and points
//! that are all alike.

use super::*;
use crate::codec::SplitMix64;

/// Points around so many centres, in turn, and the centres.
fn around(centres: usize, count: usize, dim: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let mut random = SplitMix64::new(seed);
    let mut uniform = |scale: f32| scale * (random.unit() as f32 - 0.5);
    let middles: Vec<f32> = (0..centres * dim).map(|_| uniform(10.0)).collect();
    let near = |at: usize| middles.iter().skip(at % centres * dim).take(dim);
    let points = (0..count).flat_map(|at| near(at).copied().collect::<Vec<_>>()).map(|value| value + uniform(1.0));
    (points.collect(), middles)
}

/// The mean squared distance of points from their nearest centroids, and the number of points of each.
fn quality(points: &[f32], centroids: &[f32], dim: usize) -> (f64, Vec<usize>) {
    let mut nearest = Nearest::new(dim, centroids.to_vec());
    let mut sizes = vec![0; nearest.count()];
    let mut sum = 0.0;
    for point in points.chunks_exact(dim) {
        let at = nearest.of(point);
        sizes[at] += 1;
        sum += f64::from((kernels().f32_l2_squared)(point, &centroids[at * dim..(at + 1) * dim]));
    }
    (sum / (points.len() / dim) as f64, sizes)
}

#[test]
fn centroids_are_where_the_points_are() {
    let (points, middles) = around(20, 2_000, 24, 1);
    let centroids = kmeans(&points, 24, 20, 10, 7, &mut || ());
    assert_eq!(centroids.len(), 20 * 24);
    let (found, sizes) = quality(&points, &centroids, 24);
    let (best, _) = quality(&points, &middles, 24);
    assert!(found < 1.05 * best, "{found}, not {best}");
    assert!(sizes.iter().all(|size| *size == 100), "{sizes:?}");
    assert_eq!(centroids, kmeans(&points, 24, 20, 10, 7, &mut || ()), "a seed decides all");
}

#[test]
fn the_nearest_is_the_nearest() {
    let (points, centroids) = around(50, 500, 7, 2);
    let mut nearest = Nearest::new(7, centroids.clone());
    for point in points.chunks_exact(7) {
        let distance = |centroid: &[f32]| (kernels().f32_l2_squared)(point, centroid);
        let least = centroids.chunks_exact(7).map(distance).fold(f32::INFINITY, f32::min);
        let found = nearest.of(point);
        assert!(distance(&centroids[found * 7..found * 7 + 7]) <= least * 1.000_1);
    }
}

#[test]
fn lists_are_of_like_sizes() {
    // Nine in ten points are in one place.
    let (mut points, _) = around(1, 9_000, 16, 3);
    points.extend(around(40, 1_000, 16, 4).0);
    let centroids = kmeans(&points, 16, 50, 10, 5, &mut || ());
    let (_, sizes) = quality(&points, &centroids, 16);
    let largest = sizes.iter().max().copied().unwrap_or(0);
    assert!(largest < 1_500, "200 in the mean: {sizes:?}");
}

#[test]
fn few_and_equal_points_give_fewer_centroids() {
    let none: [f32; 0] = [];
    assert!(kmeans(&none, 8, 4, 5, 1, &mut || ()).is_empty());
    assert!(kmeans(&[1.0; 8], 8, 0, 5, 1, &mut || ()).is_empty());
    assert!(kmeans(&[1.0; 8], 0, 4, 5, 1, &mut || ()).is_empty());
    assert_eq!(kmeans(&[1.0; 8], 8, 4, 5, 1, &mut || ()), [1.0; 8]);
    assert_eq!(kmeans(&[1.0; 800], 8, 4, 5, 1, &mut || ()), [1.0; 8]);
    let mut two = kmeans(&[1.0, 2.0, 1.0, 2.0, 1.0], 1, 4, 5, 1, &mut || ());
    two.sort_by(f32::total_cmp);
    assert_eq!(two, [1.0, 2.0]);
    assert!(tree(&none, 8, 10, 3, 1, &mut || ()).is_empty());
    let one = tree(&[1.0; 80], 8, 10, 3, 1, &mut || ());
    assert_eq!(one, [Group { centroid: vec![1.0; 8], lists: vec![vec![1.0; 8]] }]);
}

#[test]
fn trees_have_as_many_lists_as_asked_for() {
    let (points, _) = around(60, 6_000, 20, 5);
    for (lists, per_group) in [(1, 10), (7, 100), (60, 8), (200, 20)] {
        let groups = tree(&points, 20, lists, per_group, 3, &mut || ());
        let counts: Vec<usize> = groups.iter().map(|group| group.lists.len()).collect();
        let total: usize = counts.iter().sum();
        assert!(groups.len() <= lists.div_ceil(per_group), "{counts:?}");
        assert!(total <= lists && total * 10 >= lists * 9, "{lists}: {counts:?}");
        assert!(counts.iter().all(|count| *count > 0));
        let widths = groups.iter().flat_map(|group| group.lists.iter().chain([&group.centroid]));
        assert!(widths.into_iter().all(|centroid| centroid.len() == 20));
    }
    let flat = quality(&points, &kmeans(&points, 20, 200, 10, 3, &mut || ()), 20).0;
    let lists: Vec<f32> =
        tree(&points, 20, 200, 20, 3, &mut || ()).into_iter().flat_map(|g| g.lists).flatten().collect();
    let found = quality(&points, &lists, 20).0;
    assert!(found < 1.2 * flat, "{found}, and {flat} in one level");
}

#[test]
fn halves_are_two_places() {
    let (points, _) = around(2, 301, 12, 6);
    let (left, right, sides) = halves(&points, 12, 1).expect("the points differ");
    assert_eq!((left.len(), right.len(), sides.len()), (12, 12, 301));
    assert!(sides.iter().enumerate().all(|(at, side)| *side == sides[at % 2]), "each centre has a half");
    assert_ne!(sides[0], sides[1]);
}

#[test]
fn halves_are_never_small() {
    let mut random = SplitMix64::new(7);
    for count in (2..40).chain([100, 1_000]) {
        for different in [1, 2, count] {
            // Most points are equal, or all differ, with one far out.
            let mut points: Vec<f32> = (0..count)
                .flat_map(|at| if at < different { [random.unit() as f32, at as f32] } else { [0.5, 0.5] })
                .collect();
            points[0] = 1e6;
            let (_, _, sides) = halves(&points, 2, count as u64).expect("the points differ");
            let right = sides.iter().filter(|side| **side).count();
            assert!(right.min(count - right) * 4 >= count, "{right} of {count}, {different} different");
        }
    }
}

#[test]
fn equal_points_have_no_halves() {
    assert_eq!(halves(&[], 4, 1), None);
    assert_eq!(halves(&[1.0; 4], 4, 1), None);
    assert_eq!(halves(&[1.0; 400], 4, 1), None);
    // Different, though the distance vanishes.
    let mut points = [0.0f32; 40];
    points[17] = 1e-30;
    let (_, _, sides) = halves(&points, 4, 1).expect("the points differ");
    let right = sides.iter().filter(|side| **side).count();
    assert!((3..=7).contains(&right), "{sides:?}");
}

#[test]
fn work_is_paused() {
    let (points, _) = around(10, 20_000, 64, 8);
    let mut pauses = 0;
    tree(&points, 64, 200, 20, 1, &mut || pauses += 1);
    // Ten rounds of 20,000 rows among the 20 lists of a group are 256 million multiplications: 122 pieces of work.
    assert!(pauses > 100, "{pauses}");
}
