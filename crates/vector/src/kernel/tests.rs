//! Guards the kernels: a level that sums wrongly, reads past an end, rounds otherwise than the CPU, or differs from
//! the plain level where results must be the same bits.

use super::{Best, Cosine, Kernels, Sum, Sums, half, levels};
use crate::sparse::{Sparse, SparseBuf};
use crate::testing::Random;

/// Every length around every register's and unroll's, and some that users have.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=130).chain([384, 1023, 1536, 4096, 16_000])
}

/// The definition of a sum, in double precision, and the sum of its terms' magnitudes: the scale of its error.
fn definition(left: &[f32], right: &[f32], term: impl Fn(f64, f64) -> f64) -> (f64, f64) {
    let terms = left.iter().zip(right).map(|(l, r)| term(f64::from(*l), f64::from(*r)));
    terms.fold((0.0, 0.0), |(sum, scale), term| (sum + term, scale + term.abs()))
}

fn l2_squared(l: f64, r: f64) -> f64 {
    (l - r) * (l - r)
}

/// Compare a sum with the definition. Partial sums of `f32` lose at most a few units in the last place per addition.
fn assert_close(what: &str, got: f32, (sum, scale): (f64, f64), length: usize) {
    let additions = length as f64 / 8.0 + 8.0;
    let allowed = scale * additions * f64::from(f32::EPSILON) + 1e-44 * length as f64;
    assert!((f64::from(got) - sum).abs() <= allowed, "{what} of {length}: {got}, not {sum} (±{allowed})");
}

/// Check the four sums of one level over one pair of slices; `values` are what the elements stand for.
fn check_sums<E>(
    (l2, inner, l1, cosine): (Sum<E>, Sum<E>, Sum<E>, Cosine<E>),
    name: &str,
    elements: (&[E], &[E]),
    (left, right): (&[f32], &[f32]),
) {
    let length = left.len();
    let product = |l, r| l * r;
    let check = |what, got, expected| assert_close(&format!("{name} {what}"), got, expected, length);
    check("l2", l2(elements.0, elements.1), definition(left, right, l2_squared));
    check("inner product", inner(elements.0, elements.1), definition(left, right, product));
    check("l1", l1(elements.0, elements.1), definition(left, right, |l, r| (l - r).abs()));
    let (dot, lefts, rights) = cosine(elements.0, elements.1);
    check("dot", dot, definition(left, right, product));
    check("left norm", lefts, definition(left, left, product));
    check("right norm", rights, definition(right, right, product));
    assert_eq!(l2(elements.0, elements.1).to_bits(), l2(elements.0, elements.1).to_bits(), "{name}: not stable");
}

fn check_floats(level: &Kernels, left: &[f32], right: &[f32]) {
    let functions = (level.f32_l2_squared, level.f32_inner_product, level.f32_l1, level.f32_cosine);
    check_sums(functions, level.name, (left, right), (left, right));
}

fn check_halves(level: &Kernels, left: &[u16], right: &[u16]) {
    let functions = (level.f16_l2_squared, level.f16_inner_product, level.f16_l1, level.f16_cosine);
    let widened = |halves: &[u16]| halves.iter().map(|h| half::to_f32(*h)).collect::<Vec<_>>();
    check_sums(functions, level.name, (left, right), (&widened(left), &widened(right)));
}

/// Halves of any finite bit pattern.
fn any_halves(random: &mut Random, count: usize) -> Vec<u16> {
    let bits = std::iter::repeat_with(|| random.bits() as u16);
    bits.filter(|half| half & 0x7c00 != 0x7c00).take(count).collect()
}

#[test]
fn sums_agree_with_their_definitions() {
    let mut random = Random::new(1);
    for length in lengths() {
        // Every offset from a register's boundary, the two sides apart; what lies around must not be read into sums.
        let (left, right) = (random.floats(length + 8), random.floats(length + 8));
        let (halves, others) = (any_halves(&mut random, length + 8), any_halves(&mut random, length + 8));
        for (from, to) in [(0, 0), (1, 1), (2, 5), (3, 0), (4, 7), (5, 2), (6, 6), (7, 3)] {
            let (from, to) = (from..from + length, to..to + length);
            for level in levels() {
                check_floats(level, &left[from.clone()], &right[to.clone()]);
                check_halves(level, &halves[from.clone()], &others[to.clone()]);
            }
        }
    }
}

/// The sums of one level, as bits.
fn bits(level: &Kernels, left: &[f32], right: &[f32]) -> [u32; 6] {
    let (dot, lefts, rights) = (level.f32_cosine)(left, right);
    let (l2, inner, l1) = (level.f32_l2_squared, level.f32_inner_product, level.f32_l1);
    [l2(left, right), inner(left, right), l1(left, right), dot, lefts, rights].map(f32::to_bits)
}

#[test]
fn results_do_not_depend_on_the_place() {
    let mut random = Random::new(2);
    for length in lengths() {
        let (left, right) = (random.floats(length), random.floats(length));
        let moved = |values: &[f32], by: usize| [vec![f32::NAN; by], values.to_vec(), vec![f32::NAN; 17 - by]].concat();
        for level in levels() {
            let expected = bits(level, &left, &right);
            for by in 0..=16 {
                let (lefts, rights) = (moved(&left, by), moved(&right, by * 5 % 17));
                let got = bits(level, &lefts[by..by + length], &rights[by * 5 % 17..][..length]);
                assert_eq!(got, expected, "{} of {length} at {by}", level.name);
            }
        }
    }
}

#[test]
fn unequal_lengths_read_the_shorter() {
    let mut random = Random::new(3);
    for length in [0, 1, 15, 16, 17, 63, 64, 65, 129] {
        let (long, short) = (random.floats(length + 40), random.floats(length));
        let (wide, narrow) = (any_halves(&mut random, length + 40), any_halves(&mut random, length));
        let (bytes, few) = (vec![0xff; length + 40], vec![0; length]);
        for level in levels() {
            let same = (level.f32_l1)(&long[..length], &short);
            assert_eq!(((level.f32_l1)(&long, &short), (level.f32_l1)(&short, &long)), (same, same));
            let same = (level.f16_l1)(&wide[..length], &narrow);
            assert_eq!(((level.f16_l1)(&wide, &narrow), (level.f16_l1)(&narrow, &wide)), (same, same));
            assert_eq!((level.bits_hamming)(&bytes, &few), 8 * length as u64);
            assert_eq!((level.bits_jaccard)(&few, &bytes), (0, 8 * length as u64));
            let mut floats = vec![7.0; length + 1];
            (level.f16_to_f32)(&narrow, &mut floats);
            assert_eq!(floats.last(), Some(&7.0), "{}", level.name);
            let mut halves = vec![7; length + 1];
            (level.f32_to_f16)(&short, &mut halves);
            assert_eq!(halves.last(), Some(&7), "{}", level.name);
        }
    }
}

#[test]
fn extremes_are_the_same_at_every_level() {
    for length in lengths().skip(1) {
        for level in levels() {
            let filled = |value: f32| vec![value; length];
            let (huge, tiny) = (filled(3e38), filled(1e-40));
            let name = level.name;
            assert_eq!((level.f32_l2_squared)(&huge, &filled(-3e38)), f32::INFINITY, "{name}");
            assert_eq!((level.f32_inner_product)(&huge, &filled(-3e38)), f32::NEG_INFINITY, "{name}");
            assert_eq!((level.f32_l1)(&huge, &filled(-3e38)), f32::INFINITY, "{name}");
            assert_eq!((level.f32_cosine)(&huge, &huge), (f32::INFINITY, f32::INFINITY, f32::INFINITY), "{name}");
            // A subnormal number is not taken for zero, and its square is.
            check_floats(level, &tiny, &filled(-1e-40));
            assert!((level.f32_l1)(&tiny, &filled(-1e-40)) > 1e-40, "{name}");
            assert_eq!((level.f32_inner_product)(&tiny, &tiny), 0.0, "{name}");
            // No sum is a negative zero.
            let (plus, minus) = (filled(0.0), filled(-0.0));
            assert_eq!((level.f32_inner_product)(&minus, &filled(1.0)).to_bits(), 0, "{name}");
            assert_eq!((level.f32_l2_squared)(&minus, &plus).to_bits(), 0, "{name}");
            assert_eq!((level.f32_l1)(&minus, &plus).to_bits(), 0, "{name}");
            assert_eq!((level.f16_l1)(&vec![0x8000; length], &vec![0; length]).to_bits(), 0, "{name}");
            // The greatest and the least half.
            check_halves(level, &vec![0x7bff; length], &vec![0xfbff; length]);
            check_halves(level, &vec![0x0001; length], &vec![0x8001; length]);
            assert!((level.f32_l2_squared)(&filled(f32::NAN), &plus).is_nan(), "{name}");
        }
    }
}

#[test]
fn halves_widen_exactly() {
    let halves: Vec<u16> = (0..=u16::MAX).collect();
    for level in levels() {
        let mut floats = vec![0.0; halves.len()];
        (level.f16_to_f32)(&halves, &mut floats);
        for (half, got) in halves.iter().zip(&floats) {
            assert_eq!(got.to_bits(), widened(*half), "{} of {half:#06x}", level.name);
        }
        for length in 0..40 {
            let mut few = vec![0.0; length];
            (level.f16_to_f32)(&halves[1_000..1_000 + length], &mut few);
            assert_eq!(few, floats[1_000..1_000 + length], "{} of {length}", level.name);
        }
    }
}

/// The bits of a half as `f32`, from the format's definition in double precision.
fn widened(half: u16) -> u32 {
    let (exponent, fraction) = (i32::from(half >> 10 & 31), u32::from(half & 0x3ff));
    let sign = u32::from(half >> 15) << 31;
    let magnitude = match exponent {
        31 if fraction > 0 => 0x7fc0_0000 | fraction << 13,
        31 => 0x7f80_0000,
        0 => ((f64::from(fraction) * 2f64.powi(-24)) as f32).to_bits(),
        _ => ((f64::from(fraction + 1024) * 2f64.powi(exponent - 25)) as f32).to_bits(),
    };
    sign | magnitude
}

#[test]
fn floats_round_to_the_nearest_half() {
    let mut random = Random::new(4);
    let mut floats = boundaries();
    floats.extend(random.any_floats(100_000));
    // Most of any bit patterns are out of a half's range: as many more within it, below 2^17 and above 2^-27.
    floats.extend((0..100_000).map(|_| {
        let bits = random.bits() as u32;
        f32::from_bits(bits & 0x807f_ffff | (100 + (bits >> 23 & 0xff) % 45) << 23)
    }));
    floats.extend([f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffbf_ffff)]);
    floats.extend([f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0]);
    for level in levels() {
        let mut halves = vec![0; floats.len()];
        (level.f32_to_f16)(&floats, &mut halves);
        for (float, got) in floats.iter().zip(&halves) {
            assert_eq!(*got, nearest(*float), "{} of {float:e} ({:#x})", level.name, float.to_bits());
        }
        for length in 0..40 {
            let mut few = vec![0; length];
            (level.f32_to_f16)(&floats[1_000..1_000 + length], &mut few);
            assert_eq!(few, halves[1_000..1_000 + length], "{} of {length}", level.name);
        }
    }
}

/// Every half's value, the middle between it and the next, and the floats next to both; of both signs.
fn boundaries() -> Vec<f32> {
    let mut floats = Vec::new();
    for half in 0..0x7c00u16 {
        let value = half::to_f32(half);
        // Beyond the last half, the next would be 65536.
        let next = if half == 0x7bff { 65536.0 } else { half::to_f32(half + 1) };
        let middle = (value + next) / 2.0;
        let near = [value.next_down(), value, value.next_up(), middle.next_down(), middle, middle.next_up()];
        floats.extend(near.iter().flat_map(|float| [*float, -*float]));
    }
    floats.extend([65536.0, -65536.0, f32::MAX, f32::MIN, f32::from_bits(1)]);
    floats
}

/// The half nearest to a float, found by its distances from all halves' values; ties to the even one.
fn nearest(float: f32) -> u16 {
    let sign = (float.to_bits() >> 16) as u16 & 0x8000;
    if float.is_nan() {
        return sign | 0x7e00 | (float.to_bits() >> 13) as u16 & 0x3ff;
    }
    let value = f64::from(float.abs());
    // Infinity stands where the half after the last would: rounding to it means overflow.
    let of = |half: u16| {
        if half == 0x7c00 { 65536.0 } else { f64::from(half::to_f32(half)) }
    };
    let (mut low, mut high) = (0u16, 0x7c00u16);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if of(middle) <= value { low = middle } else { high = middle }
    }
    let (below, above) = (value - of(low), of(high) - value);
    let even = if low % 2 == 0 { low } else { high };
    sign | if below < above {
        low
    } else if above < below {
        high
    } else {
        even
    }
}

#[test]
fn bits_are_counted() {
    let mut random = Random::new(5);
    for length in (0..=200).chain([1_024, 2_000, 8_000]) {
        let left: Vec<u8> = (0..length + 8).map(|_| random.bits() as u8).collect();
        let right: Vec<u8> = (0..length + 8).map(|_| random.bits() as u8).collect();
        for (from, to) in [(0, 0), (1, 3), (7, 2), (4, 4)] {
            let (left, right) = (&left[from..from + length], &right[to..to + length]);
            let count = |combine: fn(u8, u8) -> u8| -> u64 {
                left.iter().zip(right).map(|(l, r)| u64::from(combine(*l, *r).count_ones())).sum()
            };
            for level in levels() {
                assert_eq!((level.bits_hamming)(left, right), count(|l, r| l ^ r), "{} {length}", level.name);
                let both = (count(|l, r| l & r), count(|l, r| l | r));
                assert_eq!((level.bits_jaccard)(left, right), both, "{} {length}", level.name);
            }
        }
    }
}

/// A list of up to `count` of the indices below `dim`, with any floats; not one of them is zero.
fn some_elements(random: &mut Random, count: usize, dim: usize) -> SparseBuf {
    let mut indices: Vec<i32> = (0..count).map(|_| random.below(dim) as i32).collect();
    indices.sort_unstable();
    indices.dedup();
    let values = random.floats(indices.len()).iter().map(|value| if *value == 0.0 { 1.0 } else { *value }).collect();
    SparseBuf { dim, indices, values }
}

/// The dense vector that a sparse one stands for.
fn dense(value: &SparseBuf) -> Vec<f32> {
    let mut out = vec![0.0; value.dim];
    value.indices.iter().zip(&value.values).for_each(|(index, element)| out[*index as usize] = *element);
    out
}

#[test]
fn sparse_sums_are_those_of_the_dense_vectors() {
    let mut random = Random::new(6);
    let counts = [0, 1, 3, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 33, 48, 65, 200];
    for dim in [1, 2, 16, 40, 100, 500, 3_000] {
        for (count, other) in counts.iter().flat_map(|count| counts.map(|other| (*count, other))) {
            let (left, right) = (some_elements(&mut random, count, dim), some_elements(&mut random, other, dim));
            check_sparse(&left, &right);
            // All, or none, in common.
            check_sparse(&left, &left);
            let mut apart = right.clone();
            apart.indices.iter_mut().for_each(|index| *index += left.dim as i32);
            apart.dim += left.dim;
            let left = SparseBuf { dim: apart.dim, ..left };
            check_sparse(&left, &apart);
        }
    }
}

fn check_sparse(left: &SparseBuf, right: &SparseBuf) {
    let (l, r) = (dense(left), dense(right));
    let length = left.indices.len() + right.indices.len();
    let (left, right) = (left.view(), right.view());
    for level in levels() {
        let check = |what: &str, function: fn(Sparse, Sparse) -> f32, expected: (f64, f64)| {
            let got = function(left, right);
            // One sum may take all: it is added as often as there are elements.
            assert_close(&format!("{} sparse {what}", level.name), got, expected, 8 * length);
            let turned = function(right, left);
            assert_eq!(got.to_bits(), turned.to_bits(), "{} {what}: {left:?} {right:?}", level.name);
        };
        check("l2", level.sparse_l2_squared, definition(&l, &r, l2_squared));
        check("inner product", level.sparse_inner_product, definition(&l, &r, |l, r| l * r));
        check("l1", level.sparse_l1, definition(&l, &r, |l, r| (l - r).abs()));
        let (product, norm) =
            (level.sparse_inner_product, |side: Sparse| (level.f32_inner_product)(side.values, side.values));
        let sums = (level.sparse_cosine)(left, right);
        assert_eq!(sums, (product(left, right), norm(left), norm(right)), "{} cosine", level.name);
        if left == right {
            assert_eq!((level.sparse_l2_squared)(left, right), 0.0, "{}", level.name);
        }
    }
}

#[test]
fn sparse_values_that_do_not_fit_are_read_to_the_shorter() {
    let mut random = Random::new(7);
    let (left, right) = (some_elements(&mut random, 60, 90), some_elements(&mut random, 60, 90));
    for level in levels() {
        for cut in 0..left.indices.len() {
            let whole = Sparse { indices: &left.indices[..cut], values: &left.values[..cut], ..left.view() };
            for torn in [Sparse { values: &left.values, ..whole }, Sparse { indices: &left.indices, ..whole }] {
                let sums = |value| ((level.sparse_l1)(value, right.view()), (level.sparse_l1)(right.view(), value));
                let close = |(a, b): (f32, f32), (c, d): (f32, f32)| (a - c).abs() < 1e-3 && (b - d).abs() < 1e-3;
                assert!(close(sums(torn), sums(whole)), "{} {cut}", level.name);
            }
        }
    }
    // Indices that are out of order, as no stored value's are, give some number and no more.
    let wild = SparseBuf { dim: 9, indices: (0..100).map(|at| at * 7919 % 23 - 3).collect(), values: vec![1.0; 100] };
    for level in levels() {
        assert!((level.sparse_l2_squared)(wild.view(), right.view()).is_finite(), "{}", level.name);
        assert!((level.sparse_l2_squared)(right.view(), wild.view()).is_finite(), "{}", level.name);
    }
}

#[test]
fn a_function_of_the_best_level_is_that_of_the_table() {
    #[repr(C)]
    struct Slices {
        left: *const f32,
        right: *const f32,
        length: usize,
    }
    unsafe extern "C-unwind" fn sum(both: &Slices) -> f32 {
        crate::at_best_level!((both: &Slices) -> f32, |level| {
            // SAFETY: the caller's slices are that long.
            let of = |start| unsafe { std::slice::from_raw_parts(start, both.length) };
            level.f32_l2_squared(of(both.left), of(both.right))
        })
    }
    let mut random = Random::new(8);
    for length in lengths() {
        let (left, right) = (random.floats(length), random.floats(length));
        let expected = (super::kernels().f32_l2_squared)(&left, &right).to_bits();
        for _ in 0..2 {
            let both = Slices { left: left.as_ptr(), right: right.as_ptr(), length };
            // SAFETY: both slices are that long.
            assert_eq!(unsafe { sum(&both) }.to_bits(), expected, "{length}");
        }
        assert_eq!(Best.f32_l2_squared(&left, &right).to_bits(), expected);
    }
}

#[test]
fn the_best_level_is_the_last() {
    assert_eq!(levels()[0].name, "scalar");
    assert!(std::ptr::eq(super::kernels(), *levels().last().expect("there is always one level")));
}
