//! How much a search may do.

/// When a search stops looking for nearer members.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// The share of the nearest members that is to be found, from 0 to 1; 1 visits every list first.
    pub recall: f32,
    /// Visit this many lists before the first member is given, and another only when their members run out; 0 leaves it
    /// to `recall`.
    pub probes: u32,
    /// Visit no more lists than this.
    pub most: u32,
}

/// Lists that are always visited, at most: so many, and one in so many of all.
const FEW: (usize, usize) = (12, 32);

/// Of vectors of few dimensions, one in so many of those that may be missed may be in lists that were not visited.
const RAW: f32 = 10.0;

impl Effort {
    /// Tell whether every one of so many lists is visited before the first member is given. Then the answer is to be that
    /// of an exact search, and no bound may be left to chance.
    pub(crate) fn is_exhaustive(&self, lists: u32) -> bool {
        if self.probes > 0 { self.probes >= lists } else { self.recall >= 1.0 }
    }

    /// Give the number of lists, of so many, to visit before anything else.
    pub(crate) fn least(&self, lists: u32) -> usize {
        match self.probes {
            0 if self.recall >= 1.0 => usize::MAX,
            0 => ((1.0 / (1.0 - self.recall.max(0.0))) as usize).min(FEW.0 + lists as usize / FEW.1),
            probes => probes as usize,
        }
    }

    /// Give the share of the members nearer than one that is about to be given that may be in lists that were not visited.
    ///
    /// That is more than the share that may be missed: what is told of lists falls more slowly with their distance than
    /// what is in them does (see [`super::Calibration`]), so that no query visits many times as many lists as most do.
    ///
    /// Where there are few dimensions (`raw`), what is nearest is near in comparison with lists, and it is less of a share that
    /// is told well.
    pub(crate) fn missed(&self, raw: bool) -> f32 {
        let recall = self.recall.clamp(0.0, 1.0);
        if raw { (1.0 - recall) / RAW } else { 1.0 - recall.powi(6) }
    }
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { recall: 0.95, probes: 0, most: u32::MAX }
    }
}
