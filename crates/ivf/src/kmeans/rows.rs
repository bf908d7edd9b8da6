//! Rows of a matrix, all of them or some, and the pauses between pieces of work.

use super::Matrix;
use crate::codec::SplitMix64;

/// Rows of a matrix of floats.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    matrix: Matrix<'a>,
    /// Which rows, or `None` for all.
    members: Option<&'a [u32]>,
}

impl<'a> Rows<'a> {
    /// All rows of a matrix; a rest shorter than a row is left out.
    pub(super) fn all(matrix: Matrix<'a>) -> Self {
        Self { matrix, members: None }
    }

    /// The rows of the same matrix that `members` names.
    pub(super) fn only(self, members: &'a [u32]) -> Self {
        Self { members: Some(members), ..self }
    }

    pub(super) fn dim(&self) -> usize {
        self.matrix.dim
    }

    pub(super) fn rotated(&self) -> bool {
        self.matrix.rotated
    }

    pub(super) fn len(&self) -> usize {
        self.members.map_or_else(|| self.matrix.values.len().checked_div(self.dim()).unwrap_or(0), <[u32]>::len)
    }

    /// The number of a row in the matrix.
    pub(super) fn place(&self, at: usize) -> u32 {
        self.members.map_or(at as u32, |members| members.get(at).copied().unwrap_or(u32::MAX))
    }

    /// A row; empty where there is none.
    pub(super) fn get(&self, at: usize) -> &'a [f32] {
        let from = self.place(at) as usize * self.dim();
        self.matrix.values.get(from..from + self.dim()).unwrap_or_default()
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = &'a [f32]> {
        (0..self.len()).map(move |at| self.get(at))
    }

    /// Choose so many rows evenly and at random, in their order; all where there are no more.
    pub(super) fn sample(&self, count: usize, random: &mut SplitMix64) -> Vec<u32> {
        let length = self.len();
        if count >= length {
            return (0..length).map(|at| self.place(at)).collect();
        }
        let start = |at: usize| (at as u128 * length as u128 / count as u128) as usize;
        (0..count).map(|at| self.place(start(at) + random.below(start(at + 1) - start(at)))).collect()
    }
}

/// Multiplications between two pauses: less than a millisecond's on any server.
const PIECE: usize = 1 << 21;

/// Calls `pause` now and then.
pub(crate) struct Pacer<'a> {
    pause: &'a mut dyn FnMut(),
    done: usize,
}

impl<'a> Pacer<'a> {
    pub(crate) fn new(pause: &'a mut dyn FnMut()) -> Self {
        Self { pause, done: 0 }
    }

    /// Count work of so many multiplications.
    pub(super) fn work(&mut self, multiplications: usize) {
        self.done += multiplications;
        if self.done >= PIECE {
            self.done = 0;
            (self.pause)();
        }
    }
}
