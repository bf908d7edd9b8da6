//! How times of two sides compare: ratios of blocks, their interval, and what is beyond the noise.

use crate::rate::median;

/// Blocks that are left out at either end of an interval.
const BEYOND: usize = 2;

/// One side's time over another's.
#[derive(Clone, Copy)]
pub struct Ratio {
    /// The median of the blocks.
    pub middle: f64,
    /// The interval of the median.
    pub least: f64,
    pub most: f64,
}

impl Ratio {
    /// Whether it is above 1 with all of its interval, by more than the noise.
    pub fn is_faster(&self, noise: f64) -> bool {
        self.least > 1.0 + noise
    }

    /// Whether it is below 1 with all of its interval, by more than the noise.
    pub fn is_slower(&self, noise: f64) -> bool {
        self.most * (1.0 + noise) < 1.0
    }
}

/// Divide the times of one side by another's, block by block; none if either has no times.
pub fn ratio(blocks: &[Vec<f64>], above: usize, below: usize) -> Option<Ratio> {
    let ratios: Option<Vec<f64>> = blocks.iter().map(|times| Some(times.get(above)? / times.get(below)?)).collect();
    let mut ratios = ratios?;
    ratios.sort_by(f64::total_cmp);
    let least = *ratios.get(BEYOND)?;
    let most = *ratios.get(ratios.len().checked_sub(1 + BEYOND)?)?;
    Some(Ratio { middle: median(&ratios), least, most })
}

/// How far from 1 are 95 of 100 of these ratios of a side to itself.
pub fn noise<'a>(ratios: impl Iterator<Item = &'a Ratio>) -> f64 {
    let away: Vec<f64> = ratios.map(|ratio| ratio.middle.max(1.0 / ratio.middle) - 1.0).collect();
    crate::rate::percentile(&away, 95)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(ratios: &[f64]) -> Vec<Vec<f64>> {
        ratios.iter().map(|ratio| vec![10.0, 10.0 * ratio]).collect()
    }

    #[test]
    fn one_disturbed_block_is_outside_of_the_interval() {
        let ratio = ratio(&blocks(&[1.5, 1.6, 0.1, 1.5, 1.4, 99.0, 1.5]), 1, 0).expect("two sides");
        assert_eq!((ratio.least, ratio.middle, ratio.most), (1.5, 1.5, 1.5));
        assert!(super::ratio(&blocks(&[1.0; 12]), 1, 2).is_none(), "there is no third side");
        assert!(super::ratio(&blocks(&[1.0; 2]), 1, 0).is_none(), "too few blocks");
    }

    #[test]
    fn what_is_within_the_noise_is_level() {
        let ratio = |least, most| Ratio { middle: (least + most) / 2.0, least, most };
        assert!(ratio(0.90, 0.95).is_slower(0.01) && !ratio(0.90, 0.95).is_slower(0.06));
        assert!(ratio(1.05, 1.10).is_faster(0.01) && !ratio(1.05, 1.10).is_faster(0.06));
        assert!(!ratio(0.9, 1.01).is_slower(0.0) && !ratio(0.9, 1.01).is_faster(0.0));
        let itself = [ratio(0.98, 0.98), ratio(1.0, 1.0), ratio(1.01, 1.01)];
        assert!((noise(itself.iter()) - 0.0204).abs() < 1e-4);
    }
}
