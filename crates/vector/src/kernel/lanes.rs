//! The loops of the levels that have vector registers, written once over what one register can do.
//!
//! Everything here is `inline(always)` and without target features of its own: it becomes code of the function that
//! it is inlined into, which has the level's features. [`level!`] makes those functions.

use std::marker::PhantomData;

use super::merge::Matching;

/// Registers that are summed independently, so that one addition need not wait for the one before.
const UNROLL: usize = 4;

/// The most lanes of any level.
const MAX_LANES: usize = 16;

/// A register of `f32` lanes.
///
/// # Safety
/// Every function needs the level's instructions; those that take a pointer need as many elements behind it as there
/// are lanes, or `count` (as many at the most). Alignment does not matter.
pub(super) trait Lanes: Copy {
    const COUNT: usize;
    /// How it reads many floats.
    type Floats: Run<f32, Self>;

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

/// Elements that lie one behind the other, read a register at a time.
pub(super) trait Run<E, L> {
    /// How many elements are read beyond those that were given.
    const AHEAD: usize;

    /// Begin at an element.
    ///
    /// # Safety
    /// As in [`Lanes`]; there is an element.
    unsafe fn new(from: *const E) -> Self;
    /// Give the next register of elements.
    ///
    /// # Safety
    /// As in [`Lanes`]; there are the register's elements and `AHEAD` more.
    unsafe fn next(&mut self) -> L;
}

/// A run that is read where it lies.
pub(super) struct Plain<E>(*const E);

impl<E: Element, L: Lanes> Run<E, L> for Plain<E> {
    const AHEAD: usize = 0;

    #[inline(always)]
    unsafe fn new(from: *const E) -> Self {
        Plain(from)
    }

    #[inline(always)]
    unsafe fn next(&mut self) -> L {
        // SAFETY: the caller's promise.
        unsafe {
            let register = E::load(self.0);
            self.0 = self.0.add(L::COUNT);
            register
        }
    }
}

/// What the loops read: `f32`, or halves as `u16`.
pub(super) trait Element: Copy {
    /// How many of them are read.
    type Run<L: Lanes>: Run<Self, L>;

    /// # Safety
    /// As in [`Lanes`].
    unsafe fn load<L: Lanes>(from: *const Self) -> L;
    /// # Safety
    /// As in [`Lanes`].
    unsafe fn load_some<L: Lanes>(from: *const Self, count: usize) -> L;
}

impl Element for f32 {
    type Run<L: Lanes> = L::Floats;

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
    type Run<L: Lanes> = Plain<u16>;

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

/// What one register of each side contributes to a sum; two of zeros contribute nothing.
pub(super) trait Term {
    /// # Safety
    /// The CPU must have the instructions of `L`.
    unsafe fn add<L: Lanes>(sum: L, left: L, right: L) -> L;

    /// Add what the lanes picked contribute.
    ///
    /// # Safety
    /// The CPU must have the instructions of `L`.
    unsafe fn add_picked<L: Matching>(sum: L, left: L, right: L, picked: L::Picked) -> L;
}

/// The square of the difference.
pub(super) struct Square;
/// The product.
pub(super) struct Product;
/// The absolute difference.
pub(super) struct Difference;

impl Term for Square {
    #[inline(always)]
    unsafe fn add<L: Lanes>(sum: L, left: L, right: L) -> L {
        // SAFETY: the caller vouches for the instructions.
        unsafe {
            let difference = left.sub(right);
            difference.mul_add(difference, sum)
        }
    }

    #[inline(always)]
    unsafe fn add_picked<L: Matching>(sum: L, left: L, right: L, picked: L::Picked) -> L {
        // SAFETY: the caller vouches for the instructions.
        unsafe {
            let difference = left.sub(right).keep(picked);
            difference.mul_add(difference, sum)
        }
    }
}

impl Term for Product {
    #[inline(always)]
    unsafe fn add<L: Lanes>(sum: L, left: L, right: L) -> L {
        // SAFETY: the caller vouches for the instructions.
        unsafe { left.mul_add(right, sum) }
    }

    #[inline(always)]
    unsafe fn add_picked<L: Matching>(sum: L, left: L, right: L, picked: L::Picked) -> L {
        // SAFETY: the caller vouches for the instructions.
        unsafe { left.mul_add(right.keep(picked), sum) }
    }
}

impl Term for Difference {
    #[inline(always)]
    unsafe fn add<L: Lanes>(sum: L, left: L, right: L) -> L {
        // SAFETY: the caller vouches for the instructions.
        unsafe { sum.add(left.sub(right).abs()) }
    }

    #[inline(always)]
    unsafe fn add_picked<L: Matching>(sum: L, left: L, right: L, picked: L::Picked) -> L {
        // SAFETY: the caller vouches for the instructions.
        unsafe { sum.add(left.sub(right).keep(picked).abs()) }
    }
}

/// One sum or more that one loop adds up, in registers; zeros at first.
///
/// # Safety
/// Every function needs the instructions of `L`.
trait Sums<L>: Copy {
    /// The sums as numbers.
    type Totals;

    unsafe fn zero() -> Self;
    unsafe fn add(self, left: L, right: L) -> Self;
    unsafe fn join(self, other: Self) -> Self;
    unsafe fn totals(self) -> Self::Totals;
}

/// A sum of one term.
struct One<L, T>(L, PhantomData<T>);

impl<L: Copy, T> Clone for One<L, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Copy, T> Copy for One<L, T> {}

impl<L: Lanes, T: Term> Sums<L> for One<L, T> {
    type Totals = f32;

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise.
        unsafe { One(L::zero(), PhantomData) }
    }

    #[inline(always)]
    unsafe fn add(self, left: L, right: L) -> Self {
        // SAFETY: the caller's promise.
        unsafe { One(T::add(self.0, left, right), PhantomData) }
    }

    #[inline(always)]
    unsafe fn join(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { One(self.0.add(other.0), PhantomData) }
    }

    #[inline(always)]
    unsafe fn totals(self) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { self.0.sum() }
    }
}

/// The sums of a cosine: of the products of the two, of the left with itself, and of the right with itself.
#[derive(Clone, Copy)]
struct Three<L>(L, L, L);

impl<L: Lanes> Sums<L> for Three<L> {
    type Totals = (f32, f32, f32);

    #[inline(always)]
    unsafe fn zero() -> Self {
        // SAFETY: the caller's promise.
        unsafe { Three(L::zero(), L::zero(), L::zero()) }
    }

    #[inline(always)]
    unsafe fn add(self, left: L, right: L) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Three(left.mul_add(right, self.0), left.mul_add(left, self.1), right.mul_add(right, self.2)) }
    }

    #[inline(always)]
    unsafe fn join(self, other: Self) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Three(self.0.add(other.0), self.1.add(other.1), self.2.add(other.2)) }
    }

    #[inline(always)]
    unsafe fn totals(self) -> (f32, f32, f32) {
        // SAFETY: the caller's promise.
        unsafe { (self.0.sum(), self.1.sum(), self.2.sum()) }
    }
}

/// Add up over both slices, which `R` reads.
///
/// No lead-in aligns the loads: the order of the additions, and so the last bits, would depend on where values lie. The
/// loops count by hand, for what is in an iterator need not be inlined into code of other features.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
unsafe fn fold<L: Lanes, E: Element, R: Run<E, L>, S: Sums<L>>(left: &[E], right: &[E]) -> S::Totals {
    let length = if left.len() < right.len() { left.len() } else { right.len() };
    let (left, right) = (left.as_ptr(), right.as_ptr());
    let mut at = 0;
    // SAFETY: the caller vouches for the instructions, and what is loaded ends at `length` at most.
    unsafe {
        let mut sums = S::zero();
        if length >= UNROLL * L::COUNT {
            let (mut second, mut third, mut fourth) = (S::zero(), S::zero(), S::zero());
            let (mut lefts, mut rights) = (R::new(left), R::new(right));
            while length - at >= UNROLL * L::COUNT + R::AHEAD {
                sums = sums.add(lefts.next(), rights.next());
                second = second.add(lefts.next(), rights.next());
                third = third.add(lefts.next(), rights.next());
                fourth = fourth.add(lefts.next(), rights.next());
                at += UNROLL * L::COUNT;
            }
            if length - at >= UNROLL * L::COUNT {
                let (l, r) = (left.add(at), right.add(at));
                sums = sums.add(E::load(l), E::load(r));
                second = second.add(E::load(l.add(L::COUNT)), E::load(r.add(L::COUNT)));
                third = third.add(E::load(l.add(2 * L::COUNT)), E::load(r.add(2 * L::COUNT)));
                fourth = fourth.add(E::load(l.add(3 * L::COUNT)), E::load(r.add(3 * L::COUNT)));
                at += UNROLL * L::COUNT;
            }
            sums = sums.join(second).join(third.join(fourth));
        }
        if length & (2 * L::COUNT) != 0 {
            let (l, r) = (left.add(at), right.add(at));
            sums = sums.add(E::load(l), E::load(r)).add(E::load(l.add(L::COUNT)), E::load(r.add(L::COUNT)));
            at += 2 * L::COUNT;
        }
        if length & L::COUNT != 0 {
            sums = sums.add(E::load(left.add(at)), E::load(right.add(at)));
            at += L::COUNT;
        }
        let count = length & (L::COUNT - 1);
        if count != 0 {
            sums = sums.add(E::load_some(left.add(at), count), E::load_some(right.add(at), count));
        }
        sums.totals()
    }
}

/// Sum the squares of the differences.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn l2_squared<L: Lanes, E: Element>(left: &[E], right: &[E]) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, E, E::Run<L>, One<L, Square>>(left, right) }
}

/// Sum the products.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn inner_product<L: Lanes, E: Element>(left: &[E], right: &[E]) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, E, E::Run<L>, One<L, Product>>(left, right) }
}

/// Sum the absolute differences.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn l1<L: Lanes, E: Element>(left: &[E], right: &[E]) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, E, E::Run<L>, One<L, Difference>>(left, right) }
}

/// Sum the products of the two, of the left with itself, and of the right with itself.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn cosine<L: Lanes, E: Element>(left: &[E], right: &[E]) -> (f32, f32, f32) {
    // Three sums at once are bound by arithmetic, not by loading.
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, E, Plain<E>, Three<L>>(left, right) }
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
