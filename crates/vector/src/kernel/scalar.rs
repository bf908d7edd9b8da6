//! The level of every CPU: the definitions in plain Rust, which the other levels are tested against.
//!
//! Sums are kept in partial sums so that the compiler can use what vector instructions its target has.

use super::{Kernels, Level, Sums, half};
use crate::sparse::Sparse;

/// Partial sums per loop.
const PARTIAL: usize = 16;

pub(super) static LEVEL: Kernels = Kernels {
    level: Level::Scalar,
    name: "scalar",
    f32_l2_squared: |left, right| Scalar.f32_l2_squared(left, right),
    f32_inner_product: |left, right| Scalar.f32_inner_product(left, right),
    f32_l1: |left, right| Scalar.f32_l1(left, right),
    f32_cosine: |left, right| Scalar.f32_cosine(left, right),
    f16_l2_squared: |left, right| Scalar.f16_l2_squared(left, right),
    f16_inner_product: |left, right| Scalar.f16_inner_product(left, right),
    f16_l1: |left, right| Scalar.f16_l1(left, right),
    f16_cosine: |left, right| Scalar.f16_cosine(left, right),
    sparse_l2_squared: |left, right| Scalar.sparse_l2_squared(left, right),
    sparse_inner_product: |left, right| Scalar.sparse_inner_product(left, right),
    sparse_l1: |left, right| Scalar.sparse_l1(left, right),
    sparse_cosine: |left, right| Scalar.sparse_cosine(left, right),
    f16_to_f32: |halves, floats| floats.iter_mut().zip(halves).for_each(|(f, h)| *f = half::to_f32(*h)),
    f32_to_f16: |floats, halves| halves.iter_mut().zip(floats).for_each(|(h, f)| *h = half::from_f32(*f)),
    bits_hamming: |left, right| Scalar.bits_hamming(left, right),
    bits_jaccard: |left, right| Scalar.bits_jaccard(left, right),
};

/// The level itself, which any CPU runs.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Sums for Scalar {
    #[inline(always)]
    fn f32_l2_squared(self, left: &[f32], right: &[f32]) -> f32 {
        sum(left, right, |x| x, l2_squared)
    }

    #[inline(always)]
    fn f32_inner_product(self, left: &[f32], right: &[f32]) -> f32 {
        sum(left, right, |x| x, |l, r| l * r)
    }

    #[inline(always)]
    fn f32_l1(self, left: &[f32], right: &[f32]) -> f32 {
        sum(left, right, |x| x, |l, r| (l - r).abs())
    }

    #[inline(always)]
    fn f32_cosine(self, left: &[f32], right: &[f32]) -> (f32, f32, f32) {
        cosine(left, right, |x| x)
    }

    #[inline(always)]
    fn f16_l2_squared(self, left: &[u16], right: &[u16]) -> f32 {
        sum(left, right, half::to_f32, l2_squared)
    }

    #[inline(always)]
    fn f16_inner_product(self, left: &[u16], right: &[u16]) -> f32 {
        sum(left, right, half::to_f32, |l, r| l * r)
    }

    #[inline(always)]
    fn f16_l1(self, left: &[u16], right: &[u16]) -> f32 {
        sum(left, right, half::to_f32, |l, r| (l - r).abs())
    }

    #[inline(always)]
    fn f16_cosine(self, left: &[u16], right: &[u16]) -> (f32, f32, f32) {
        cosine(left, right, half::to_f32)
    }

    #[inline(always)]
    fn sparse_l2_squared(self, left: Sparse, right: Sparse) -> f32 {
        merge(left, right, l2_squared, |x| x * x)
    }

    #[inline(always)]
    fn sparse_inner_product(self, left: Sparse, right: Sparse) -> f32 {
        merge(left, right, |l, r| l * r, |_| 0.0)
    }

    #[inline(always)]
    fn sparse_l1(self, left: Sparse, right: Sparse) -> f32 {
        merge(left, right, |l, r| (l - r).abs(), f32::abs)
    }

    #[inline(always)]
    fn sparse_cosine(self, left: Sparse, right: Sparse) -> (f32, f32, f32) {
        let (l, r) = (left.values, right.values);
        (self.sparse_inner_product(left, right), self.f32_inner_product(l, l), self.f32_inner_product(r, r))
    }

    #[inline(always)]
    fn bits_hamming(self, left: &[u8], right: &[u8]) -> u64 {
        hamming(left, right)
    }

    #[inline(always)]
    fn bits_jaccard(self, left: &[u8], right: &[u8]) -> (u64, u64) {
        jaccard(left, right)
    }
}

fn l2_squared(left: f32, right: f32) -> f32 {
    (left - right) * (left - right)
}

/// Sum `term` over both slices.
#[inline(always)]
fn sum<E: Copy>(left: &[E], right: &[E], value: impl Fn(E) -> f32, term: impl Fn(f32, f32) -> f32) -> f32 {
    let [sum] = sums(left, right, value, |l, r| [term(l, r)]);
    sum
}

#[inline(always)]
fn cosine<E: Copy>(left: &[E], right: &[E], value: impl Fn(E) -> f32) -> (f32, f32, f32) {
    sums(left, right, value, |l, r| [l * r, l * l, r * r]).into()
}

/// Sum each of `terms` over both slices, whose elements `value` turns into numbers.
#[inline(always)]
fn sums<E: Copy, const N: usize>(
    left: &[E],
    right: &[E],
    value: impl Fn(E) -> f32,
    terms: impl Fn(f32, f32) -> [f32; N],
) -> [f32; N] {
    let length = left.len().min(right.len());
    let (left, left_rest) = left.get(..length).unwrap_or_default().as_chunks::<PARTIAL>();
    let (right, right_rest) = right.get(..length).unwrap_or_default().as_chunks::<PARTIAL>();
    let mut partial = [[0.0f32; PARTIAL]; N];
    let mut add = |at: usize, l: E, r: E| {
        for (sums, term) in partial.iter_mut().zip(terms(value(l), value(r))) {
            sums.iter_mut().skip(at).take(1).for_each(|sum| *sum += term);
        }
    };
    for (l, r) in left.iter().zip(right) {
        l.iter().zip(r).enumerate().for_each(|(at, (l, r))| add(at, *l, *r));
    }
    left_rest.iter().zip(right_rest).enumerate().for_each(|(at, (l, r))| add(at, *l, *r));
    partial.map(|sums| sums.iter().sum())
}

/// Sum over all indices that either lists, in ascending order: `both` of two elements of one index, `one` of an element
/// that only one side lists.
#[inline(always)]
fn merge(left: Sparse, right: Sparse, both: impl Fn(f32, f32) -> f32, one: impl Fn(f32) -> f32) -> f32 {
    let (mut l, mut r, mut sum) = (0, 0, 0.0);
    while let (Some(at), Some(x)) = (left.indices.get(l), left.values.get(l)) {
        match (right.indices.get(r), right.values.get(r)) {
            (Some(other), Some(y)) if other < at => {
                sum += one(*y);
                r += 1;
            }
            (Some(other), Some(y)) if other == at => {
                sum += both(*x, *y);
                (l, r) = (l + 1, r + 1);
            }
            _ => {
                sum += one(*x);
                l += 1;
            }
        }
    }
    while let (Some(_), Some(y)) = (right.indices.get(r), right.values.get(r)) {
        sum += one(*y);
        r += 1;
    }
    sum
}

/// Count the bits that differ; a level with its own instruction for counting inlines this, and so the loop counts by
/// hand: what is in an iterator need not be inlined into code of other features.
#[inline(always)]
pub(super) fn hamming(left: &[u8], right: &[u8]) -> u64 {
    let (left, right) = shorter(left, right);
    let (lefts, rights) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
    let (mut count, mut at) = (0, 0);
    while let (Some(l), Some(r)) = (lefts.get(at), rights.get(at)) {
        count += (u64::from_le_bytes(*l) ^ u64::from_le_bytes(*r)).count_ones();
        at += 1;
    }
    if !left.len().is_multiple_of(8) {
        count += (last_word(left) ^ last_word(right)).count_ones();
    }
    u64::from(count)
}

/// Count the bits set in both and in either; a level with its own instruction for counting inlines this.
#[inline(always)]
pub(super) fn jaccard(left: &[u8], right: &[u8]) -> (u64, u64) {
    let (left, right) = shorter(left, right);
    let (lefts, rights) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
    let (mut both, mut either, mut at) = (0, 0, 0);
    while let (Some(l), Some(r)) = (lefts.get(at), rights.get(at)) {
        let (l, r) = (u64::from_le_bytes(*l), u64::from_le_bytes(*r));
        both += (l & r).count_ones();
        either += (l | r).count_ones();
        at += 1;
    }
    if !left.len().is_multiple_of(8) {
        let (l, r) = (last_word(left), last_word(right));
        both += (l & r).count_ones();
        either += (l | r).count_ones();
    }
    (u64::from(both), u64::from(either))
}

/// As much of both as the shorter has.
#[inline(always)]
fn shorter<'a>(left: &'a [u8], right: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let length = left.len().min(right.len());
    (left.get(..length).unwrap_or_default(), right.get(..length).unwrap_or_default())
}

/// The bytes behind the last whole word, with zeros around them; there is at least one.
#[inline(always)]
fn last_word(bytes: &[u8]) -> u64 {
    let bits = bytes.len() % 8 * 8;
    if let Some(last) = bytes.last_chunk::<8>() {
        return u64::from_le_bytes(*last) >> (64 - bits);
    }
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let beyond = u64::from(u32::from_le_bytes(*last)) >> (64 - bits);
            u64::from(u32::from_le_bytes(*first)) | beyond << 32
        }
        _ => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}
