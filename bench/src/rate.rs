//! How much gets done in a second: rounds of one measurement, and their median.

use std::time::Instant;

use anyhow::Result;

/// Time `work`, which does `count` things, and give things per second.
pub fn rate(count: usize, work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

/// The middle one of some measurements; NaN of none.
pub fn median(measurements: &[f64]) -> f64 {
    percentile(measurements, 50)
}

/// The measurement that so many of a hundred are not above; NaN of none.
pub fn percentile(measurements: &[f64], of_hundred: usize) -> f64 {
    let mut sorted = measurements.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * of_hundred / 100).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_ignores_an_outlier() {
        assert_eq!(median(&[3.0, 1000.0, 2.0]), 3.0);
        assert!(median(&[]).is_nan());
    }
}
