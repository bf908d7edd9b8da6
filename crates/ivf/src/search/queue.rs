//! The queue of a search: candidates under lower bounds of their distances, and members whose distances are known.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Found;
use crate::{Error, Tid};

/// How closely a candidate has been looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// By its row, or not at all: the heap is next.
    #[default]
    Row,
    /// By its one-bit code: its row is next.
    Code,
    /// Together with others of a visit, of which it has the least bound: it is to come by itself.
    Visit,
}

/// What is next in the queue.
pub enum Candidate {
    /// A member whose distance is known. None that is left is nearer.
    Exact(Found),
    /// A member to be looked at more closely: the `slot`-th of the `visit`-th visit.
    Estimate { stage: Stage, visit: u32, slot: u32 },
}

/// A member's distance and the member, as a heap orders them: the nearest first, and of equals the first in the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64, Tid);

/// A bound, and what it is a bound of, as a heap orders them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bound(u32, Stage, u32, u32);

/// The queue.
#[derive(Default)]
pub struct Queue {
    exact: BinaryHeap<Reverse<Place>>,
    bounds: BinaryHeap<Reverse<Bound>>,
}

impl Queue {
    /// Make room for so many bounds more, and for one distance: how long a search goes on is the caller's doing.
    pub fn reserve(&mut self, bounds: usize) -> Result<(), Error> {
        let room = self.bounds.try_reserve(bounds).and_then(|()| self.exact.try_reserve(1));
        room.map_err(|_| Error::OutOfMemory { bytes: bounds * size_of::<Bound>() + size_of::<Place>() })
    }

    /// Add a candidate.
    pub fn push(&mut self, bound: f32, stage: Stage, visit: u32, slot: u32) {
        self.push_rank(rank_of_bound(bound), stage, visit, slot);
    }

    /// Add a candidate under a bound that is ranked already.
    pub fn push_rank(&mut self, rank: u32, stage: Stage, visit: u32, slot: u32) {
        self.bounds.push(Reverse(Bound(rank, stage, visit, slot)));
    }

    /// Add a member whose distance is known.
    pub fn push_exact(&mut self, found: Found) {
        self.exact.push(Reverse(Place(rank(found.distance), found.tid)));
    }

    /// Take out what is next: a known distance before an equal bound.
    pub fn pop(&mut self) -> Option<Candidate> {
        let bound = self.bounds.peek().map(|Reverse(bound)| f64::from(bound_of_rank(bound.0)));
        let exact = self.exact.peek().map(|Reverse(place)| distance(place.0));
        // A member that has no distance comes after everything.
        if exact.is_some_and(|exact| bound.is_none_or(|bound| exact <= bound)) {
            let Reverse(Place(rank, tid)) = self.exact.pop()?;
            return Some(Candidate::Exact(Found { tid, distance: distance(rank) }));
        }
        self.pop_bound().map(|(_, stage, visit, slot)| Candidate::Estimate { stage, visit, slot })
    }

    /// Take out the candidate that has the least bound, whatever distances are known.
    pub fn pop_bound(&mut self) -> Option<(f32, Stage, u32, u32)> {
        let Reverse(Bound(rank, stage, visit, slot)) = self.bounds.pop()?;
        Some((bound_of_rank(rank), stage, visit, slot))
    }
}

/// Turn a distance into a number that orders as float8 does: NaN, the distance of zero vectors by cosine, comes last.
fn rank(distance: f64) -> u64 {
    const SIGN: u64 = 1 << 63;
    if distance.is_nan() {
        return u64::MAX;
    }
    // Adding zero makes the two zeros one.
    let bits = (distance + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The way back from [`rank`].
fn distance(rank: u64) -> f64 {
    const SIGN: u64 = 1 << 63;
    match rank {
        u64::MAX => f64::NAN,
        rank if rank & SIGN != 0 => f64::from_bits(rank & !SIGN),
        rank => f64::from_bits(!rank),
    }
}

/// The same as [`rank`] for a bound. One that is not a number knows nothing, and comes first.
#[inline]
pub fn rank_of_bound(bound: f32) -> u32 {
    const SIGN: u32 = 1 << 31;
    if bound.is_nan() {
        return rank_of_bound(f32::NEG_INFINITY);
    }
    let bits = (bound + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The way back from [`rank_of_bound`].
#[inline]
fn bound_of_rank(rank: u32) -> f32 {
    const SIGN: u32 = 1 << 31;
    f32::from_bits(if rank & SIGN != 0 { rank & !SIGN } else { !rank })
}

#[cfg(test)]
mod tests {
    //! Guards the order of answers: a rank that orders otherwise than the numbers do gives wrong rows first.

    use super::*;

    #[test]
    fn ranks_order_as_numbers_do_and_come_back() {
        let numbers = [f64::NEG_INFINITY, -1e300, -2.5, -f64::MIN_POSITIVE, 0.0, 1e-300, 0.5, 7.0, f64::INFINITY];
        let sorted = numbers.windows(2).all(|pair| matches!(pair, [one, other] if rank(*one) < rank(*other)));
        assert!(sorted && rank(f64::NAN) > rank(f64::INFINITY) && rank(-0.0) == rank(0.0));
        assert!(numbers.iter().all(|number| distance(rank(*number)) == *number) && distance(rank(f64::NAN)).is_nan());
        let bounds = numbers.map(|number| number as f32);
        assert!(bounds.iter().all(|bound| bound_of_rank(rank_of_bound(*bound)) == *bound));
        assert_eq!(rank_of_bound(f32::NAN), rank_of_bound(f32::NEG_INFINITY));
    }

    #[test]
    fn members_without_a_distance_come_last() {
        let mut queue = Queue::default();
        queue.push_exact(Found { tid: Tid { block: 1, offset: 1 }, distance: f64::NAN });
        queue.push(f32::INFINITY, Stage::Row, 0, 0);
        queue.push_exact(Found { tid: Tid { block: 2, offset: 1 }, distance: f64::INFINITY });
        assert!(matches!(queue.pop(), Some(Candidate::Exact(found)) if found.distance == f64::INFINITY));
        assert!(matches!(queue.pop(), Some(Candidate::Estimate { .. })));
        assert!(matches!(queue.pop(), Some(Candidate::Exact(found)) if found.distance.is_nan()));
        assert!(queue.pop().is_none());
    }
}
