//! The loops over two sparse vectors, of the levels that have vector registers: as [`lanes`](super::lanes), written once.
//!
//! Which of two sorted lists has the next index is a coin toss to a CPU, and a wrong guess costs it more than ten
//! additions. So the longer list is taken a register at a time, and each index of the shorter one is compared with all of
//! the register; only where a register ends is there anything to guess.

use super::lanes::{Difference, Lanes, Product, Square, Term};
use crate::sparse::Sparse;

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
    /// Pick no lane.
    unsafe fn pick_none() -> Self::Picked;
    /// Pick the lane that has this index.
    unsafe fn pick(indices: Self::Indices, index: i32) -> Self::Picked;
    /// Pick what either picks.
    unsafe fn pick_either(one: Self::Picked, other: Self::Picked) -> Self::Picked;
    /// Fill all lanes with one number.
    unsafe fn fill(value: f32) -> Self;
    /// Keep the lanes picked; the others become zero.
    unsafe fn keep(self, picked: Self::Picked) -> Self;
    /// Make the lanes picked zero.
    unsafe fn clear(self, picked: Self::Picked) -> Self;
    /// Put `value` into one lane, and beside it the lane picked, of which there is one at most; zero where there is none.
    unsafe fn beside(self, picked: Self::Picked, value: f32) -> (Self, Self);
}

/// Elements in ascending order of their indices, and how many there are.
struct List {
    indices: *const i32,
    values: *const f32,
    count: usize,
}

/// The elements of the shorter list that are still to come, and what they have been summed up to, in turn, so that one
/// addition need not wait for the one before.
struct Few<L> {
    list: List,
    at: usize,
    sums: (L, L),
}

impl<L: Matching> Few<L> {
    /// Add the elements up to the index `last`, each beside the one of the same index among some of the longer list's;
    /// with `ALONE`, also those that stand beside none, and give the lanes that had an index of ours.
    ///
    /// # Safety
    /// The CPU must have the instructions of `L`, and the list must be there.
    #[inline(always)]
    unsafe fn add_up_to<T: Term, const ALONE: bool>(&mut self, last: i32, indices: L::Indices, values: L) -> L::Picked {
        // SAFETY: the caller's promise; no element is read beyond the count.
        unsafe {
            let mut picked = L::pick_none();
            let (mut sum, mut other) = self.sums;
            while self.at < self.list.count {
                let index = self.list.indices.add(self.at).read();
                if index > last {
                    break;
                }
                let equal = L::pick(indices, index);
                let value = self.list.values.add(self.at).read();
                let (value, beside) = if ALONE {
                    picked = L::pick_either(picked, equal);
                    values.beside(equal, value)
                } else {
                    (L::fill(value), values.keep(equal))
                };
                (sum, other) = (other, T::add(sum, value, beside));
                self.at += 1;
            }
            self.sums = (sum, other);
            picked
        }
    }
}

/// Sum over all indices that both list, and with `ALONE` over those that only one does, which stand beside zeros.
/// Without it, zero must contribute nothing beside any number.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
unsafe fn fold<L: Matching, T: Term, const ALONE: bool>(left: Sparse, right: Sparse) -> f32 {
    // SAFETY: the caller vouches for the instructions, and what is loaded ends at the count at most.
    unsafe {
        let (few, many) = in_order(list(left), list(right));
        let (mut few, mut alone) = (Few { list: few, at: 0, sums: (L::zero(), L::zero()) }, L::zero());
        let mut at = 0;
        while many.count - at >= L::COUNT {
            let (indices, values) = (L::load_indices(many.indices.add(at)), L::load(many.values.add(at)));
            at += L::COUNT;
            let picked = few.add_up_to::<T, ALONE>(many.indices.add(at - 1).read(), indices, values);
            if ALONE {
                alone = T::add(alone, L::zero(), values.clear(picked));
            }
        }
        let count = many.count - at;
        let indices = L::load_some_indices(many.indices.add(at), count);
        let values = L::load_some(many.values.add(at), count);
        let picked = few.add_up_to::<T, ALONE>(i32::MAX, indices, values);
        if ALONE {
            alone = T::add(alone, L::zero(), values.clear(picked));
        }
        few.sums.0.add(few.sums.1).add(alone).sum()
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
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, Square, true>(left, right) }
}

/// Sum the products.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn inner_product<L: Matching>(left: Sparse, right: Sparse) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, Product, false>(left, right) }
}

/// Sum the absolute differences.
///
/// # Safety
/// The CPU must have the instructions of `L`.
#[inline(always)]
pub(super) unsafe fn l1<L: Matching>(left: Sparse, right: Sparse) -> f32 {
    // SAFETY: the caller vouches for the instructions.
    unsafe { fold::<L, Difference, true>(left, right) }
}
