//! Which inputs may share a batch: of like length, and few enough that a batch is soon over.

/// Padded tokens of one batch at the most: about 100 ms on two cores with the default pack.
pub const BATCH_TOKENS: usize = 512;

/// The share of padding that a batch may hold, in percent.
pub const PADDING_PERCENT: usize = 15;

/// A batch being filled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    count: usize,
    longest: usize,
    tokens: usize,
}

impl Load {
    /// Take an input of `length` tokens in if the bounds hold with it; an input alone always fits.
    pub fn take(&mut self, length: usize) -> bool {
        let next = Load {
            count: self.count + 1,
            longest: self.longest.max(length),
            tokens: self.tokens.saturating_add(length),
        };
        let fits = self.count == 0 || next.within_bounds();
        if fits {
            *self = next;
        }
        fits
    }

    fn within_bounds(self) -> bool {
        let padded = self.longest.saturating_mul(self.count);
        padded <= BATCH_TOKENS && (padded - self.tokens) * 100 <= padded * PADDING_PERCENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept_and_one_input_always_fits() {
        let mut long = Load::default();
        assert!(long.take(10 * BATCH_TOKENS));
        assert!(!long.take(1));
        let mut short = Load::default();
        assert_eq!((0..1000).filter(|_| short.take(8)).count(), BATCH_TOKENS / 8);
        let mut mixed = Load::default();
        assert!(mixed.take(10));
        assert!(mixed.take(13), "3 of 26 are padding");
        assert!(!mixed.take(20), "17 of 60 would be padding");
        assert!(mixed.take(12), "a refusal changes nothing");
    }
}
