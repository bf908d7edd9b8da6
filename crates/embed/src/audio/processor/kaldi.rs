//! Kaldi's filter bank energies, and the three models here that read them. References: torchaudio's `compliance.kaldi.fbank`
//! with a Hann window and no dither; transformers' `ASTFeatureExtractor`; `imagebind/data.py`; LanguageBind's
//! `audio/processing_audio.py`.
//!
//! A sound shorter than one frame is filled up with zeros to one; the references fail on it.

use super::clips::{Policy, constant_clips, thirds};
use super::config::Config;
use crate::Failure;
use crate::audio::spectrum::mel::MelBank;
use crate::audio::spectrum::window::symmetric_hann;
use crate::audio::spectrum::{Spectrum, float32};
use crate::media::Features;

/// Pre-emphasis: each sample less this much of the one before.
const PREEMPHASIS: f64 = 0.97;
/// The least energy: float32's epsilon.
const FLOOR: f64 = f32::EPSILON as f64;

/// A feature extractor over Kaldi's energies.
pub struct Kaldi {
    pub rate: u32,
    pub policy: Policy,
    layout: Layout,
    /// Frames of a clip.
    frames: usize,
    mean: f32,
    deviation: f32,
    hann: Vec<f64>,
    shift: usize,
    padded: usize,
    bank: MelBank,
}

/// What a model makes of the energies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    /// AST: `[frames, bins]` of a window, zeros after a short one.
    Window,
    /// ImageBind: clips of so many seconds, each `[1, bins, frames]`.
    Clips { seconds: f64, count: usize },
    /// LanguageBind: a window of each third, `[3, bins, frames]`; a short one is repeated.
    Thirds,
}

impl Kaldi {
    /// AST's extractor.
    pub fn ast(config: &Config) -> Result<Kaldi, Failure> {
        let rate = config.rate("sampling_rate", 16_000)?;
        let (bins, frames) = (extent(config, "num_mel_bins", 128)?, extent(config, "max_length", 1024)?);
        let (mut mean, mut deviation) =
            (config.number("mean", -4.267_739_3, -1e6..=1e6)?, 2.0 * config.number("std", 4.568_997_4, 1e-6..=1e6)?);
        if !config.optional("do_normalize")?.unwrap_or(true) {
            (mean, deviation) = (0.0, 1.0);
        }
        let policy = config.optional("clip_policy")?.unwrap_or_default();
        Ok(Kaldi { policy, ..Kaldi::new(Layout::Window, rate, bins, frames, (mean, deviation)) })
    }

    /// ImageBind's clips.
    pub fn imagebind(config: &Config) -> Result<Kaldi, Failure> {
        no_policy(config)?;
        let rate = config.rate("sampling_rate", 16_000)?;
        let (bins, frames) = (extent(config, "num_mel_bins", 128)?, extent(config, "max_length", 204)?);
        let (mean, deviation) = (config.number("mean", -4.268, -1e6..=1e6)?, config.number("std", 9.138, 1e-6..=1e6)?);
        let seconds = config.number("chunk_duration", 2.0, 0.1..=60.0)?;
        if (seconds * f64::from(rate)).fract() != 0.0 {
            return Err(config.broken(format!("chunk_duration is {seconds}, which is no whole number of samples")));
        }
        let layout = Layout::Clips { seconds, count: config.whole("num_chunks", 3, 1..=32)? };
        Ok(Kaldi::new(layout, rate, bins, frames, (mean, deviation)))
    }

    /// LanguageBind's stack of three.
    pub fn languagebind(config: &Config) -> Result<Kaldi, Failure> {
        no_policy(config)?;
        let rate = config.rate("audio_sample_rate", 16_000)?;
        let (bins, frames) = (extent(config, "num_mel_bins", 112)?, extent(config, "target_length", 1036)?);
        let (mean, deviation) = (
            config.number("audio_mean", -4.267_739_3, -1e6..=1e6)?,
            config.number("audio_std", 4.568_997_4, 1e-6..=1e6)?,
        );
        Ok(Kaldi::new(Layout::Thirds, rate, bins, frames, (mean, deviation)))
    }

    fn new(layout: Layout, rate: u32, bins: usize, frames: usize, (mean, deviation): (f64, f64)) -> Kaldi {
        let length = (f64::from(rate) * 25.0 * 0.001) as usize;
        let padded = length.next_power_of_two();
        Kaldi {
            rate,
            policy: Policy::default(),
            layout,
            frames,
            mean: mean as f32,
            deviation: deviation as f32,
            hann: symmetric_hann(length),
            shift: (f64::from(rate) * 10.0 * 0.001) as usize,
            padded,
            bank: MelBank::kaldi(bins, padded, rate),
        }
    }

    /// Samples of a window of AST's.
    pub fn window(&self) -> usize {
        (self.frames - 1) * self.shift + self.hann.len()
    }

    /// Whether all of a sound is read, however long.
    pub fn reads_all(&self) -> bool {
        self.layout != Layout::Window || self.policy != Policy::First
    }

    /// The features of a sound at our rate.
    pub fn features(&self, samples: &[f32]) -> Features {
        let mut features = match self.layout {
            Layout::Window => self.windows(samples),
            Layout::Clips { seconds, count } => self.clips(samples, seconds, count),
            Layout::Thirds => self.thirds(samples),
        };
        for value in &mut features.values {
            *value = (*value - self.mean) / self.deviation;
        }
        features
    }

    fn windows(&self, samples: &[f32]) -> Features {
        let window = self.window();
        let starts = self.policy.starts(samples.len(), window);
        let mut values = Vec::new();
        for (at, start) in starts.iter().enumerate() {
            let part = samples.get(*start..).unwrap_or_default();
            self.energies(part.get(..window).unwrap_or(part), &mut values);
            values.resize((at + 1) * self.frames * self.bank.len(), 0.0);
        }
        Features {
            shape: vec![self.frames, self.bank.len()],
            clips: starts.len(),
            values,
            truncated: self.policy.truncates(samples.len(), window),
            longer: samples.len() > window,
        }
    }

    fn clips(&self, samples: &[f32], seconds: f64, count: usize) -> Features {
        let bins = self.bank.len();
        let mut values = Vec::new();
        for (start, end) in constant_clips(samples.len(), self.rate, seconds, count) {
            let mut energies = Vec::new();
            self.energies(samples.get(start..end).unwrap_or_default(), &mut energies);
            energies.resize(self.frames * bins, 0.0);
            transpose(&energies, bins, &mut values);
        }
        let covered = (seconds * count as f64 * f64::from(self.rate)) as usize;
        let truncated = samples.len() > covered;
        Features { shape: vec![1, bins, self.frames], clips: count, values, truncated, longer: false }
    }

    fn thirds(&self, samples: &[f32]) -> Features {
        let (bins, mut energies) = (self.bank.len(), Vec::new());
        self.energies(samples, &mut energies);
        let total = energies.len() / bins;
        let mut values = Vec::new();
        for start in thirds(total, self.frames) {
            let rows = energies.iter().copied().cycle().skip(start * bins).take(self.frames * bins);
            transpose(&rows.collect::<Vec<f32>>(), bins, &mut values);
        }
        let longer = total > self.frames;
        let truncated = total > 3 * self.frames;
        Features { shape: vec![3, bins, self.frames], clips: 1, values, truncated, longer }
    }

    /// Append the log energies of a sound's frames, `[frames, bins]`.
    fn energies(&self, samples: &[f32], values: &mut Vec<f32>) {
        let mut filled;
        let samples = if samples.len() < self.hann.len() {
            filled = samples.to_vec();
            filled.resize(self.hann.len(), 0.0);
            &filled
        } else {
            samples
        };
        let mut spectrum = Spectrum::new(self.padded);
        let mut centred = vec![0.0; self.hann.len()];
        for frame in samples.windows(self.hann.len()).step_by(self.shift) {
            let mean = frame.iter().map(|sample| f64::from(*sample)).sum::<f64>() / frame.len() as f64;
            for (slot, sample) in centred.iter_mut().zip(frame) {
                *slot = f64::from(*sample) - mean;
            }
            let before = centred.first().into_iter().chain(&centred);
            let emphasised = centred.iter().zip(before).map(|(sample, before)| sample - PREEMPHASIS * before);
            let power = spectrum.power(emphasised.zip(&self.hann).map(|(sample, weight)| sample * weight), false);
            values.extend(self.bank.apply(power).map(|sum| float32::ln(sum.max(FLOOR) as f32)));
        }
    }
}

/// A number of bins or frames.
fn extent(config: &Config, key: &str, default: usize) -> Result<usize, Failure> {
    config.whole(key, default, 4..=8192)
}

/// Refuse a `clip_policy` where the model has its own.
fn no_policy(config: &Config) -> Result<(), Failure> {
    match config.optional::<Policy>("clip_policy")? {
        Some(_) => Err(config.broken("clip_policy is set, but this extractor has clips of its own")),
        None => Ok(()),
    }
}

/// Append `[columns, rows]` of `[rows, columns]`.
fn transpose(rows: &[f32], columns: usize, out: &mut Vec<f32>) {
    for column in 0..columns {
        out.extend(rows.iter().skip(column).step_by(columns));
    }
}
