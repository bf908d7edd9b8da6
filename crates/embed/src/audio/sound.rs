//! A decoded sound: one channel of float32 samples, and what was left unread. No file formats, no features.

/// One channel of a sound, or its beginning.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Samples, nominally in [-1, 1]; files of floats may go beyond.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub rate: u32,
    /// Samples of the whole sound in each channel, those left unread included.
    pub length: u64,
}

/// How much of a sound its reader wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach {
    /// All of it.
    Whole,
    /// Its first seconds; what follows is counted, not decoded.
    First(f64),
}
