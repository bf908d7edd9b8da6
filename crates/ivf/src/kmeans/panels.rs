//! Vectors laid side by side, 32 in a panel, and what orders them by their distance from others.

use vw_vector::code::{ACROSS, Across, DEEP, codes};
use vw_vector::kernel::kernels;

use super::rows::Pacer;

/// Vectors in panels, the last of which is filled up.
#[derive(Default)]
pub(super) struct Panels {
    width: usize,
    /// One panel after another.
    rows: Vec<Across>,
    /// Half of each vector's squared norm; infinite for what fills up.
    halves: Vec<Across>,
}

impl Panels {
    pub(super) fn new<'a>(width: usize, vectors: impl Iterator<Item = &'a [f32]>) -> Self {
        let mut panels = Self { width, ..Self::default() };
        for (at, vector) in vectors.enumerate() {
            let lane = at % ACROSS;
            if lane == 0 {
                panels.rows.resize(panels.rows.len() + width, [0.0; ACROSS]);
                panels.halves.push([f32::INFINITY; ACROSS]);
            }
            let from = panels.rows.len() - width;
            let lanes = |across: &mut Across, value| across.iter_mut().skip(lane).take(1).for_each(|to| *to = value);
            panels.rows.iter_mut().skip(from).zip(vector).for_each(|(across, value)| lanes(across, *value));
            let half = (kernels().f32_inner_product)(vector, vector) / 2.0;
            panels.halves.iter_mut().skip(at / ACROSS).for_each(|across| lanes(across, half));
        }
        panels
    }

    /// Count the panels.
    pub(super) fn count(&self) -> usize {
        self.halves.len()
    }

    /// Each panel with its halves.
    fn iter(&self) -> impl Iterator<Item = (&[Across], &Across)> {
        self.rows.chunks_exact(self.width.max(1)).zip(&self.halves)
    }

    /// Write the scores of all vectors for one: half the squared distance, less half of the one's squared norm.
    pub(super) fn scores(&self, vector: &[f32], to: &mut Vec<Across>) {
        to.resize(self.count(), [0.0; ACROSS]);
        for ((panel, halves), scores) in self.iter().zip(to) {
            (codes().one)(vector, panel, scores);
            scores.iter_mut().zip(halves).for_each(|(score, half)| *score = half - *score);
        }
    }

    /// Write the same for several vectors, those of the first vector first.
    pub(super) fn all_scores<'a>(
        &self,
        vectors: impl ExactSizeIterator<Item = &'a [f32]>,
        eights: &mut Vec<[f32; DEEP]>,
        to: &mut Vec<Across>,
        pacer: &mut Pacer<'_>,
    ) {
        let (count, panels) = (vectors.len().next_multiple_of(DEEP), self.count());
        to.resize(count * panels, [0.0; ACROSS]);
        eights.clear();
        eights.resize(count / DEEP * self.width, [0.0; DEEP]);
        for (at, vector) in vectors.enumerate() {
            let eight = eights.iter_mut().skip(at / DEEP * self.width);
            for (numbers, value) in eight.zip(vector) {
                numbers.iter_mut().skip(at % DEEP).take(1).for_each(|number| *number = *value);
            }
        }
        let mut products = [[0.0; ACROSS]; DEEP];
        for (at, (panel, halves)) in self.iter().enumerate() {
            for (eight, to) in eights.chunks_exact(self.width.max(1)).zip(to.chunks_mut((DEEP * panels).max(1))) {
                (codes().eight)(eight, panel, &mut products);
                for (scores, products) in to.iter_mut().skip(at).step_by(panels).zip(&products) {
                    let terms = scores.iter_mut().zip(halves).zip(products);
                    terms.for_each(|((score, half), product)| *score = half - product);
                }
            }
            pacer.work(count * self.width * ACROSS);
        }
    }
}
