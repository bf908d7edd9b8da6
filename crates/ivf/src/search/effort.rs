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

/// Lists that are visited beyond those that `patience` asks for.
const SPARE: f32 = 2.0;

impl Effort {
    /// Tell whether every one of so many lists is visited before the first member is given. Then the answer is to be that
    /// of an exact search, and no bound may be left to chance.
    pub(crate) fn is_exhaustive(&self, lists: u32) -> bool {
        if self.probes > 0 { self.probes >= lists } else { self.recall >= 1.0 }
    }

    /// Give the number of lists to have visited before a member is given, when the lists that this one and those before
    /// it came from were the `depth`-th visited, on average.
    ///
    /// A query that is unlike the members (a text among images) finds its neighbours in many lists. It shows in how far
    /// down the first ones are found, so the search looks further the further down they are.
    pub(crate) fn lists(&self, depth: f32) -> f32 {
        let missed = (1.0 - self.recall).max(1e-3);
        let patience = (0.6 / missed - 1.2).max(0.0);
        patience * depth + SPARE
    }
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { recall: 0.95, probes: 0, most: u32::MAX }
    }
}
