//! Which inputs may share a batch: of like length, and few enough that a batch is soon over.

/// The share of padding that a batch may hold, in percent.
pub const PADDING_PERCENT: usize = 15;

/// A batch being filled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Load {
    count: usize,
    longest: usize,
    total: usize,
}

impl Load {
    /// Take an input of `length` in if the bounds hold with it; an input alone always fits.
    ///
    /// `most` tells how many inputs of one length a batch may have.
    pub fn take(&mut self, length: usize, most: &dyn Fn(usize) -> usize) -> bool {
        let next =
            Load { count: self.count + 1, longest: self.longest.max(length), total: self.total.saturating_add(length) };
        let fits = self.count == 0 || next.count <= most(next.longest) && next.padded_little();
        if fits {
            *self = next;
        }
        fits
    }

    fn padded_little(self) -> bool {
        let padded = self.longest.saturating_mul(self.count);
        (padded - self.total).saturating_mul(100) <= padded.saturating_mul(PADDING_PERCENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept_and_one_input_always_fits() {
        let most = |length: usize| 512 / length;
        let mut long = Load::default();
        assert!(long.take(5120, &most));
        assert!(!long.take(1, &most));
        let mut short = Load::default();
        assert_eq!((0..1000).filter(|_| short.take(8, &most)).count(), 512 / 8);
        let mut mixed = Load::default();
        assert!(mixed.take(10, &most));
        assert!(mixed.take(13, &most), "3 of 26 are padding");
        assert!(!mixed.take(20, &most), "17 of 60 would be padding");
        assert!(mixed.take(12, &most), "a refusal changes nothing");
    }
}
