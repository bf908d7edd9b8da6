//! The level of every CPU: the definitions in plain Rust, which the other levels are tested against.
//!
//! Sums are kept in partial sums so that the compiler can use what vector instructions its target has.

use super::{Kernels, half};

/// Partial sums per loop.
const PARTIAL: usize = 16;

pub(super) static LEVEL: Kernels = Kernels {
    name: "scalar",
    f32_l2_squared: |left, right| sum(left, right, |x| x, l2_squared),
    f32_inner_product: |left, right| sum(left, right, |x| x, |l, r| l * r),
    f32_l1: |left, right| sum(left, right, |x| x, |l, r| (l - r).abs()),
    f32_cosine: |left, right| cosine(left, right, |x| x),
    f16_l2_squared: |left, right| sum(left, right, half::to_f32, l2_squared),
    f16_inner_product: |left, right| sum(left, right, half::to_f32, |l, r| l * r),
    f16_l1: |left, right| sum(left, right, half::to_f32, |l, r| (l - r).abs()),
    f16_cosine: |left, right| cosine(left, right, half::to_f32),
    f16_to_f32: |halves, floats| floats.iter_mut().zip(halves).for_each(|(f, h)| *f = half::to_f32(*h)),
    f32_to_f16: |floats, halves| halves.iter_mut().zip(floats).for_each(|(h, f)| *h = half::from_f32(*f)),
    bits_hamming: hamming,
    bits_jaccard: jaccard,
};

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

/// Count the bits that differ; a level with its own instruction for counting inlines this.
#[inline(always)]
pub(super) fn hamming(left: &[u8], right: &[u8]) -> u64 {
    let [count] = count(left, right, |l, r| [l ^ r]);
    count
}

/// Count the bits set in both and in either; a level with its own instruction for counting inlines this.
#[inline(always)]
pub(super) fn jaccard(left: &[u8], right: &[u8]) -> (u64, u64) {
    count(left, right, |l, r| [l & r, l | r]).into()
}

/// Count the bits set in each of `words`, which combine both slices word by word.
#[inline(always)]
fn count<const N: usize>(left: &[u8], right: &[u8], words: impl Fn(u64, u64) -> [u64; N]) -> [u64; N] {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut counts = [0; N];
    let mut add = |l: u64, r: u64| {
        for (count, word) in counts.iter_mut().zip(words(l, r)) {
            *count += u64::from(word.count_ones());
        }
    };
    left.iter().zip(right).for_each(|(l, r)| add(u64::from_ne_bytes(*l), u64::from_ne_bytes(*r)));
    left_rest.iter().zip(right_rest).for_each(|(l, r)| add(u64::from(*l), u64::from(*r)));
    counts
}
