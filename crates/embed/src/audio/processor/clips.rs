//! Which part of a long sound a model of short ones hears. The references draw it at random; here the same sound always
//! gives the same features.

use serde::Deserialize;

/// What becomes of a sound that is longer than a model's window: `clip_policy` of the feature extractor's file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Its beginning.
    #[default]
    First,
    /// Its middle.
    Centre,
    /// Windows from the beginning to the end, whose embeddings are averaged: as few as cover it, at most [`WINDOWS`].
    WindowsMean,
}

/// Most windows of one sound. A longer sound is heard in this many, evenly apart.
pub const WINDOWS: usize = 8;

impl Policy {
    /// Where the windows of a sound begin; one, at its beginning, where it is no longer than a window.
    pub fn starts(self, length: usize, window: usize) -> Vec<usize> {
        let rest = length.saturating_sub(window);
        match self {
            _ if rest == 0 => vec![0],
            Policy::First => vec![0],
            Policy::Centre => vec![rest / 2],
            Policy::WindowsMean => {
                let count = length.div_ceil(window).clamp(2, WINDOWS);
                (0..count).map(|at| rest * at / (count - 1)).collect()
            }
        }
    }

    /// Whether windows of a sound leave some of it unheard.
    pub fn truncates(self, length: usize, window: usize) -> bool {
        match self {
            Policy::First | Policy::Centre => length > window,
            Policy::WindowsMean => length > window.saturating_mul(WINDOWS),
        }
    }
}

/// Where `count` clips of `seconds` begin and end, in samples: evenly from the beginning, the last one ending before the
/// sound does. pytorchvideo's `ConstantClipsPerVideoSampler` divides by `count`, not by `count - 1`, in exact fractions of
/// the float64 duration; so do we.
pub fn constant_clips(length: usize, rate: u32, seconds: f64, count: usize) -> Vec<(usize, usize)> {
    let latest = (length as f64 / f64::from(rate) - seconds).max(0.0);
    let clips = (0..count).map(|at| {
        let start = floor_of(latest, at * rate as usize, count);
        // The end is the exact start plus the duration; a whole number of samples moves the floor along.
        let end = start + (seconds * f64::from(rate)) as usize;
        (start.min(length), end.min(length))
    });
    clips.collect()
}

/// The floor of `value * times / by`, with `value` taken as the fraction that a float64 is.
fn floor_of(value: f64, times: usize, by: usize) -> usize {
    let bits = value.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1075;
    let mantissa = u128::from((bits & ((1 << 52) - 1)) | (1 << 52));
    if value <= 0.0 || exponent >= 0 {
        return (value as usize).saturating_mul(times) / by.max(1);
    }
    let divisor = (by.max(1) as u128).checked_shl(exponent.unsigned_abs()).filter(|_| exponent > -120);
    divisor.map_or(0, |divisor| (mantissa * times as u128 / divisor) as usize)
}

/// Where the three parts begin that the starts of `chunk` frames out of `total` fall into: numpy's `array_split`, first
/// element of each, 0 for an empty one. The references draw from each part.
pub fn thirds(total: usize, chunk: usize) -> [usize; 3] {
    let starts = total.saturating_sub(chunk) + 1;
    let (part, more) = (starts / 3, starts % 3);
    let second = part + usize::from(more > 0);
    let third = second + part + usize::from(more > 1);
    [0, if second < starts { second } else { 0 }, if third < starts { third } else { 0 }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_from_the_beginning_to_the_end() {
        assert_eq!(Policy::WindowsMean.starts(25, 10), [0, 7, 15]);
        assert_eq!(Policy::WindowsMean.starts(11, 10), [0, 1]);
        assert_eq!(Policy::WindowsMean.starts(1_000, 10).len(), WINDOWS);
        assert!(Policy::WindowsMean.truncates(1_000, 10) && !Policy::WindowsMean.truncates(80, 10));
        assert_eq!(Policy::Centre.starts(25, 10), [7]);
        for policy in [Policy::First, Policy::Centre, Policy::WindowsMean] {
            assert_eq!(policy.starts(10, 10), [0]);
            assert!(!policy.truncates(10, 10));
        }
    }

    #[test]
    fn clips_are_cut_at_thirds_of_what_is_left() {
        assert_eq!(constant_clips(80_000, 16_000, 2.0, 3), [(0, 32_000), (16_000, 48_000), (32_000, 64_000)]);
        assert_eq!(constant_clips(20_000, 16_000, 2.0, 3), [(0, 20_000); 3]);
    }

    #[test]
    fn thirds_are_those_of_array_split() {
        assert_eq!(thirds(10, 4), [0, 3, 5]);
        assert_eq!(thirds(5, 4), [0, 1, 0]);
        assert_eq!(thirds(12, 4), [0, 3, 6]);
    }
}
