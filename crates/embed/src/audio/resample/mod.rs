//! From one sample rate to another. Two ways, since models were trained on two: torchaudio's short kernel and the long one of
//! libsoxr's "HQ". No choice is made here.

mod soxr;
mod torchaudio;

use serde::Deserialize;

/// Whose resampling a preprocessor wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resampler {
    /// `torchaudio.functional.resample` with its defaults.
    Torchaudio,
    /// `soxr.resample(…, quality="soxr_hq")`, which transformers' `load_audio` and librosa use.
    Soxr,
}

impl Resampler {
    /// Resample `samples` from `old` to `new` samples a second; `ceil(samples * new / old)` samples come out.
    pub fn resample(self, samples: Vec<f32>, old: u32, new: u32) -> Vec<f32> {
        let ratio = Ratio::new(old, new);
        match self {
            _ if ratio.old == ratio.new => samples,
            Resampler::Torchaudio => torchaudio::resample(&samples, ratio),
            Resampler::Soxr => soxr::resample(samples, ratio),
        }
    }

    /// Seconds of input beyond a result's end that it depends on, at most, for rates of 1 kHz and more.
    pub fn lookahead(self) -> f64 {
        match self {
            Resampler::Torchaudio => 0.01,
            Resampler::Soxr => 0.1,
        }
    }
}

/// Two rates without their common factor.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    old: usize,
    new: usize,
}

impl Ratio {
    fn new(old: u32, new: u32) -> Ratio {
        let (mut a, mut b) = (old.max(1), new.max(1));
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Ratio { old: (old.max(1) / a) as usize, new: (new.max(1) / a) as usize }
    }

    /// Samples that come out of `count`.
    fn length(self, count: usize) -> usize {
        (count * self.new).div_ceil(self.old)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_up() {
        for (old, new, count, expected) in
            [(44_100, 16_000, 441, 160), (44_100, 16_000, 442, 161), (8_000, 48_000, 1, 6)]
        {
            for resampler in [Resampler::Torchaudio, Resampler::Soxr] {
                assert_eq!(resampler.resample(vec![0.5; count], old, new).len(), expected);
            }
        }
    }

    #[test]
    fn the_same_rate_changes_nothing() {
        let samples = vec![0.1, -0.2, 0.3];
        assert_eq!(Resampler::Soxr.resample(samples.clone(), 48_000, 48_000), samples);
    }

    #[test]
    fn a_constant_stays_one_inside() {
        for (old, new) in [(44_100, 16_000), (16_000, 48_000), (44_101, 48_000), (11_025, 8_000)] {
            for (resampler, tolerance) in [(Resampler::Torchaudio, 2e-3), (Resampler::Soxr, 2e-6)] {
                let out = resampler.resample(vec![1.0; 20_000], old, new);
                let worst = out.iter().skip(2_000).take(2_000).map(|x| (x - 1.0f32).abs()).fold(0.0, f32::max);
                assert!(worst < tolerance, "{resampler:?} {old} to {new}: {worst}");
            }
        }
    }

    /// Two rates without a common factor have as many phases as the new rate: memory and time must not grow with them.
    #[test]
    fn rates_without_a_common_factor_are_resampled_too() {
        for resampler in [Resampler::Torchaudio, Resampler::Soxr] {
            assert_eq!(resampler.resample(vec![0.5; 4_000], 191_999, 47_999).len(), 1_000);
        }
    }
}
