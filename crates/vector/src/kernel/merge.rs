//! The loops over two sparse vectors, of the levels that have vector registers: as [`lanes`](super::lanes), written once.
//!
//! Which of two sorted lists has the next index is a coin toss to a CPU, and a wrong guess costs it more than ten
//! additions. So the longer list is taken a register at a time, and each index of the shorter one is compared with all of
//! the register; only where a register ends is there anything to guess.

use super::lanes::{self, Difference, Lanes, Product, Square, Term};
use super::{Scalar, Sums};
use crate::sparse::Sparse;

/// Elements of both lists up to which they are merged one by one: wrong guesses cost less than filling registers.
const FEW: usize = 24;

/// Registers of indices, and of lanes that are picked by them.
///
/// # Safety
/// As in [`Lanes`].
pub(super) trait Matching: Lanes {
    /// As many indices as there are lanes.
    type Indices: Copy;
    /// Some of the lanes.
    type Picked: Copy;

    unsafe fn load_indices(from: *const i32) -> Self::Indices;
    /// Load the first `count` indices; the others are -1, which is none.
    unsafe fn load_some_indices(from: *const i32, count: usize) -> Self::Indices;
    /// Count the leading indices, of `count` (up to as many as there are lanes), that are not above `last`.
    unsafe fn count_up_to(from: *const i32, count: usize, last: i32) -> usize;
    /// Pick no lane.
    unsafe fn pick_none() -> Self::Picked;
    /// Pick the lane that has this index.
    unsafe fn pick(indices: Self::Indices, index: i32) -> Self::Picked;
    /// Pick the lanes whose bits are set, the lowest bit for the first lane.
    unsafe fn pick_bits(bits: u32) -> Self::Picked;
    /// Tell whether no lane is picked.
    unsafe fn is_none(picked: Self::Picked) -> bool;
    /// Pick what either picks.
    unsafe fn pick_either(one: Self::Picked, other: Self::Picked) -> Self::Picked;
    /// Fill all lanes with one number.
    unsafe fn fill(value: f32) -> Self;
    /// Keep the lanes picked; the others become zero.
    unsafe fn keep(self, picked: Self::Picked) -> Self;
    /// Make the lanes picked zero.
    unsafe fn clear(self, picked: Self::Picked) -> Self;
}

/// Elements in ascending order of their indices, and how many there are.
struct List {
    indices: *const i32,
    values: *const f32,
    count: usize,
}

/// A register of the longer list, and which of its lanes have met an element of the shorter one.
struct Block<L: Matching> {
    indices: L::Indices,
    values: L,
    met: L::Picked,
}

impl<L: Matching> Block<L> {
    /// Add what one element contributes beside the one of its index, and tell whether there is none.
    ///
    /// # Safety
    /// The CPU must have the instructions of `L`.
    #[inline(always)]
    unsafe fn add<T: Term>(&mut self, sum: L, index: i32, value: f32) -> (L, bool) {
        // SAFETY: the caller's promise.
        unsafe {
            let equal = L::pick(self.indices, index);
            self.met = L::pick_either(self.met, equal);
            (T::add_picked(sum, L::fill(value), self.values, equal), L::is_none(equal))
        }
    }
}

/// The elements of the shorter list that are still to come, and what they have been summed up to.
struct Few<L> {
    list: List,
    at: usize,
    /// Two sums, so that one addition need not wait for the one before.
    sums: (L, L),
    /// The sum of those that stand alone.
    alone: L,
}

impl<L: Matching> Few<L> {
    /// Add the elements up to the index `last`, each beside the one of the same index in the block; with `ALONE`, also
    /// those that stand beside none.
    ///
    /// # Safety
    /// The CPU must have the instructions of `L`, and the list must be there.
    #[inline(always)]
    unsafe fn add_up_to<T: Term, const ALONE: bool>(&mut self, last: i32, block: &mut Block<L>) {
        // SAFETY: the caller's promise; no element is read beyond the count.
        unsafe {
            loop {
                let left = self.list.count - self.at;
                let some = if left < L::COUNT { left } else { L::COUNT };
                let (indices, values) = (self.list.indices.add(self.at), self.list.values.add(self.at));
                let count = L::count_up_to(indices, some, last);
                // From the last to the first, so that the bit of each that is alone ends in its own place.
                let (mut at, mut alone) = (count, 0u32);
                while at >= 2 {
                    let (one, two) = (at - 1, at - 2);
                    let (sum, is_alone) = block.add::<T>(self.sums.0, indices.add(one).read(), values.add(one).read());
                    alone = alone + alone + u32::from(is_alone);
                    self.sums.0 = sum;
                    let (sum, is_alone) = block.add::<T>(self.sums.1, indices.add(two).read(), values.add(two).read());
                    alone = alone + alone + u32::from(is_alone);
                    self.sums.1 = sum;
                    at -= 2;
                }
                if at == 1 {
                    let (sum, is_alone) = block.add::<T>(self.sums.0, indices.read(), values.read());
                    alone = alone + alone + u32::from(is_alone);
                    self.sums.0 = sum;
                }
                if ALONE && alone != 0 {
                    self.alone = T::add(self.alone, L::load_some(values, count).keep(L::pick_bits(alone)), L::zero());
                }
                self.at += count;
                if count < L::COUNT {
                    return;
                }
            }
        }
    }
}

/// Sum over all indices that both list, and with `ALONE` over those that only one does, which stand beside zeros.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
unsafe fn fold<L: Matching, T: Term, const ALONE: bool>(left: Sparse, right: Sparse) -> f32 {
    // SAFETY: the caller vouches for the instructions, and what is loaded ends at the count at most.
    unsafe {
        let (few, many) = in_order(list(left), list(right));
        let mut few = Few { list: few, at: 0, sums: (L::zero(), L::zero()), alone: L::zero() };
        let (mut alone, mut at) = (L::zero(), 0);
        while many.count - at >= L::COUNT {
            let (indices, values) = (L::load_indices(many.indices.add(at)), L::load(many.values.add(at)));
            let mut block = Block { indices, values, met: L::pick_none() };
            at += L::COUNT;
            few.add_up_to::<T, ALONE>(many.indices.add(at - 1).read(), &mut block);
            if ALONE {
                alone = T::add(alone, L::zero(), values.clear(block.met));
            }
        }
        let count = many.count - at;
        let indices = L::load_some_indices(many.indices.add(at), count);
        let values = L::load_some(many.values.add(at), count);
        let mut block = Block { indices, values, met: L::pick_none() };
        few.add_up_to::<T, ALONE>(i32::MAX, &mut block);
        if ALONE {
            alone = T::add(alone, L::zero(), values.clear(block.met));
        }
        few.sums.0.add(few.sums.1).add(few.alone.add(alone)).sum()
    }
}

/// The elements of a vector.
#[inline(always)]
fn list(vector: Sparse) -> List {
    let (indices, values) = (vector.indices, vector.values);
    let count = if indices.len() < values.len() { indices.len() } else { values.len() };
    List { indices: indices.as_ptr(), values: values.as_ptr(), count }
}

/// Put the shorter first; of two that list as many elements, the one whose first index that differs is less: so the
/// sum does not depend on which is the left one.
///
/// # Safety
/// The lists must be there.
#[inline(always)]
unsafe fn in_order(left: List, right: List) -> (List, List) {
    let mut swap = left.count > right.count;
    if left.count == right.count {
        let mut at = 0;
        while at < left.count {
            // SAFETY: the caller's promise, and both have as many.
            let (l, r) = unsafe { (left.indices.add(at).read(), right.indices.add(at).read()) };
            if l != r {
                swap = l > r;
                break;
            }
            at += 1;
        }
    }
    if swap { (right, left) } else { (left, right) }
}

/// Sum the squares of the differences.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn l2_squared<L: Matching>(left: Sparse, right: Sparse) -> f32 {
    if left.values.len() + right.values.len() <= FEW {
        return Scalar.sparse_l2_squared(left, right);
    }
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, Square, true>(left, right) }
}

/// Sum the products.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn inner_product<L: Matching>(left: Sparse, right: Sparse) -> f32 {
    if left.values.len() + right.values.len() <= FEW {
        return Scalar.sparse_inner_product(left, right);
    }
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, Product, false>(left, right) }
}

/// Sum the absolute differences.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn l1<L: Matching>(left: Sparse, right: Sparse) -> f32 {
    if left.values.len() + right.values.len() <= FEW {
        return Scalar.sparse_l1(left, right);
    }
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, Difference, true>(left, right) }
}

/// Sum the products of the two, of the left with itself, and of the right with itself.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn cosine<L: Matching>(left: Sparse, right: Sparse) -> (f32, f32, f32) {
    let (l, r) = (left.values, right.values);
    // SAFETY: the caller vouches for the instructions, and for no list more is loaded than it has.
    unsafe {
        let product = inner_product::<L>(left, right);
        if l.len() > L::COUNT || r.len() > L::COUNT {
            return (product, lanes::inner_product::<L, f32>(l, l), lanes::inner_product::<L, f32>(r, r));
        }
        // The same sums without a branch.
        let (l, r) = (L::load_some(l.as_ptr(), l.len()), L::load_some(r.as_ptr(), r.len()));
        (product, l.mul_add(l, L::zero()).sum(), r.mul_add(r, L::zero()).sum())
    }
}
