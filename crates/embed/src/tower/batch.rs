//! A batch being filled: how many inputs it has, and how much of it is padding. Whether another input may join is decided by who
//! fills it.

/// The share of padding that a batch may hold where nothing is known of what it costs, in percent.
pub const PADDING_PERCENT: usize = 15;

/// What is in a batch so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Inputs.
    pub count: usize,
    /// The length that all of them are padded to.
    pub longest: usize,
    /// The sum of their own lengths.
    total: usize,
}

/// Whether a batch may grow from what it is to what it would be with one more input.
pub type Joins<'a> = &'a dyn Fn(Load, Load) -> bool;

impl Load {
    /// Take an input of `length` in if it may join; an input alone always fits.
    pub fn take(&mut self, length: usize, joins: Joins<'_>) -> bool {
        let next = self.with(length);
        let fits = self.count == 0 || joins(*self, next);
        if fits {
            *self = next;
        }
        fits
    }

    /// The batch with one more input, of `length`.
    pub fn with(self, length: usize) -> Load {
        Load { count: self.count + 1, longest: self.longest.max(length), total: self.total.saturating_add(length) }
    }

    /// The length of the input that this batch has beyond those of `before`.
    pub fn joined(self, before: Load) -> usize {
        self.total.saturating_sub(before.total)
    }

    /// Whether the padding is within [`PADDING_PERCENT`].
    pub fn padded_little(self) -> bool {
        let padded = self.longest.saturating_mul(self.count);
        (padded - self.total).saturating_mul(100) <= padded.saturating_mul(PADDING_PERCENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_input_always_fits_and_a_refusal_changes_nothing() {
        let joins = |_: Load, next: Load| next.count * next.longest <= 512 && next.padded_little();
        let mut long = Load::default();
        assert!(long.take(5120, &joins));
        assert!(!long.take(1, &joins));
        let mut short = Load::default();
        assert_eq!((0..1000).filter(|_| short.take(8, &joins)).count(), 512 / 8);
        let mut mixed = Load::default();
        assert!(mixed.take(10, &joins));
        assert!(mixed.take(13, &joins), "3 of 26 are padding");
        assert!(!mixed.take(20, &joins), "17 of 60 would be padding");
        assert!(mixed.take(12, &joins), "a refusal changes nothing");
    }
}
