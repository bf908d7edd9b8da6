//! Inner products of a vector with the rows of a matrix: the plain loop, and how the other levels share work out.

/// Partial sums.
const PARTIAL: usize = 16;

/// The inner products of a vector with the rows of a matrix, as many as there are and as there is room for.
#[inline(always)]
pub(super) fn products(vector: &[f32], matrix: &[f32], to: &mut [f32]) {
    for (to, row) in to.iter_mut().zip(matrix.chunks_exact(vector.len().max(1))) {
        *to = product(vector, row);
    }
}

/// The inner product of two slices, as far as both go.
#[inline(always)]
pub(super) fn product(left: &[f32], right: &[f32]) -> f32 {
    let mut partial = [0.0; PARTIAL];
    let (lefts, left_rest) = left.as_chunks::<PARTIAL>();
    let (rights, right_rest) = right.as_chunks::<PARTIAL>();
    for (left, right) in lefts.iter().zip(rights) {
        for ((sum, left), right) in partial.iter_mut().zip(left).zip(right) {
            *sum += left * right;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    partial.iter().sum::<f32>() + rest
}

/// Rows of a matrix and the places of their products, four by four, and what is left of both.
#[cfg(target_arch = "x86_64")]
pub(super) type Shares<'a> = (&'a [f32], &'a mut [[f32; 4]], &'a [f32], &'a mut [f32]);

/// Share out the rows that there are and that there is room for; rows of no width are left out.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn share<'a>(width: usize, matrix: &'a [f32], to: &'a mut [f32]) -> Shares<'a> {
    let count = matrix.len().checked_div(width).unwrap_or(0).min(to.len());
    let (to_fours, to_rest) = to.split_at_mut(count).0.as_chunks_mut::<4>();
    let (fours, rest) = matrix.split_at(4 * to_fours.len() * width);
    (fours, to_fours, rest, to_rest)
}
