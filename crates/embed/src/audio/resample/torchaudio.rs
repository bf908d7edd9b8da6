//! `torchaudio.functional.resample` with its default arguments: a sinc of at least six zero crossings on each side under a
//! squared cosine (`sinc_interp_hann`, `lowpass_filter_width` 6, `rolloff` 0.99). Reference: torchaudio's
//! `functional/functional.py`, `_get_sinc_resample_kernel`.
//!
//! torchaudio evaluates each phase of its kernel over `2 * width + old` samples, most of which its window makes zero; here
//! only the others are visited. The sums are taken in float64, its in float32, so the two agree to 1e-6.

use super::Ratio;

/// `lowpass_filter_width`: zero crossings on each side.
const CROSSINGS: f64 = 6.0;
/// `rolloff`: the cut-off as a fraction of the lower Nyquist frequency.
const ROLLOFF: f64 = 0.99;
/// Phases up to which their coefficients are tabled. Beyond, as for two rates without a common factor, they are computed as
/// they are used.
const TABLED: usize = 1024;

/// The coefficients of one phase, and how far from the output's own sample they begin.
#[derive(Clone, Default)]
struct Phase {
    first: i64,
    weights: Vec<f64>,
}

/// Resample; the result has `ratio.length(samples.len())` samples.
pub fn resample(samples: &[f32], ratio: Ratio) -> Vec<f32> {
    let count = ratio.length(samples.len());
    let table: Vec<Phase> =
        if ratio.new <= TABLED { (0..ratio.new).map(|phase| coefficients(phase, ratio)).collect() } else { Vec::new() };
    let mut fresh = Phase::default();
    (0..count)
        .map(|at| {
            let (frame, phase) = (at / ratio.new, at % ratio.new);
            let phase = match table.get(phase) {
                Some(tabled) => tabled,
                None => {
                    fresh = coefficients(phase, ratio);
                    &fresh
                }
            };
            convolve(samples, (frame * ratio.old) as i64 + phase.first, &phase.weights)
        })
        .collect()
}

/// The sum over `weights` from sample `first` on; before the beginning and after the end are zeros.
fn convolve(samples: &[f32], first: i64, weights: &[f64]) -> f32 {
    let (skip, from) = if first < 0 { (first.unsigned_abs() as usize, 0) } else { (0, first as usize) };
    let weights = weights.get(skip..).unwrap_or_default();
    let samples = samples.get(from..).unwrap_or_default();
    weights.iter().zip(samples).map(|(weight, sample)| weight * f64::from(*sample)).sum::<f64>() as f32
}

/// Where the window is not zero, in samples of the input relative to the output's frame, and the weights there. Each step is
/// rounded to float32 as torchaudio's tensors are: its times carry errors of 1e-5, and so must ours.
fn coefficients(phase: usize, ratio: Ratio) -> Phase {
    let base = ratio.old.min(ratio.new) as f64 * ROLLOFF;
    let (old, new) = (ratio.old as f64, ratio.new as f64);
    let width = (CROSSINGS * old / base).ceil();
    let centre = phase as f64 / new * old;
    let reach = CROSSINGS * old / base;
    let first = (centre - reach).floor().max(-width);
    let last = (centre + reach).ceil().min(width + old - 1.0);
    let (scale, base) = ((base / old) as f32, base as f32);
    let shift = -(phase as f32) / ratio.new as f32;
    let weights = (first as i64..=last as i64).map(|index| {
        let crossings = CROSSINGS as f32;
        let at = ((shift + index as f32 / ratio.old as f32) * base).clamp(-crossings, crossings);
        let window = (at * std::f32::consts::PI / crossings / 2.0).cos().powi(2);
        let turn = at * std::f32::consts::PI;
        let sinc = if turn == 0.0 { 1.0 } else { turn.sin() / turn };
        f64::from(sinc * (window * scale))
    });
    Phase { first: first as i64, weights: weights.collect() }
}
