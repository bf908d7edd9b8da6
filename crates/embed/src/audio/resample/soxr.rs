//! The filter of libsoxr's "HQ" quality: linear phase, a stop band that begins at the lower Nyquist frequency, a pass band that
//! ends at 0.914 of it, a windowed sinc with Kaiser's window between (Kaiser 1974; Oppenheim and Schafer, section 7.5). Its
//! three numbers were measured on soxr 1.1's frequency response, which they fit within 4e-7 at ratios of small numbers.
//!
//! libsoxr runs its filter as a cascade of stages, here it is one polyphase convolution. At other ratios, 44,100 to 16,000 for
//! one, a stage of libsoxr's takes up to 0.01 dB away near the end of the pass band, its "small roll-off"; ours stays flat.

use super::Ratio;

/// Where the response is one half, as a fraction of the lower Nyquist frequency.
const HALF: f64 = 0.956_872;
/// Length in samples of the lower rate, and the window's beta, where neither number of the ratio is above [`SMALL`].
const SHORT: (f64, f64) = (193.67, 13.040);
/// The same for other ratios: libsoxr asks 6 dB more of each stage where there are more.
const LONG: (f64, f64) = (203.0, 13.711);
const SMALL: usize = 3;
/// Steps between two samples of the lower rate for which the filter is tabled where there are too many phases to table each.
/// Between steps it is interpolated in a line: the error is (pi/4096)^2/8, or -143 dB.
const STEPS: usize = 4096;
/// Sums that are kept side by side, for SIMD and for accuracy.
const LANES: usize = 16;

/// Resample; the result has `ratio.length(samples.len())` samples.
pub fn resample(samples: Vec<f32>, ratio: Ratio) -> Vec<f32> {
    let (bank, length) = (Bank::new(ratio), samples.len());
    let padded = padded(samples, bank.half, bank.taps + ratio.old);
    (0..ratio.length(length))
        .map(|at| {
            // The output lies at `whole + part / new` samples of the input; its taps begin `half - 1` samples before.
            let position = at * ratio.old;
            let (whole, part) = (position / ratio.new, position % ratio.new);
            let window = padded.get(whole + 1..).unwrap_or_default();
            if bank.exact {
                return dot(window, bank.phase(part));
            }
            let step = part as f64 / ratio.new as f64 * bank.phases as f64;
            let (below, share) = (step.floor(), (step - step.floor()) as f32);
            let (low, high) = (dot(window, bank.phase(below as usize)), dot(window, bank.phase(below as usize + 1)));
            low + share * (high - low)
        })
        .collect()
}

/// The samples between zeros, where they lie: ten minutes of sound are too many to hold twice.
fn padded(mut samples: Vec<f32>, before: usize, after: usize) -> Vec<f32> {
    let length = samples.len();
    samples.reserve_exact(before + after);
    samples.resize(length + before, 0.0);
    samples.copy_within(..length, before);
    samples.iter_mut().take(before).for_each(|sample| *sample = 0.0);
    samples.resize(length + before + after, 0.0);
    samples
}

/// The filter's coefficients, phase after phase.
struct Bank {
    taps: usize,
    /// Taps on each side of the output's place.
    half: usize,
    phases: usize,
    /// Whether each output falls on a tabled phase.
    exact: bool,
    table: Vec<f32>,
}

impl Bank {
    fn new(ratio: Ratio) -> Bank {
        // In units of the input's samples: the lower rate's samples are `stretch` apart.
        let stretch = (ratio.old as f64 / ratio.new as f64).max(1.0);
        let (order, beta) = if ratio.old.max(ratio.new) <= SMALL { SHORT } else { LONG };
        let reach = order / 2.0 * stretch;
        let half = reach.ceil() as usize;
        let taps = (2 * half).next_multiple_of(LANES);
        let steps = ((STEPS as f64 / stretch).ceil() as usize).max(64);
        let exact = ratio.new <= steps;
        let phases = if exact { ratio.new } else { steps };
        let window = Kaiser::new(beta);
        let cutoff = HALF / stretch;
        let mut table = Vec::with_capacity((phases + 1) * taps);
        for phase in 0..=phases {
            let part = phase as f64 / phases as f64;
            let from = table.len();
            table.extend((0..taps).map(|tap| {
                let at = tap as f64 - (half as f64 - 1.0) - part;
                (sinc(at * cutoff) * cutoff * window.at(at / reach)) as f32
            }));
            flatten(table.get_mut(from..).unwrap_or_default());
        }
        Bank { taps, half, phases, exact, table }
    }

    fn phase(&self, phase: usize) -> &[f32] {
        self.table.get(phase * self.taps..(phase + 1) * self.taps).unwrap_or_default()
    }
}

/// Scale one phase so that a constant stays what it is.
fn flatten(weights: &mut [f32]) {
    let sum: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    for weight in weights {
        *weight = (f64::from(*weight) / sum) as f32;
    }
}

fn sinc(x: f64) -> f64 {
    let turn = x * std::f64::consts::PI;
    if turn == 0.0 { 1.0 } else { turn.sin() / turn }
}

/// Kaiser's window on [-1, 1].
struct Kaiser {
    beta: f64,
    scale: f64,
}

impl Kaiser {
    fn new(beta: f64) -> Kaiser {
        Kaiser { beta, scale: bessel(beta) }
    }

    fn at(&self, x: f64) -> f64 {
        if x.abs() > 1.0 { 0.0 } else { bessel(self.beta * (1.0 - x * x).sqrt()) / self.scale }
    }
}

/// The modified Bessel function of the first kind and order zero, by its power series (Abramowitz and Stegun 9.6.12).
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

/// The sum of products; float32 in sixteen lanes keeps it within 1e-7 of the exact one.
fn dot(samples: &[f32], weights: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    for (samples, weights) in samples.as_chunks::<LANES>().0.iter().zip(weights.as_chunks::<LANES>().0) {
        for ((sum, sample), weight) in sums.iter_mut().zip(samples).zip(weights) {
            *sum += sample * weight;
        }
    }
    sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() as f32
}
