//! Whisper's features: log-mel frames of a fixed window, within eight orders of magnitude of the loudest. Reference: the numpy
//! path of transformers' `WhisperFeatureExtractor`.
//!
//! Everything about it is a key of its file, so that a small tower may have three seconds and 64 bins as well as Whisper's
//! thirty and 80 or 128. The bank ends at 8 kHz whatever the rate, as the reference's does.

use super::clips::Policy;
use super::config::Config;
use crate::Failure;
use crate::audio::spectrum::mel::{Band, MelBank, Scale};
use crate::audio::spectrum::window::periodic_hann;
use crate::audio::spectrum::{Spectrum, reflect};
use crate::media::Features;

/// A Whisper feature extractor.
pub struct Whisper {
    pub rate: u32,
    /// Samples of a window.
    pub window: usize,
    pub policy: Policy,
    padding_value: f32,
    hop: usize,
    hann: Vec<f64>,
    bank: MelBank,
}

impl Whisper {
    /// Read the keys, with the reference's defaults.
    pub fn new(config: &Config) -> Result<Whisper, Failure> {
        let rate = config.rate("sampling_rate", 16_000)?;
        let fft = config.whole("n_fft", 400, 16..=65_536)?;
        let bins = config.whole("feature_size", 80, 1..=1024)?;
        let seconds = config.number("chunk_length", 30.0, 0.01..=600.0)?;
        let window = (seconds * f64::from(rate)).round() as usize;
        let hop = config.whole("hop_length", 160, (rate as usize / 1000).max(1)..=rate as usize)?;
        if window < fft || window < hop {
            return Err(config.broken(format!("chunk_length is {seconds}, which is less than one frame")));
        }
        if config.optional::<f64>("dither")?.unwrap_or(0.0) != 0.0 {
            return Err(config.broken("dither adds random noise; right would be 0"));
        }
        Ok(Whisper {
            rate,
            window,
            policy: config.optional("clip_policy")?.unwrap_or_default(),
            padding_value: config.number("padding_value", 0.0, -1.0..=1.0)? as f32,
            hop,
            hann: periodic_hann(fft),
            bank: MelBank::triangles(bins, fft / 2 + 1, rate, Band { low: 0.0, high: 8_000.0 }, Scale::Slaney),
        })
    }

    /// The features of a sound at our rate.
    pub fn features(&self, samples: &[f32]) -> Features {
        let starts = self.policy.starts(samples.len(), self.window);
        let mut spectrum = Spectrum::new(self.hann.len());
        let mut values = Vec::new();
        for start in &starts {
            let mut window: Vec<f32> = samples.iter().skip(*start).take(self.window).copied().collect();
            window.resize(self.window, self.padding_value);
            self.append(&window, &mut spectrum, &mut values);
        }
        Features {
            shape: vec![self.bank.len(), self.window / self.hop],
            clips: starts.len(),
            values,
            truncated: self.policy.truncates(samples.len(), self.window),
            longer: samples.len() > self.window,
        }
    }

    /// Append one window's `[bins, frames]`. The last frame, centred on the window's end, is left out.
    fn append(&self, window: &[f32], spectrum: &mut Spectrum, values: &mut Vec<f32>) {
        let frames = self.window / self.hop;
        let padded = reflect(window, self.hann.len() / 2);
        let start = values.len();
        values.resize(start + frames * self.bank.len(), 0.0);
        let added = values.get_mut(start..).unwrap_or_default();
        for (at, frame) in padded.windows(self.hann.len()).step_by(self.hop).take(frames).enumerate() {
            let windowed = frame.iter().zip(&self.hann).map(|(sample, weight)| f64::from(*sample) * weight);
            let sums = self.bank.apply(spectrum.power(windowed, true));
            for (slot, sum) in added.iter_mut().skip(at).step_by(frames).zip(sums) {
                *slot = sum.max(1e-10).log10() as f32;
            }
        }
        let floor = added.iter().copied().fold(f32::NEG_INFINITY, f32::max) - 8.0;
        for value in added {
            *value = (value.max(floor) + 4.0) / 4.0;
        }
    }
}
