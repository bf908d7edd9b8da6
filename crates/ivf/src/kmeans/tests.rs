//! Guards k-means: centroids that are not where the points are, lists of unlike sizes, work without pauses, and points
//! that are all alike.

use vw_vector::kernel::kernels;

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

/// The rows of a space that is not rotated.
fn plain(values: &[f32], dim: usize) -> Matrix<'_> {
    Matrix { values, dim, rotated: false }
}

/// Prepare to find the nearest of centroids.
fn finder(centroids: &[f32], dim: usize, rotated: bool) -> Nearest {
    Nearest::new(centroids.to_vec(), dim, rotated, &mut Pacer::new(&mut || ()))
}

/// Find the nearest of all centroids by the definition.
fn nearest(point: &[f32], centroids: &[f32]) -> (usize, f32) {
    let distances = centroids.chunks_exact(point.len()).map(|centroid| (kernels().f32_l2_squared)(point, centroid));
    distances.enumerate().fold((0, f32::INFINITY), |best, next| if next.1 < best.1 { next } else { best })
}

/// The mean squared distance of points from their nearest centroids, and the number of points of each.
fn quality(points: &[f32], centroids: &[f32], dim: usize) -> (f64, Vec<usize>) {
    let mut sizes = vec![0; centroids.len() / dim];
    let mut sum = 0.0;
    for point in points.chunks_exact(dim) {
        let (at, distance) = nearest(point, centroids);
        sizes[at] += 1;
        sum += f64::from(distance);
    }
    (sum / (points.len() / dim) as f64, sizes)
}

/// Points like embeddings in a rotated space: of few dimensions for the most part, around centres, with noise.
fn embeddings(centres: usize, count: usize, dim: usize, seed: u64) -> Vec<f32> {
    const INNER: usize = 24;
    let mut random = SplitMix64::new(seed);
    // The sum of uniform numbers is normal, nearly: the map turns as a rotation does.
    let mut normal = || (0..6).map(|_| random.unit() as f32 - 0.5).sum::<f32>();
    let map: Vec<f32> = (0..INNER * dim).map(|_| normal() / (dim as f32).sqrt()).collect();
    let middles: Vec<f32> = (0..INNER * centres).map(|_| normal()).collect();
    let mut points = Vec::with_capacity(count * dim);
    for at in 0..count {
        let middle = middles.chunks_exact(INNER).nth(at * 7 % centres).expect("a centre");
        let inner: Vec<f32> = middle.iter().map(|value| value + 0.5 * normal()).collect();
        let mut point: Vec<f32> = (0..dim).map(|_| 0.3 * normal() / (dim as f32).sqrt()).collect();
        for (weight, row) in inner.iter().zip(map.chunks_exact(dim)) {
            point.iter_mut().zip(row).for_each(|(value, of)| *value += weight * of);
        }
        points.extend(point);
    }
    points
}

#[test]
fn centroids_are_where_the_points_are() {
    let (points, middles) = around(20, 2_000, 24, 1);
    let centroids = kmeans(plain(&points, 24), 20, 10, 7, &mut || ());
    assert_eq!(centroids.len(), 20 * 24);
    let (found, sizes) = quality(&points, &centroids, 24);
    let (best, _) = quality(&points, &middles, 24);
    assert!(found < 1.05 * best, "{found}, not {best}");
    assert!(sizes.iter().all(|size| *size == 100), "{sizes:?}");
    assert_eq!(centroids, kmeans(plain(&points, 24), 20, 10, 7, &mut || ()), "a seed decides all");
}

#[test]
fn the_nearest_is_the_nearest() {
    for (dim, centres) in [(1, 40), (7, 50), (24, 33), (64, 32)] {
        let (points, centroids) = around(centres, 500, dim, 2);
        let mut finder = finder(&centroids, dim, false);
        for point in points.chunks_exact(dim) {
            let (_, least) = nearest(point, &centroids);
            let found = finder.of(point);
            let distance = (kernels().f32_l2_squared)(point, &centroids[found * dim..(found + 1) * dim]);
            assert!(distance <= least * 1.000_1, "{dim}: {distance}, not {least}");
        }
    }
}

#[test]
fn the_nearest_is_found_far_from_zero() {
    let mut random = SplitMix64::new(9);
    let mut far = |count: usize| (0..count).map(|_| 3_000.0 + random.unit() as f32).collect::<Vec<f32>>();
    let (points, centroids) = (far(8 * 200), far(8 * 30));
    let mut finder = finder(&centroids, 8, false);
    let right = points.chunks_exact(8).filter(|point| finder.of(point) == nearest(point, &centroids).0).count();
    assert_eq!(right, 200);
}

#[test]
fn leading_coordinates_find_the_nearest() {
    let points = embeddings(100, 4_000, 512, 10);
    let matrix = Matrix { values: &points, dim: 512, rotated: true };
    let centroids = &kmeans(matrix, 200, 4, 1, &mut || ());
    let (mut one, rows) = (finder(centroids, 512, true), matrix.rows());
    let mut all = vec![0; rows.len()];
    finder(centroids, 512, true).of_all(rows.iter(), &mut Pacer::new(&mut || ()), |at, home| all[at] = home);
    let mut right = 0;
    for (point, found) in rows.iter().zip(all) {
        assert_eq!(one.of(point), found, "one by one as all at once");
        right += usize::from(found == nearest(point, centroids).0);
    }
    assert!(right >= 3_980, "{right} of 4000");
}

#[test]
fn cells_find_near_centroids() {
    let points = embeddings(300, 7_000, 64, 11);
    let (points, centroids) = points.split_at(1_000 * 64);
    let mut finder = finder(centroids, 64, true);
    let mut right = 0;
    let (mut sum, mut least) = (0.0, 0.0);
    for point in points.chunks_exact(64) {
        let (at, distance) = nearest(point, centroids);
        let found = finder.of(point);
        right += usize::from(found == at);
        least += distance;
        sum += (kernels().f32_l2_squared)(point, &centroids[found * 64..(found + 1) * 64]);
    }
    assert!(right >= 950 && sum < 1.01 * least, "{right} of 1000: {sum}, not {least}");
}

#[test]
fn no_number_has_no_nearest() {
    let (_, centroids) = around(40, 0, 16, 2);
    let mut finder = finder(&centroids, 16, false);
    for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        assert_eq!(finder.of(&[odd; 16]), 0);
    }
    assert_eq!(finder.of(&[]), 0);
    let none = &mut self::finder(&[], 16, true);
    assert_eq!(none.of(&[1.0; 16]), 0);
}

#[test]
fn rounds_are_those_of_plain_k_means() {
    let (dim, k) = (256, 60);
    let points = embeddings(45, 60 * 80, dim, 12);
    let matrix = Matrix { values: &points, dim, rotated: true };
    let mut naive = kmeans(matrix, k, 0, 3, &mut || ());
    for _ in 0..8 {
        let (mut sums, mut counts) = (vec![0.0; naive.len()], vec![0; k]);
        for point in points.chunks_exact(dim) {
            let (at, _) = nearest(point, &naive);
            counts[at] += 1;
            sums[at * dim..(at + 1) * dim].iter_mut().zip(point).for_each(|(sum, value)| *sum += value);
        }
        for ((centroid, sum), count) in naive.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)).zip(counts) {
            centroid.iter_mut().zip(sum).filter(|_| count > 0).for_each(|(to, sum)| *to = sum / count as f32);
        }
    }
    let (found, _) = quality(&points, &kmeans(matrix, k, 8, 3, &mut || ()), dim);
    let (plain, _) = quality(&points, &naive, dim);
    assert!(found < 1.01 * plain, "{found}, not {plain}");
}

#[test]
fn lists_are_of_like_sizes() {
    // Nine in ten points are in one place.
    let (mut points, _) = around(1, 9_000, 16, 3);
    points.extend(around(40, 1_000, 16, 4).0);
    let centroids = kmeans(plain(&points, 16), 50, 10, 5, &mut || ());
    let (_, sizes) = quality(&points, &centroids, 16);
    let largest = sizes.iter().max().copied().unwrap_or(0);
    assert!(largest < 1_500, "200 in the mean: {sizes:?}");
}

#[test]
fn few_and_equal_points_give_fewer_centroids() {
    let none: [f32; 0] = [];
    assert!(kmeans(plain(&none, 8), 4, 5, 1, &mut || ()).is_empty());
    assert!(kmeans(plain(&[1.0; 8], 8), 0, 5, 1, &mut || ()).is_empty());
    assert!(kmeans(plain(&[1.0; 8], 0), 4, 5, 1, &mut || ()).is_empty());
    assert_eq!(kmeans(plain(&[1.0; 8], 8), 4, 5, 1, &mut || ()), [1.0; 8]);
    assert_eq!(kmeans(plain(&[1.0; 800], 8), 4, 5, 1, &mut || ()), [1.0; 8]);
    let mut two = kmeans(plain(&[1.0, 2.0, 1.0, 2.0, 1.0], 1), 4, 5, 1, &mut || ());
    two.sort_by(f32::total_cmp);
    assert_eq!(two, [1.0, 2.0]);
    assert!(groups(plain(&none, 8), 10, PerGroup { about: 3, most: 4 }, 1, &mut || ()).is_empty());
    let one = groups(plain(&[1.0; 80], 8), 10, PerGroup { about: 3, most: 4 }, 1, &mut || ());
    assert_eq!(one, [Group { centroid: vec![1.0; 8], lists: vec![vec![1.0; 8]] }]);
    let points = embeddings(3, 5, 256, 1);
    let few =
        groups(Matrix { values: &points, dim: 256, rotated: true }, 100, PerGroup { about: 3, most: 4 }, 1, &mut || ());
    assert_eq!(few.iter().map(|group| group.lists.len()).sum::<usize>(), 5);
}

#[test]
fn groups_have_as_many_lists_as_asked_for() {
    let (points, _) = around(60, 6_000, 20, 5);
    for (lists, per_group) in [(1, 10), (7, 100), (60, 8), (200, 20), (200, 1)] {
        let per = PerGroup { about: per_group, most: per_group + per_group / 2 };
        let groups = groups(plain(&points, 20), lists, per, 3, &mut || ());
        let counts: Vec<usize> = groups.iter().map(|group| group.lists.len()).collect();
        let total: usize = counts.iter().sum();
        assert!(counts.iter().all(|count| (1..=per.most).contains(count)), "{counts:?}");
        assert!(total <= lists && total * 10 >= lists * 9, "{lists}: {counts:?}");
        assert!(groups.len() <= lists.div_ceil(per_group) + lists / (32 * per_group), "{counts:?}");
        let widths = groups.iter().flat_map(|group| group.lists.iter().chain([&group.centroid]));
        assert!(widths.into_iter().all(|centroid| centroid.len() == 20));
    }
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
    groups(plain(&points, 64), 200, PerGroup { about: 20, most: 30 }, 1, &mut || pauses += 1);
    // A round of 19,200 rows among 200 lists is 246 million multiplications: 117 pieces of work.
    assert!(pauses > 100, "{pauses}");
}
