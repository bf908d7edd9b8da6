//! Finds the nearest of many centroids: a first choice by the leading coordinates of all, then by the whole distance.
//!
//! Where the space is rotated at random, the leading coordinates are a random projection (Johnson and Lindenstrauss), and
//! distances within them, to scale, are the whole ones up to an error of a few in a hundred. Measured on embeddings, the
//! nearest of 500 by 128 coordinates is the nearest of all seven times in eight, and within [`MARGIN`] of it 199 times
//! in 200.
//!
//! With more centroids than [`FLAT`] these are in cells, about as many as each has centroids, and only those of the
//! [`CELLS`] nearest cells are looked at.

use vw_vector::code::{ACROSS, DEEP};
use vw_vector::kernel::kernels;

use super::panels::Panels;
use super::rows::Pacer;
use super::{Matrix, lloyd};

/// The leading coordinates by which a first choice is made, where the space is rotated and has half as many more.
const LEADING: usize = 128;
/// Centroids are looked at in full within so much of the least squared distance in the leading coordinates.
const MARGIN: f32 = 0.25;
/// The rounding of squared distances that come of norms and products, as a share of the norm.
const ROUNDING: f32 = 1e-5;
/// The most centroids that are looked at in full.
const MOST: usize = 32;

/// The most centroids that are all looked at.
const FLAT: usize = 4_096;
/// The cells that are looked at, and the rounds in which cells are found.
const CELLS: usize = 16;
const ROUNDS: usize = 4;
/// The seed of cells.
const SEED: u64 = 1;

/// The rows that are taken at once, and so the bytes of scores: 32 rows of 4,096 centroids are half a megabyte.
const BLOCK: usize = 32;

/// Centroids, and what finds the nearest of them. Beyond the centroids it takes a copy of their leading coordinates.
pub(crate) struct Nearest {
    dim: usize,
    centroids: Vec<f32>,
    leading: usize,
    /// The leading coordinates of all centroids, or of the centroids of cells.
    panels: Panels,
    /// Those of each cell's centroids, and their numbers. None where there are no cells.
    cells: Vec<(Panels, Vec<u32>)>,
    room: Room,
}

/// Room for the work of a search.
#[derive(Default)]
struct Room {
    scores: Vec<[f32; ACROSS]>,
    eights: Vec<[f32; DEEP]>,
    near: Vec<(f32, u32)>,
}

impl Nearest {
    /// Prepare for searches among the rows of a matrix.
    pub(crate) fn new(centroids: Vec<f32>, dim: usize, rotated: bool, pacer: &mut Pacer<'_>) -> Self {
        let leading = leading(dim, rotated);
        let heads = centroids.chunks_exact(dim.max(1)).map(|row| row.get(..leading).unwrap_or_default());
        let count = heads.len();
        let panels;
        let mut cells = Vec::new();
        if count <= FLAT {
            panels = Panels::new(leading, heads);
        } else {
            let heads: Vec<f32> = heads.flatten().copied().collect();
            let matrix = Matrix { values: &heads, dim: leading, rotated: false };
            let middles = lloyd(matrix.rows(), count.isqrt(), ROUNDS, SEED, pacer);
            let mut members = vec![Vec::new(); middles.len() / leading.max(1)];
            let mut nearest = Nearest::new(middles, leading, false, pacer);
            nearest.of_all(matrix.rows().iter(), pacer, |at, home| {
                members.iter_mut().skip(home).take(1).for_each(|members| members.push(at as u32));
            });
            panels = nearest.panels;
            let rows = matrix.rows();
            let cell = |members: Vec<u32>| (Panels::new(leading, rows.only(&members).iter()), members);
            cells = members.into_iter().map(cell).collect();
        }
        Self { dim, centroids, leading, panels, cells, room: Room::default() }
    }

    /// Count the bytes that so many centroids take: themselves, their leading coordinates, and the work.
    pub(crate) fn bytes(count: usize, dim: usize, rotated: bool) -> usize {
        let padded = count + if count > FLAT { (ACROSS + 1) * (count.isqrt() + 1) } else { ACROSS };
        size_of::<f32>() * (count * dim + padded * (leading(dim, rotated) + 3))
    }

    pub(crate) fn count(&self) -> usize {
        self.centroids.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Give the centroids back.
    pub(crate) fn into_centroids(self) -> Vec<f32> {
        self.centroids
    }

    /// Find the place of the centroid nearest to a row, or 0 where no distance is a number.
    pub(crate) fn of(&mut self, row: &[f32]) -> usize {
        if row.len() != self.dim {
            return 0;
        }
        let head = row.get(..self.leading).unwrap_or_default();
        let square = (kernels().f32_inner_product)(head, head);
        let margin = self.margin();
        let Room { scores, near, .. } = &mut self.room;
        near.clear();
        self.panels.scores(head, scores);
        if self.cells.is_empty() {
            choose(scores, square, margin, near);
        } else {
            let mut order: Vec<(f32, u32)> = scores.iter().flatten().copied().zip(0..).collect();
            order.truncate(self.cells.len());
            least(&mut order, CELLS);
            for (_, cell) in order {
                let Some((panels, numbers)) = self.cells.get(cell as usize) else { continue };
                panels.scores(head, scores);
                let from = near.len();
                choose(scores, square, margin, near);
                for (_, at) in near.iter_mut().skip(from) {
                    *at = numbers.get(*at as usize).copied().unwrap_or(0);
                }
            }
            let all = std::mem::take(near);
            let limit = limit(all.iter().map(|(score, _)| *score), square, margin);
            near.extend(all.into_iter().filter(|(score, _)| *score <= limit));
            least(near, MOST);
        }
        self.best(row)
    }

    /// Find the same for rows, one after another, and tell `found` of the number of each row and its centroid's place.
    pub(super) fn of_all<'r>(
        &mut self,
        rows: impl Iterator<Item = &'r [f32]>,
        pacer: &mut Pacer<'_>,
        mut found: impl FnMut(usize, usize),
    ) {
        let mut rows = rows.enumerate();
        if !self.cells.is_empty() {
            for (at, row) in rows {
                found(at, self.of(row));
                let cell = self.count() / self.cells.len().max(1);
                pacer.work(self.leading * (self.cells.len() + CELLS * cell) + self.dim * MOST);
            }
            return;
        }
        loop {
            let block: Vec<(usize, &[f32])> = rows.by_ref().take(BLOCK).collect();
            if block.is_empty() {
                return;
            }
            let heads = block.iter().map(|(_, row)| row.get(..self.leading).unwrap_or_default());
            self.panels.all_scores(heads.clone(), &mut self.room.eights, &mut self.room.scores, pacer);
            let panels = self.panels.count();
            for (nth, ((at, row), head)) in block.iter().zip(heads).enumerate() {
                let square = (kernels().f32_inner_product)(head, head);
                self.room.near.clear();
                let scores = self.room.scores.get(nth * panels..(nth + 1) * panels).unwrap_or_default();
                choose(scores, square, self.margin(), &mut self.room.near);
                pacer.work(self.dim * self.room.near.len());
                found(*at, self.best(row));
            }
        }
    }

    /// The share of the least distance within which a centroid may be the nearest.
    fn margin(&self) -> f32 {
        if self.leading < self.dim { MARGIN } else { 0.0 }
    }

    /// Find the nearest of those chosen.
    fn best(&self, row: &[f32]) -> usize {
        if let [(_, only)] = self.room.near.as_slice() {
            return *only as usize;
        }
        let mut best = (f32::INFINITY, 0);
        for (_, at) in &self.room.near {
            let from = *at as usize * self.dim;
            let centroid = self.centroids.get(from..from + self.dim).unwrap_or_default();
            let distance = (kernels().f32_l2_squared)(centroid, row);
            if distance < best.0 || distance == best.0 && (*at as usize) < best.1 {
                best = (distance, *at as usize);
            }
        }
        best.1
    }
}

/// The coordinates that a first choice is made by.
pub(super) fn leading(dim: usize, rotated: bool) -> usize {
    if rotated && dim >= LEADING * 3 / 2 { LEADING } else { dim }
}

/// Choose those that may be nearest: `scores` are half the squared distance less half of `square`, the norm.
fn choose(scores: &[[f32; ACROSS]], square: f32, margin: f32, near: &mut Vec<(f32, u32)>) {
    let from = near.len();
    let mut lanes = [f32::INFINITY; ACROSS];
    for scores in scores {
        // A score that is not a number is never the least.
        lanes.iter_mut().zip(scores).for_each(|(least, score)| *least = if *score < *least { *score } else { *least });
    }
    let mut limit = limit(lanes.into_iter(), square, margin);
    for (scores, first) in scores.iter().zip((0..).step_by(ACROSS)) {
        if !scores.iter().fold(false, |any, score| any | (*score <= limit)) {
            continue;
        }
        let fit = scores.iter().zip(first..).filter(|(score, _)| **score <= limit);
        near.extend(fit.map(|(score, at)| (*score, at)));
        if near.len() - from > 2 * MOST {
            // Many are alike: from here on only what is nearer than the last of those kept.
            limit = keep(near, from);
        }
    }
    if near.len() - from > MOST {
        keep(near, from);
    }
}

/// Keep as many as are looked at, the least, of those from a place on; give the greatest score among them.
fn keep(near: &mut Vec<(f32, u32)>, from: usize) -> f32 {
    let mut chosen = near.split_off(from);
    least(&mut chosen, MOST);
    near.append(&mut chosen);
    near.iter().skip(from).fold(f32::NEG_INFINITY, |greatest, (score, _)| greatest.max(*score))
}

/// The greatest score that may be of the nearest.
fn limit(scores: impl Iterator<Item = f32>, square: f32, margin: f32) -> f32 {
    let least = scores.fold(f32::INFINITY, f32::min);
    if least == f32::INFINITY {
        return f32::NAN;
    }
    let half = (square / 2.0 + least).max(0.0);
    least + half * margin + square * ROUNDING
}

/// Keep so many, the least.
fn least(of: &mut Vec<(f32, u32)>, count: usize) {
    if of.len() > count {
        of.select_nth_unstable_by(count, |one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        of.truncate(count);
    }
}
