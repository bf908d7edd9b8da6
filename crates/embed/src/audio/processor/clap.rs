//! CLAP's features: log-mel frames of ten seconds at 48 kHz, in decibels. Reference: transformers'
//! `ClapFeatureExtractor`, in its two ways.
//!
//! `truncation: "rand_trunc"` (models without fusion) gives `[1, frames, bins]` of a window; the reference draws a long sound's
//! window at random, here `clip_policy` decides. `truncation: "fusion"` gives `[4, frames, bins]`: of a long sound, all of it
//! shrunk to a window and a window of each third (their first ones; the reference draws them), else one spectrum four times.
//! A sound is `longer` where it has more frames than a window, and not otherwise; the reference marks one sound of a batch
//! at random where none is longer.

use serde::Deserialize;

use super::clips::{Policy, thirds};
use super::config::Config;
use crate::Failure;
use crate::audio::spectrum::mel::{Band, MelBank, Scale};
use crate::audio::spectrum::window::periodic_hann;
use crate::audio::spectrum::{Spectrum, reflect};
use crate::media::Features;

/// A CLAP feature extractor.
pub struct Clap {
    pub rate: u32,
    /// Samples of a window.
    pub window: usize,
    pub policy: Policy,
    truncation: Truncation,
    padding: Padding,
    hop: usize,
    hann: Vec<f64>,
    bank: MelBank,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Truncation {
    RandTrunc,
    Fusion,
}

/// What fills up a short sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Padding {
    /// Repetitions that fit, then zeros.
    RepeatPad,
    /// Repetitions, the last one cut.
    Repeat,
    /// Zeros.
    Pad,
}

impl Clap {
    /// Read the keys, with the reference's defaults.
    pub fn new(config: &Config) -> Result<Clap, Failure> {
        let rate = config.rate("sampling_rate", 48_000)?;
        let fft = config.whole("fft_window_size", 1024, 16..=65_536)?;
        let bins = config.whole("feature_size", 64, 1..=1024)?;
        let seconds = config.whole("max_length_s", 10, 1..=600)?;
        let low = config.number("frequency_min", 0.0, 0.0..=f64::from(rate / 2))?;
        let high = config.number("frequency_max", 14_000.0, low..=f64::from(rate / 2))?;
        let truncation = config.optional("truncation")?.unwrap_or(Truncation::Fusion);
        if truncation == Truncation::Fusion && config.optional::<Policy>("clip_policy")?.is_some() {
            return Err(
                config.broken("clip_policy is for truncation \"rand_trunc\"; fusion hears a long sound as a whole")
            );
        }
        if config.optional::<f64>("top_db")?.is_some() {
            return Err(config.broken("top_db is set, which the reference reads and never uses; right would be null"));
        }
        let scale = if truncation == Truncation::Fusion { Scale::Htk } else { Scale::Slaney };
        Ok(Clap {
            rate,
            window: seconds * rate as usize,
            policy: config.optional("clip_policy")?.unwrap_or_default(),
            truncation,
            padding: config.optional("padding")?.unwrap_or(Padding::RepeatPad),
            hop: config.whole("hop_length", 480, rate as usize / 1000..=rate as usize)?,
            hann: periodic_hann(fft),
            bank: MelBank::triangles(bins, fft / 2 + 1, rate, Band { low, high }, scale),
        })
    }

    /// Whether all of a sound is read, however long.
    pub fn reads_all(&self) -> bool {
        self.truncation == Truncation::Fusion || self.policy != Policy::First
    }

    /// The features of a sound at our rate.
    pub fn features(&self, samples: &[f32]) -> Features {
        match self.truncation {
            Truncation::RandTrunc => self.windows(samples),
            Truncation::Fusion => self.fused(samples),
        }
    }

    fn windows(&self, samples: &[f32]) -> Features {
        let starts = self.policy.starts(samples.len(), self.window);
        let mut spectrum = Spectrum::new(self.hann.len());
        let mut values = Vec::new();
        for start in &starts {
            let window = samples.iter().skip(*start).take(self.window).copied();
            values.extend(self.mel(&self.fill(window.collect()), &mut spectrum));
        }
        Features {
            shape: vec![1, self.window / self.hop + 1, self.bank.len()],
            clips: starts.len(),
            values,
            truncated: self.policy.truncates(samples.len(), self.window),
            longer: samples.len() > self.window,
        }
    }

    fn fused(&self, samples: &[f32]) -> Features {
        let mut spectrum = Spectrum::new(self.hann.len());
        let (frames, bins) = (self.window / self.hop + 1, self.bank.len());
        let mel = self.mel(&self.fill(samples.to_vec()), &mut spectrum);
        let total = mel.len() / bins;
        let longer = total > frames;
        let values = if longer {
            let mut values = shrink(&mel, total, frames, bins);
            for start in thirds(total, frames) {
                values.extend(mel.iter().skip(start * bins).take(frames * bins));
            }
            values
        } else {
            mel.repeat(4)
        };
        Features { shape: vec![4, frames, bins], clips: 1, values, truncated: false, longer }
    }

    /// Fill a sound up to a window; a longer one stays as it is.
    fn fill(&self, mut samples: Vec<f32>) -> Vec<f32> {
        let length = samples.len();
        if length == 0 || length >= self.window {
            return samples;
        }
        match self.padding {
            Padding::RepeatPad => samples = samples.repeat(self.window / length),
            Padding::Repeat => samples = samples.repeat(self.window / length + 1),
            Padding::Pad => {}
        }
        samples.resize(self.window, 0.0);
        samples
    }

    /// The log-mel frames of a sound, `[frames, bins]`, in decibels of 1.
    fn mel(&self, samples: &[f32], spectrum: &mut Spectrum) -> Vec<f32> {
        let padded = reflect(samples, self.hann.len() / 2);
        let mut values = Vec::with_capacity((samples.len() / self.hop + 1) * self.bank.len());
        for frame in padded.windows(self.hann.len()).step_by(self.hop) {
            let windowed = frame.iter().zip(&self.hann).map(|(sample, weight)| f64::from(*sample) * weight);
            let power = spectrum.power(windowed, true);
            values.extend(self.bank.apply(power).map(|sum| (10.0 * sum.max(1e-10).log10()) as f32));
        }
        values
    }
}

/// Bilinear interpolation of `total` frames to `frames`, as `torch.nn.functional.interpolate` does it with
/// `align_corners=False`: in float32, places included, which it computes with fused multiplication and addition.
fn shrink(mel: &[f32], total: usize, frames: usize, bins: usize) -> Vec<f32> {
    let scale = total as f32 / frames as f32;
    let mut values = Vec::with_capacity(4 * frames * bins);
    for frame in 0..frames {
        let place = scale.mul_add(frame as f32 + 0.5, -0.5).max(0.0);
        let below = (place as usize).min(total - 1);
        let above = (below + 1).min(total - 1);
        let share = (place - below as f32).clamp(0.0, 1.0);
        let row = |at: usize| mel.iter().skip(at * bins).take(bins);
        values.extend(row(below).zip(row(above)).map(|(low, high)| (1.0 - share) * low + share * high));
    }
    values
}
