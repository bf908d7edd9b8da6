//! Feature extractors, chosen by the name that a tower's file has for its own: `feature_extractor_type`.

mod clap;
mod clips;
mod config;
mod kaldi;
mod whisper;

use std::path::Path;

use super::channels::Mix;
use super::resample::Resampler;
use super::sound::Reach;
use crate::Failure;
use crate::media::Features;
use clap::Clap;
use clips::Policy;
use config::Config;
use kaldi::Kaldi;
use whisper::Whisper;

/// The extractors that are known, for messages.
const KNOWN: &str = "ClapFeatureExtractor, WhisperFeatureExtractor, ASTFeatureExtractor, ImageBindFeatureExtractor and \
                     LanguageBindAudioProcessor";

/// From samples at the model's rate to its features.
pub enum Processor {
    Clap(Clap),
    Whisper(Whisper),
    Kaldi(Kaldi),
}

/// A tower's extractor, and how a sound comes to its rate.
pub struct Recipe {
    pub processor: Processor,
    /// The key `channels`, `mean` or `first`; by default as the model's own code has it.
    pub mix: Mix,
    /// The key `resampler`, `torchaudio` or `soxr`; by default as the model's own code has it.
    pub resampler: Resampler,
}

impl Recipe {
    /// Read a tower's files.
    pub fn read(tower: &Path) -> Result<Recipe, Failure> {
        Recipe::new(&Config::read(tower)?)
    }

    fn new(config: &Config) -> Result<Recipe, Failure> {
        let Some(name) = config.optional::<String>("feature_extractor_type")? else {
            return Err(config.broken(format!("feature_extractor_type is missing; right would be one of {KNOWN}")));
        };
        let load_audio = (Mix::Mean, Resampler::Soxr);
        let torchaudio = (Mix::First, Resampler::Torchaudio);
        let (processor, (mix, resampler)) = match name.as_str() {
            "ClapFeatureExtractor" => (Processor::Clap(Clap::new(config)?), load_audio),
            "WhisperFeatureExtractor" => (Processor::Whisper(Whisper::new(config)?), load_audio),
            "ASTFeatureExtractor" => (Processor::Kaldi(Kaldi::ast(config)?), load_audio),
            "ImageBindFeatureExtractor" => (Processor::Kaldi(Kaldi::imagebind(config)?), torchaudio),
            "LanguageBindAudioProcessor" => (Processor::Kaldi(Kaldi::languagebind(config)?), torchaudio),
            _ => {
                let why = format!("feature_extractor_type {name} is not known; right would be one of {KNOWN}");
                return Err(config.broken(why));
            }
        };
        Ok(Recipe {
            processor,
            mix: config.optional("channels")?.unwrap_or(mix),
            resampler: config.optional("resampler")?.unwrap_or(resampler),
        })
    }

    /// How much of a sound is needed.
    pub fn reach(&self) -> Reach {
        let (window, rate) = match &self.processor {
            Processor::Clap(clap) if !clap.reads_all() => (clap.window, clap.rate),
            Processor::Whisper(whisper) if whisper.policy == Policy::First => (whisper.window, whisper.rate),
            Processor::Kaldi(kaldi) if !kaldi.reads_all() => (kaldi.window(), kaldi.rate),
            _ => return Reach::Whole,
        };
        // What the last sample depends on, and enough beyond it to know that the sound goes on.
        Reach::First(window as f64 / f64::from(rate) + self.resampler.lookahead() + 0.5)
    }
}

impl Processor {
    /// Samples a second that the model hears.
    pub fn rate(&self) -> u32 {
        match self {
            Processor::Clap(clap) => clap.rate,
            Processor::Whisper(whisper) => whisper.rate,
            Processor::Kaldi(kaldi) => kaldi.rate,
        }
    }

    /// The features of a sound at that rate, which has at least one sample.
    pub fn features(&self, samples: &[f32]) -> Features {
        match self {
            Processor::Clap(clap) => clap.features(samples),
            Processor::Whisper(whisper) => whisper.features(samples),
            Processor::Kaldi(kaldi) => kaldi.features(samples),
        }
    }
}

#[cfg(test)]
mod tests;
