//! From the bytes of a file to features, for sounds: decoding, resampling, and features as the reference implementation makes them.

use std::path::Path;

use crate::Failure;
use crate::media::Features;

/// A tower's preprocessor.
pub struct Preprocessor;

impl Preprocessor {
    /// Read the preprocessor_config.json of a tower's folder.
    pub fn read(tower: &Path) -> Result<Preprocessor, Failure> {
        Err(Failure::pack(format!("{}: not supported", tower.display())))
    }

    /// Decode and preprocess one file.
    pub fn prepare(&self, _file: &[u8]) -> Result<Features, Failure> {
        Err(Failure::internal("not supported"))
    }
}
