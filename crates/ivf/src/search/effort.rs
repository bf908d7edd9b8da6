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

impl Effort {
    /// Tell whether every one of so many lists is visited before the first member is given. Then the answer is to be that
    /// of an exact search, and no bound may be left to chance.
    pub(crate) fn is_exhaustive(&self, lists: u32) -> bool {
        if self.probes > 0 { self.probes >= lists } else { self.recall >= 1.0 }
    }
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { recall: 0.95, probes: 0, most: u32::MAX }
    }
}
