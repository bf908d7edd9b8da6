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

/// How far down the answers of a query are looked for, in an index of so many lists, and how that grows with the lists:
/// as the lists do that a fixed number of probes needs for equal recall.
const DEEP: f32 = 5.0;
const LISTS: f32 = 256.0;
const GROWTH: f32 = 0.4;

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

    /// Give the number of lists, of `lists` that there are, after which a search by recall gives what it has found,
    /// wherever its answers were: the few queries that the rule would send through the whole index take most of the
    /// time of all, and find little more.
    pub(crate) fn enough(&self, lists: u32) -> f32 {
        if self.recall >= 1.0 {
            return f32::INFINITY;
        }
        self.lists(DEEP * (lists as f32 / LISTS).powf(GROWTH))
    }
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { recall: 0.95, probes: 0, most: u32::MAX }
    }
}

#[cfg(test)]
mod tests {
    //! Guards the end of a search: too early for its recall, never where all lists are to be visited, or no end at all.

    use super::*;

    #[test]
    fn there_is_an_end_that_goes_up_with_recall_and_with_lists() {
        let enough = |recall, lists| Effort { recall, ..Effort::default() }.enough(lists);
        for lists in [1, 10, 262, 5000] {
            let rising = [0.5, 0.8, 0.9, 0.95, 0.98, 0.999].map(|recall| enough(recall, lists));
            assert!(rising.is_sorted() && rising.iter().all(|enough| *enough >= 1.0), "{rising:?}");
            assert_eq!(enough(1.0, lists), f32::INFINITY);
        }
        assert!(enough(0.95, 5000) > 2.0 * enough(0.95, 262) && enough(0.95, 262) > 40.0);
    }
}
