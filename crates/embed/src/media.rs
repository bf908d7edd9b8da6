//! What a picture or a sound becomes before its tower's graph reads it, and who makes it so.

use std::path::Path;

use vw_protocol::Modality;

use crate::Failure;

/// A decoded and preprocessed input: float32, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// One clip's extents, without the batch axis: `[3, height, width]`, `[1, frames, bins]`, and so on.
    pub shape: Vec<usize>,
    /// Clips, whose embeddings are averaged; 1 for most preprocessors. `values` has `clips` times the shape's product.
    pub clips: usize,
    pub values: Vec<f32>,
    /// Whether the input went on beyond what the preprocessor reads.
    pub truncated: bool,
    /// Whether a sound is longer than a model's window: what graphs with CLAP's feature fusion read as `is_longer`.
    pub longer: bool,
}

/// Turns a file's bytes into a tower's features; `tower` is the folder with the preprocessor_config.json.
pub trait Prepare: Send + Sync {
    /// Decode and preprocess one file; [`vw_protocol::ErrorCode::BadInput`] where the file is at fault.
    fn prepare(&self, modality: Modality, tower: &Path, file: &[u8]) -> Result<Features, Failure>;

    /// As [`Prepare::prepare`]; where the work can be given up, it is once `alive` says no.
    fn prepare_while(
        &self,
        modality: Modality,
        tower: &Path,
        file: &[u8],
        _alive: &dyn Fn() -> bool,
    ) -> Result<Features, Failure> {
        self.prepare(modality, tower, file)
    }
}

/// Prepares on the caller's thread, with no fence around the decoders: for files that are trusted.
pub struct Inline;

impl Prepare for Inline {
    fn prepare(&self, modality: Modality, tower: &Path, file: &[u8]) -> Result<Features, Failure> {
        match modality {
            Modality::Image => crate::image::Preprocessor::read(tower)?.prepare(file),
            Modality::Audio => crate::audio::Preprocessor::read(tower)?.prepare(file),
            Modality::Text => Err(Failure::internal("a text is not a file")),
        }
    }
}
