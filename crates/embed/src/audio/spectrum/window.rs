//! Windows of a frame, in float64.

use std::f64::consts::TAU;

/// Hann's window over a period of `length` samples: what `window_function(length, "hann")` of transformers gives.
pub fn periodic_hann(length: usize) -> Vec<f64> {
    hann(length, length)
}

/// Hann's window with zeros at both ends: `torch.hann_window(length, periodic=False)`.
pub fn symmetric_hann(length: usize) -> Vec<f64> {
    hann(length, length.saturating_sub(1).max(1))
}

fn hann(length: usize, period: usize) -> Vec<f64> {
    (0..length).map(|at| 0.5 - 0.5 * (TAU * at as f64 / period as f64).cos()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_periodic_window_lacks_its_last_zero() {
        let periodic = periodic_hann(4);
        assert!(periodic.iter().zip([0.0, 0.5, 1.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-15));
        let symmetric = symmetric_hann(5);
        assert!(symmetric.iter().zip([0.0, 0.5, 1.0, 0.5, 0.0]).all(|(a, b)| (a - b).abs() < 1e-15));
    }
}
