//! What a tower's runs cost, as measured while it works: how many inputs a batch may have so that it pays, and so that
//! it is soon over.
//!
//! On a processor a batch is not always faster than its inputs one by one, so nothing is assumed: for each size of
//! input both ways are timed, and the faster one is taken. The loser is tried again now and then, since the first run
//! of a size is slow, and machines change.

/// How long a batch may take, in microseconds: what a query waits for bulk work, and what hanging up saves.
const BATCH_MICROS: f64 = 100_000.0;

/// One batch in so many is run the other way.
const RETRY: u32 = 64;

/// How many inputs of a size not yet timed may share the first batch.
const FIRST: usize = 8;

/// The weight of a new measurement that is below what was known, and of one above: a run can be held up by something
/// else, as the first one always is, but nothing makes it faster than it is.
const LOWER: f64 = 0.6;
const HIGHER: f64 = 0.1;

/// Sizes are told apart by their powers of two.
const SIZES: usize = 33;

/// The measurements of one tower.
#[derive(Clone, Debug)]
pub struct Cost {
    sizes: [Size; SIZES],
}

/// Microseconds per unit of length: of an input alone, and of one in a batch.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    alone: Option<f64>,
    shared: Option<f64>,
    runs: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Cost { sizes: [Size::default(); SIZES] }
    }
}

fn number(length: usize) -> usize {
    (length.max(1).ilog2() as usize + 1).min(SIZES - 1)
}

impl Cost {
    /// The most inputs of `length` that the next batch may have; at least 1.
    pub fn most(&self, length: usize) -> usize {
        let size = self.sizes.get(number(length)).copied().unwrap_or_default();
        let soon = |micros: f64| ((BATCH_MICROS / (micros * length.max(1) as f64)) as usize).max(1);
        match (size.alone, size.shared) {
            (None, _) => 1,
            (Some(alone), None) => soon(alone).min(FIRST),
            (Some(alone), Some(shared)) => {
                let pays = shared <= alone;
                let other = size.runs.is_multiple_of(RETRY);
                match (pays, other) {
                    (true, false) => soon(shared),
                    (false, true) => soon(shared).min(FIRST),
                    _ => 1,
                }
            }
        }
    }

    /// Learn from a run of `count` inputs, padded to `length`, that took `micros`.
    pub fn learn(&mut self, count: usize, length: usize, micros: f64) {
        let Some(size) = self.sizes.get_mut(number(length)) else { return };
        let unit = micros / (count.max(1) * length.max(1)) as f64;
        let kept = if count > 1 { &mut size.shared } else { &mut size.alone };
        let newest = |old: f64| if unit < old { LOWER } else { HIGHER };
        *kept = Some(kept.map_or(unit, |old| old + newest(old) * (unit - old)));
        size.runs = size.runs.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Run a tower whose batches cost what `micros` says; give the inputs run and the time that they took.
    fn work(cost: &mut Cost, batches: usize, length: usize, micros: impl Fn(usize) -> f64) -> (usize, f64) {
        let (mut inputs, mut time) = (0, 0.0);
        for _ in 0..batches {
            let count = cost.most(length);
            let took = micros(count);
            cost.learn(count, length, took);
            inputs += count;
            time += took;
        }
        (inputs, time)
    }

    #[test]
    fn batches_are_used_where_they_pay_and_end_in_time() {
        let mut cost = Cost::default();
        assert_eq!(cost.most(20), 1, "the first run is one input");
        work(&mut cost, 10, 20, |count| 1000.0 + 500.0 * count as f64);
        let most = cost.most(20);
        assert!(most > 50, "{most} inputs of about 500 µs");
        let (_, time) = work(&mut cost, 200, 20, |count| 1000.0 + 500.0 * count as f64);
        assert!(time / 200.0 <= BATCH_MICROS * 1.5);
    }

    #[test]
    fn batches_that_do_not_pay_are_hardly_tried_again() {
        let mut cost = Cost::default();
        let slower = |count: usize| if count == 1 { 1000.0 } else { 3000.0 * count as f64 };
        let (inputs, time) = work(&mut cost, 2000, 100, slower);
        let best = 1000.0 * inputs as f64;
        assert!(time < 1.5 * best, "{time} µs where one by one would have taken {best}");
        assert_eq!(cost.most(3000), 1, "another size is measured on its own");
    }

    #[test]
    fn a_slow_first_run_is_forgotten() {
        let mut cost = Cost::default();
        cost.learn(1, 16, 1e6);
        let slower = |count: usize| if count == 1 { 1000.0 } else { 2000.0 * count as f64 };
        work(&mut cost, 1500, 16, slower);
        assert_eq!(cost.most(16), 1);
    }

    #[test]
    fn lengths_of_any_size_are_taken() {
        let mut cost = Cost::default();
        for length in [0, 1, usize::MAX] {
            cost.learn(1, length, 0.0);
            assert!(cost.most(length) >= 1);
        }
    }
}
