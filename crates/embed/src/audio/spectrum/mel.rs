//! Banks of triangular filters on a mel scale, and their sums over a power spectrum.
//!
//! References: transformers' `audio_utils.mel_filter_bank` (after torchaudio and librosa) and torchaudio's
//! `compliance.kaldi.get_mel_banks`. Most of such a matrix is zero, so each filter keeps its own span only.

use super::float32;

/// A bank of filters over the bins of a power spectrum.
pub struct MelBank {
    filters: Vec<Filter>,
}

/// One filter: its first bin, and the weights from there on.
struct Filter {
    first: usize,
    weights: Vec<f64>,
}

/// Which formula the mel scale has, and whether filters have equal areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// 2595 log10(1 + f/700), filters of height one.
    Htk,
    /// Slaney's Auditory Toolbox: linear up to 1 kHz and logarithmic above, filters of equal area.
    Slaney,
}

/// The least and greatest frequency of a bank, in hertz.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    pub low: f64,
    pub high: f64,
}

impl MelBank {
    /// `count` filters whose triangles are in hertz, over the `bins` of a spectrum of sounds with `rate` samples a second.
    pub fn triangles(count: usize, bins: usize, rate: u32, band: Band, scale: Scale) -> MelBank {
        let corners: Vec<f64> = linspace(scale.mel(band.low), scale.mel(band.high), count + 2)
            .into_iter()
            .map(|mel| scale.hertz(mel))
            .collect();
        let centres = linspace(0.0, f64::from(rate / 2), bins);
        let filters = corners.windows(3).map(|corner| {
            let &[left, centre, right] = corner else { return Filter::none() };
            let area = if scale == Scale::Slaney { 2.0 / (right - left) } else { 1.0 };
            Filter::new(centres.iter().map(|bin| {
                let up = (bin - left) / (centre - left);
                let down = (right - bin) / (right - centre);
                up.min(down).max(0.0) * area
            }))
        });
        MelBank { filters: filters.collect() }
    }

    /// Kaldi's bank: triangles in mel space from 20 Hz to Nyquist, no weight on the Nyquist bin. Computed in float32, as
    /// torchaudio's: a weight near a triangle's foot is a small difference of large numbers.
    pub fn kaldi(count: usize, padded: usize, rate: u32) -> MelBank {
        let low = kaldi_mel(20.0);
        let delta = (kaldi_mel(f64::from(rate) / 2.0) - low) / (count as f64 + 1.0);
        let (low, delta) = (low as f32, delta as f32);
        let width = (f64::from(rate) / padded as f64) as f32;
        let filters = (0..count).map(|filter| {
            let left = low + filter as f32 * delta;
            let centre = low + (filter as f32 + 1.0) * delta;
            let right = low + (filter as f32 + 2.0) * delta;
            Filter::new((0..padded / 2).map(|bin| {
                let mel = 1127.0f32 * float32::ln(1.0 + width * bin as f32 / 700.0);
                let up = (mel - left) / (centre - left);
                let down = (right - mel) / (right - centre);
                f64::from(up.min(down).max(0.0))
            }))
        });
        MelBank { filters: filters.collect() }
    }

    /// How many filters there are.
    pub fn len(&self) -> usize {
        self.filters.len()
    }

    /// Each filter's sum over a power spectrum.
    pub fn apply<'a>(&'a self, power: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.filters.iter().map(|filter| filter.sum(power))
    }
}

impl Filter {
    fn none() -> Filter {
        Filter { first: 0, weights: Vec::new() }
    }

    /// Keep the span from the first to the last weight that is not zero.
    fn new(weights: impl Iterator<Item = f64>) -> Filter {
        let mut weights: Vec<f64> = weights.collect();
        let first = weights.iter().position(|weight| *weight > 0.0).unwrap_or(weights.len());
        weights.drain(..first);
        let last = weights.iter().rposition(|weight| *weight > 0.0).map_or(0, |last| last + 1);
        weights.truncate(last);
        Filter { first, weights }
    }

    fn sum(&self, power: &[f64]) -> f64 {
        let span = power.get(self.first..).unwrap_or_default();
        self.weights.iter().zip(span).map(|(weight, power)| weight * power).sum()
    }
}

impl Scale {
    fn mel(self, hertz: f64) -> f64 {
        match self {
            Scale::Htk => 2595.0 * (1.0 + hertz / 700.0).log10(),
            Scale::Slaney if hertz < 1000.0 => 3.0 * hertz / 200.0,
            Scale::Slaney => 15.0 + (hertz / 1000.0).ln() * (27.0 / 6.4f64.ln()),
        }
    }

    fn hertz(self, mel: f64) -> f64 {
        match self {
            Scale::Htk => 700.0 * (10f64.powf(mel / 2595.0) - 1.0),
            Scale::Slaney if mel < 15.0 => 200.0 * mel / 3.0,
            Scale::Slaney => 1000.0 * ((mel - 15.0) * (6.4f64.ln() / 27.0)).exp(),
        }
    }
}

fn kaldi_mel(hertz: f64) -> f64 {
    1127.0 * (1.0 + hertz / 700.0).ln()
}

/// `count` numbers from `from` to `to`, both included.
fn linspace(from: f64, to: f64, count: usize) -> Vec<f64> {
    let step = (to - from) / (count as f64 - 1.0);
    (0..count).map(|at| if at + 1 == count { to } else { from + at as f64 * step }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_their_own_inverse() {
        for scale in [Scale::Htk, Scale::Slaney] {
            for hertz in [0.0, 440.0, 999.9, 1000.0, 8000.0] {
                assert!((scale.hertz(scale.mel(hertz)) - hertz).abs() < 1e-9, "{scale:?} {hertz}");
            }
        }
    }

    #[test]
    fn a_filter_keeps_only_its_span() {
        let bank = MelBank::triangles(64, 513, 48_000, Band { low: 0.0, high: 14_000.0 }, Scale::Slaney);
        assert_eq!(bank.len(), 64);
        let kept: usize = bank.filters.iter().map(|filter| filter.weights.len()).sum();
        assert!(kept < 2 * 513, "{kept}");
        assert!(bank.apply(&[0.0; 513]).all(|sum| sum == 0.0));
    }
}
