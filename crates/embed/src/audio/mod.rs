//! From the bytes of a file to features, for sounds: decoding, resampling, and features as the reference implementation makes them.

mod channels;
mod decode;
mod limits;
mod processor;
mod resample;
mod sound;
mod spectrum;

use std::path::Path;

use vw_protocol::ErrorCode;

use crate::Failure;
use crate::media::Features;
pub use channels::Mix;
pub use decode::decode;
pub use limits::Limits;
use processor::Recipe;
pub use resample::Resampler;
pub use sound::{Reach, Sound};

/// A tower's preprocessor.
pub struct Preprocessor {
    recipe: Recipe,
    limits: Limits,
}

impl Preprocessor {
    /// Read the processor_config.json or preprocessor_config.json of a tower's folder; a broken pack where its extractor is not
    /// known or its keys are out of range.
    pub fn read(tower: &Path) -> Result<Preprocessor, Failure> {
        Ok(Preprocessor { recipe: Recipe::read(tower)?, limits: Limits::DEFAULT })
    }

    /// Decode and preprocess one file; [`ErrorCode::BadInput`] where it is no sound within [`Limits::DEFAULT`].
    pub fn prepare(&self, file: &[u8]) -> Result<Features, Failure> {
        let sound = decode(file, &self.limits, self.recipe.mix, self.recipe.reach())?;
        self.features(sound)
    }

    /// The features of a decoded sound.
    pub fn features(&self, sound: Sound) -> Result<Features, Failure> {
        let rate = self.recipe.processor.rate();
        let samples = sound.samples.len() as u64 * u64::from(rate) / u64::from(sound.rate.max(1));
        if samples > self.limits.samples as u64 {
            let message =
                format!("the audio has {samples} samples at the model's {rate} Hz, which is too many to hold");
            return Err(Failure::new(ErrorCode::BadInput, message).hint("use a shorter sound"));
        }
        let samples = self.recipe.resampler.resample(sound.samples, sound.rate, rate);
        let features = self.recipe.processor.features(&samples);
        if features.values.iter().any(|value| !value.is_finite()) {
            return Err(Failure::new(ErrorCode::BadInput, "the audio has samples that are too large"));
        }
        Ok(features)
    }
}
