//! The loops of the levels that have vector registers, written once over what one register can do.
//!
//! Everything here is `inline(always)` and without target features of its own: it becomes code of the function that
//! it is inlined into, which has the level's features. [`level!`] makes those functions.

/// Registers that are summed independently, so that one addition need not wait for the one before.
const UNROLL: usize = 4;

/// The most lanes of any level.
const MAX_LANES: usize = 16;

/// A register of `f32` lanes.
///
/// # Safety
/// Every function needs the level's instructions; those that take a pointer need as many elements behind it as there
/// are lanes, or `count` (fewer than there are lanes). Alignment does not matter.
pub(super) trait Lanes: Copy {
    const COUNT: usize;

    unsafe fn zero() -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn load_halves(from: *const u16) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_halves(self, to: *mut u16);
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn abs(self) -> Self;
    /// `self * factor + to`, rounded once.
    unsafe fn mul_add(self, factor: Self, to: Self) -> Self;
    /// The sum of all lanes, in an order of the level's own.
    unsafe fn sum(self) -> f32;

    /// Load the first `count` lanes; the others are zero.
    #[inline(always)]
    unsafe fn load_some(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller vouches for `count` elements and the instructions; the copy has as many as any register.
        unsafe { Self::load(padded(from, count).as_ptr()) }
    }

    /// Load the first `count` lanes; the others are zero.
    #[inline(always)]
    unsafe fn load_some_halves(from: *const u16, count: usize) -> Self {
        // SAFETY: as in `load_some`.
        unsafe { Self::load_halves(padded(from, count).as_ptr()) }
    }
}

/// Copy up to [`MAX_LANES`] elements, with zeros behind them.
///
/// # Safety
/// There must be `count` elements at `from`.
#[inline(always)]
unsafe fn padded<E: Copy + Default>(from: *const E, count: usize) -> [E; MAX_LANES] {
    let mut copy = [E::default(); MAX_LANES];
    // SAFETY: the caller vouches for `count` elements, and no more are written than there is room for.
    unsafe { copy.as_mut_ptr().copy_from_nonoverlapping(from, count.min(MAX_LANES)) };
    copy
}

/// What the loops read: `f32`, or halves as `u16`.
pub(super) trait Element: Copy {
    /// # Safety
    /// As in [`Lanes`].
    unsafe fn load<L: Lanes>(from: *const Self) -> L;
    /// # Safety
    /// As in [`Lanes`].
    unsafe fn load_some<L: Lanes>(from: *const Self, count: usize) -> L;
}

impl Element for f32 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const f32) -> L {
        // SAFETY: the caller's promise is the callee's.
        unsafe { L::load(from) }
    }

    #[inline(always)]
    unsafe fn load_some<L: Lanes>(from: *const f32, count: usize) -> L {
        // SAFETY: the caller's promise is the callee's.
        unsafe { L::load_some(from, count) }
    }
}

impl Element for u16 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const u16) -> L {
        // SAFETY: the caller's promise is the callee's.
        unsafe { L::load_halves(from) }
    }

    #[inline(always)]
    unsafe fn load_some<L: Lanes>(from: *const u16, count: usize) -> L {
        // SAFETY: the caller's promise is the callee's.
        unsafe { L::load_some_halves(from, count) }
    }
}

/// Sum over both slices: `step` adds what a register of each contributes to `N` sums; zeros must contribute nothing.
///
/// No lead-in aligns the loads: the order of the additions, and so the last bits, would depend on where values lie.
///
/// # Safety
/// The CPU must have the instructions of `L` and of `step`.
#[inline(always)]
unsafe fn fold<L: Lanes, E: Element, const N: usize>(
    left: &[E],
    right: &[E],
    step: impl Fn([L; N], L, L) -> [L; N],
) -> [f32; N] {
    let length = left.len().min(right.len());
    let (left, right) = (left.get(..length).unwrap_or_default(), right.get(..length).unwrap_or_default());
    let wide = (left.chunks_exact(UNROLL * L::COUNT), right.chunks_exact(UNROLL * L::COUNT));
    let narrow = (wide.0.remainder().chunks_exact(L::COUNT), wide.1.remainder().chunks_exact(L::COUNT));
    let rest = (narrow.0.remainder(), narrow.1.remainder());
    // SAFETY: the caller vouches for the instructions. Each load stays in a chunk: `UNROLL` registers in a wide one,
    // one in a narrow one, and the rest is shorter than a register.
    unsafe {
        let mut sums = [[L::zero(); N]; UNROLL];
        for (l, r) in wide.0.zip(wide.1) {
            for (at, sums) in sums.iter_mut().enumerate() {
                *sums = step(*sums, E::load(l.as_ptr().add(at * L::COUNT)), E::load(r.as_ptr().add(at * L::COUNT)));
            }
        }
        let [mut first, second, third, fourth] = sums;
        for (l, r) in narrow.0.zip(narrow.1) {
            first = step(first, E::load(l.as_ptr()), E::load(r.as_ptr()));
        }
        if !rest.0.is_empty() {
            let count = rest.0.len();
            first = step(first, E::load_some(rest.0.as_ptr(), count), E::load_some(rest.1.as_ptr(), count));
        }
        let mut totals = [0.0; N];
        for ((((total, a), b), c), d) in totals.iter_mut().zip(first).zip(second).zip(third).zip(fourth) {
            *total = a.add(b).add(c.add(d)).sum();
        }
        totals
    }
}

/// Sum the squares of the differences.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn l2_squared<L: Lanes, E: Element>(left: &[E], right: &[E]) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    let [sum] = unsafe {
        fold::<L, E, 1>(left, right, |[sum], l, r| {
            let difference = l.sub(r);
            [difference.mul_add(difference, sum)]
        })
    };
    sum
}

/// Sum the products.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn inner_product<L: Lanes, E: Element>(left: &[E], right: &[E]) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    let [sum] = unsafe { fold::<L, E, 1>(left, right, |[sum], l, r| [l.mul_add(r, sum)]) };
    sum
}

/// Sum the absolute differences.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn l1<L: Lanes, E: Element>(left: &[E], right: &[E]) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    let [sum] = unsafe { fold::<L, E, 1>(left, right, |[sum], l, r| [sum.add(l.sub(r).abs())]) };
    sum
}

/// Sum the products of the two, of the left with itself, and of the right with itself.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn cosine<L: Lanes, E: Element>(left: &[E], right: &[E]) -> (f32, f32, f32) {
    // SAFETY: the caller vouches for the instructions.
    let sums = unsafe {
        fold::<L, E, 3>(left, right, |[dot, lefts, rights], l, r| {
            [l.mul_add(r, dot), l.mul_add(l, lefts), r.mul_add(r, rights)]
        })
    };
    sums.into()
}

/// Widen halves, as many as both slices have.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn widen<L: Lanes>(halves: &[u16], floats: &mut [f32]) {
    let length = halves.len().min(floats.len());
    let halves = halves.get(..length).unwrap_or_default().chunks_exact(L::COUNT);
    let mut floats = floats.get_mut(..length).unwrap_or_default().chunks_exact_mut(L::COUNT);
    let rest = halves.remainder();
    for (h, f) in halves.zip(&mut floats) {
        // SAFETY: both chunks have as many elements as a register; the caller vouches for the instructions.
        unsafe { L::load_halves(h.as_ptr()).store(f.as_mut_ptr()) };
    }
    rest.iter().zip(floats.into_remainder()).for_each(|(h, f)| *f = super::half::to_f32(*h));
}

/// Round to halves, as many as both slices have.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn narrow<L: Lanes>(floats: &[f32], halves: &mut [u16]) {
    let length = halves.len().min(floats.len());
    let floats = floats.get(..length).unwrap_or_default().chunks_exact(L::COUNT);
    let mut halves = halves.get_mut(..length).unwrap_or_default().chunks_exact_mut(L::COUNT);
    let rest = floats.remainder();
    for (f, h) in floats.zip(&mut halves) {
        // SAFETY: both chunks have as many elements as a register; the caller vouches for the instructions.
        unsafe { L::load(f.as_ptr()).store_halves(h.as_mut_ptr()) };
    }
    rest.iter().zip(halves.into_remainder()).for_each(|(f, h)| *h = super::half::from_f32(*f));
}

/// Make the functions of a level: of the features `$features`, with the registers `$lanes`, and counting bits by the
/// functions `$hamming` and `$jaccard`, which are compiled with those features too.
macro_rules! level {
    ($name:literal, $features:literal, $lanes:ty, $hamming:path, $jaccard:path) => {
        $crate::kernel::Kernels {
            name: $name,
            f32_l2_squared: level!(@fn $features, lanes::l2_squared::<$lanes, f32>, (l: &[f32], r: &[f32]) -> f32),
            f32_inner_product: level!(@fn $features, lanes::inner_product::<$lanes, f32>, (l: &[f32], r: &[f32]) -> f32),
            f32_l1: level!(@fn $features, lanes::l1::<$lanes, f32>, (l: &[f32], r: &[f32]) -> f32),
            f32_cosine: level!(@fn $features, lanes::cosine::<$lanes, f32>, (l: &[f32], r: &[f32]) -> (f32, f32, f32)),
            f16_l2_squared: level!(@fn $features, lanes::l2_squared::<$lanes, u16>, (l: &[u16], r: &[u16]) -> f32),
            f16_inner_product: level!(@fn $features, lanes::inner_product::<$lanes, u16>, (l: &[u16], r: &[u16]) -> f32),
            f16_l1: level!(@fn $features, lanes::l1::<$lanes, u16>, (l: &[u16], r: &[u16]) -> f32),
            f16_cosine: level!(@fn $features, lanes::cosine::<$lanes, u16>, (l: &[u16], r: &[u16]) -> (f32, f32, f32)),
            f16_to_f32: level!(@fn $features, lanes::widen::<$lanes>, (h: &[u16], f: &mut [f32]) -> ()),
            f32_to_f16: level!(@fn $features, lanes::narrow::<$lanes>, (f: &[f32], h: &mut [u16]) -> ()),
            bits_hamming: level!(@fn $features, $hamming, (l: &[u8], r: &[u8]) -> u64),
            bits_jaccard: level!(@fn $features, $jaccard, (l: &[u8], r: &[u8]) -> (u64, u64)),
        }
    };
    // One function with the features. It is unsafe to call, but only the level's table holds it, and a level gives its
    // table out only where it has found the features.
    (@fn $features:literal, $body:path, ($a:ident: $left:ty, $b:ident: $right:ty) -> $result:ty) => {{
        #[target_feature(enable = $features)]
        fn run($a: $left, $b: $right) -> $result {
            #[allow(unused_unsafe, reason = "counting bits is safe at some levels")]
            // SAFETY: this function has the features that the body needs.
            unsafe { $body($a, $b) }
        }
        // SAFETY: the table is given out only on a CPU that has the features.
        |$a, $b| unsafe { run($a, $b) }
    }};
}
pub(super) use level;
