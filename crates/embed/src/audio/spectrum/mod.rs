//! Power spectra of overlapping frames: float64 throughout but where the references round to float32.

pub mod mel;
pub mod window;

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// float32 functions that the references evaluate in float32.
pub mod float32 {
    /// The natural logarithm, correctly rounded.
    pub fn ln(x: f32) -> f32 {
        f64::from(x).ln() as f32
    }
}

/// What turns frames of samples into power spectra; one for each thread, since it holds its scratch memory.
pub struct Spectrum {
    transform: Arc<dyn RealToComplex<f64>>,
    input: Vec<f64>,
    output: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
    power: Vec<f64>,
}

impl Spectrum {
    /// Spectra of `length` samples, which have `length / 2 + 1` bins.
    pub fn new(length: usize) -> Spectrum {
        let transform = RealFftPlanner::new().plan_fft_forward(length);
        Spectrum {
            input: transform.make_input_vec(),
            output: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            power: vec![0.0; length / 2 + 1],
            transform,
        }
    }

    /// The power of a frame in each bin; a frame shorter than the transform is followed by zeros. The spectrum is rounded to
    /// float32 in between where `complex64` says so, as transformers stores it.
    pub fn power(&mut self, frame: impl Iterator<Item = f64>, complex64: bool) -> &[f64] {
        let mut silent = true;
        self.input.fill(0.0);
        for (slot, sample) in self.input.iter_mut().zip(frame) {
            *slot = sample;
            silent &= sample == 0.0;
        }
        // The lengths are the transform's own, so it cannot fail; were it to, the frame would be silent.
        if silent || self.transform.process_with_scratch(&mut self.input, &mut self.output, &mut self.scratch).is_err()
        {
            self.power.fill(0.0);
            return &self.power;
        }
        for (power, value) in self.power.iter_mut().zip(&self.output) {
            let (re, im) =
                if complex64 { (f64::from(value.re as f32), f64::from(value.im as f32)) } else { (value.re, value.im) };
            *power = re * re + im * im;
        }
        &self.power
    }
}

/// Samples with `by` more on each side, mirrored about the first and the last, again and again where there are too few:
/// numpy's `pad(…, mode="reflect")`.
pub fn reflect(samples: &[f32], by: usize) -> Vec<f32> {
    let last = samples.len().saturating_sub(1);
    let period = (2 * last).max(1);
    let mirrored = |at: i64| {
        let place = at.rem_euclid(period as i64) as usize;
        samples.get(place.min(period - place)).or(samples.first()).copied().unwrap_or(0.0)
    };
    let (before, after) = (-(by as i64)..0, samples.len() as i64..(samples.len() + by) as i64);
    before.map(mirrored).chain(samples.iter().copied()).chain(after.map(mirrored)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflection_leaves_out_the_edge_and_goes_on() {
        assert_eq!(reflect(&[1.0, 2.0, 3.0], 2), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0]);
        assert_eq!(reflect(&[1.0, 2.0], 3), [2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0]);
        assert_eq!(reflect(&[5.0], 2), [5.0; 5]);
    }

    #[test]
    fn the_power_of_a_cosine_is_in_its_bin() {
        let mut spectrum = Spectrum::new(64);
        let frame = (0..64).map(|at| (std::f64::consts::TAU * 5.0 * f64::from(at) / 64.0).cos());
        let power = spectrum.power(frame, false);
        assert!((power[5] - 1024.0).abs() < 1e-9 && power[4] < 1e-18);
    }
}
