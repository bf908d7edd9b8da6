//! What a sound may cost, checked before and while it is decoded. Not a sandbox: that is the process around us.

/// Bounds on one file and on the sound in it.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes of a file.
    pub file_bytes: usize,
    /// Longest sound, in seconds of the file's own rate.
    pub seconds: u32,
    /// Most channels.
    pub channels: usize,
    /// Lowest and highest sample rate, in hertz.
    pub rates: (u32, u32),
    /// Most samples kept of one sound, after its channels are mixed to one: a bound on memory where a whole sound is
    /// read. A preprocessor that reads the first seconds only keeps no more than those.
    pub samples: usize,
}

impl Limits {
    /// 25 MB, ten minutes, eight channels, 8 to 192 kHz, and ten minutes of one channel at 96 kHz (240 MB).
    pub const DEFAULT: Limits =
        Limits { file_bytes: 25_000_000, seconds: 600, channels: 8, rates: (8_000, 192_000), samples: 600 * 96_000 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
