//! What a tower's runs cost, as measured while it works, and so whom a batch takes in: those that cost less in it than
//! by themselves, as long as it is soon over.
//!
//! A run of `n` inputs that are padded to one length takes what the first of them takes, and something for each
//! further one. Both are measured for each size of input, and nothing is assumed: on a processor a further input can
//! cost as much as another run, and padding is then never worth it; where runs have a price of their own, a little
//! padding is. Every now and then a batch is formed the other way, since the first run of a size is slow, and machines
//! change.

use super::batch::Load;

/// How long a batch may take, in microseconds: what a query waits for bulk work, and what hanging up saves.
const BATCH_MICROS: f64 = 100_000.0;

/// One batch in so many is formed the other way.
const RETRY: u32 = 64;

/// How many inputs may share a batch where it is not known, or not true, that this pays.
const FIRST: usize = 8;

/// The weight of a new measurement that is below what was known, and of one above: a run can be held up by something
/// else, as the first one always is, but nothing makes it faster than it is.
const LOWER: f64 = 0.6;
const HIGHER: f64 = 0.1;

/// Sizes are told apart by the powers of the square root of two.
const SIZES: usize = 66;

/// The measurements of one tower.
#[derive(Clone, Debug)]
pub struct Cost {
    sizes: [Size; SIZES],
}

/// Microseconds per unit of length: of an input alone, and of each further one in a batch.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    first: Option<f64>,
    further: Option<f64>,
    runs: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Cost { sizes: [Size::default(); SIZES] }
    }
}

fn number(length: usize) -> usize {
    let octave = length.max(1).ilog2();
    let upper = length as f64 >= (1u64 << octave) as f64 * std::f64::consts::SQRT_2;
    (2 * octave as usize + usize::from(upper)).min(SIZES - 1)
}

impl Cost {
    /// Whether a batch may grow from `now` to `next`, which has one input more.
    pub fn joins(&self, now: Load, next: Load) -> bool {
        let Some(whole) = self.micros(next.count, next.longest) else {
            // Its inputs were never timed, alone or in a batch: alone first.
            return self.first(next.longest).is_some() && next.count <= FIRST && next.padded_little();
        };
        let own = next.joined(now);
        let (Some(before), Some(alone)) = (self.micros(now.count, now.longest), self.micros(1, own)) else {
            return false;
        };
        let pays = whole - before <= alone;
        let soon = whole <= BATCH_MICROS;
        match (pays, self.other_way(next.longest)) {
            (true, false) => soon,
            (false, true) => soon && next.count <= FIRST && next.padded_little(),
            _ => false,
        }
    }

    /// What one more input saves by joining a batch of inputs of `length` rather than having one of its own, in
    /// microseconds; 0 where it saves nothing, or nothing is known.
    pub fn saved(&self, length: usize) -> f64 {
        let saved = |(first, further): (f64, f64)| (first - further).max(0.0) * length as f64;
        self.first(length).zip(self.further(length)).map_or(0.0, saved)
    }

    /// Learn from a run of `count` inputs, padded to `length`, that took `micros`.
    pub fn learn(&mut self, count: usize, length: usize, micros: f64) {
        let Some(size) = self.sizes.get_mut(number(length)) else { return };
        let unit = micros / length.max(1) as f64;
        size.runs = size.runs.wrapping_add(1);
        if count <= 1 {
            return average(&mut size.first, unit);
        }
        let Some(first) = size.first.as_mut() else { return };
        // A batch takes no less than one of its inputs, so one that did was alone at a bad moment.
        *first = first.min(unit);
        let others = (count - 1) as f64;
        let further = ((unit - *first) / others).max(unit / (4.0 * count as f64));
        average(&mut size.further, further);
    }

    /// What a run of `count` inputs of `length` takes, in microseconds.
    fn micros(&self, count: usize, length: usize) -> Option<f64> {
        let first = self.first(length)?;
        let others = count.saturating_sub(1) as f64;
        let further = if count > 1 { self.further(length)? } else { 0.0 };
        Some((first + others * further) * length.max(1) as f64)
    }

    /// Whether the next batch of this size is to be formed the other way.
    fn other_way(&self, length: usize) -> bool {
        self.sizes.get(number(length)).is_some_and(|size| size.runs % RETRY == RETRY - 1)
    }

    fn first(&self, length: usize) -> Option<f64> {
        self.sizes.get(number(length)).and_then(|size| size.first)
    }

    /// Of a size that was in no batch yet, what is known of the nearest one that was.
    fn further(&self, length: usize) -> Option<f64> {
        let own = number(length);
        let known = self.sizes.iter().enumerate().filter_map(|(at, size)| Some((at.abs_diff(own), size.further?)));
        known.min_by_key(|(distance, _)| *distance).map(|(_, further)| further)
    }
}

/// Take a measurement in.
fn average(kept: &mut Option<f64>, unit: f64) {
    let newest = |old: f64| if unit < old { LOWER } else { HIGHER };
    *kept = Some(kept.map_or(unit, |old| old + newest(old) * (unit - old)));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fill a batch with as many inputs as may join, of `length` each.
    fn fill(cost: &Cost, length: usize) -> usize {
        let mut load = Load::default();
        (0..10_000).take_while(|_| load.take(length, &|now, next| cost.joins(now, next))).count()
    }

    /// Run a tower whose batches cost what `micros` says; give the inputs run and the time that they took.
    fn work(cost: &mut Cost, batches: usize, length: usize, micros: impl Fn(usize) -> f64) -> (usize, f64) {
        let (mut inputs, mut time) = (0, 0.0);
        for _ in 0..batches {
            let count = fill(cost, length);
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
        assert_eq!(fill(&cost, 20), 1, "the first run is one input");
        work(&mut cost, 10, 20, |count| 1000.0 + 500.0 * count as f64);
        let most = fill(&cost, 20);
        assert!(most > 50, "{most} inputs of about 500 µs");
        let (_, time) = work(&mut cost, 200, 20, |count| 1000.0 + 500.0 * count as f64);
        assert!(time / 200.0 <= BATCH_MICROS * 1.5);
        assert!((cost.saved(20) - 1000.0).abs() < 100.0, "{}", cost.saved(20));
    }

    #[test]
    fn batches_that_do_not_pay_are_hardly_tried_again() {
        let mut cost = Cost::default();
        let slower = |count: usize| if count == 1 { 1000.0 } else { 3000.0 * count as f64 };
        let (inputs, time) = work(&mut cost, 2000, 100, slower);
        let best = 1000.0 * inputs as f64;
        assert!(time < 1.5 * best, "{time} µs where one by one would have taken {best}");
        assert_eq!((fill(&cost, 3000), cost.saved(100)), (1, 0.0), "another size is measured on its own");
    }

    #[test]
    fn a_shorter_input_joins_where_its_padding_costs_less_than_a_run() {
        let mut cost = Cost::default();
        // A run takes 1.2 ms and 0.07 ms for each token, padding or not.
        for length in [12, 16, 24, 40, 80] {
            [1, 4, 4, 1].iter().for_each(|n| cost.learn(*n, length, 1200.0 + 70.0 * (n * length) as f64));
        }
        let joins = |longest: usize, length: usize| {
            let now = Load::default().with(longest);
            cost.joins(now, now.with(length))
        };
        assert!(joins(24, 16) && joins(16, 24) && joins(40, 40), "8 tokens of padding cost 0.56 ms");
        assert!(!joins(80, 16) && !joins(16, 80) && !joins(80, 40), "40 tokens of padding cost 2.8 ms");
    }

    #[test]
    fn a_slow_first_run_is_forgotten() {
        let mut cost = Cost::default();
        cost.learn(1, 16, 1e6);
        let slower = |count: usize| if count == 1 { 1000.0 } else { 2000.0 * count as f64 };
        work(&mut cost, 1500, 16, slower);
        assert_eq!(fill(&cost, 16), 1);
    }

    #[test]
    fn lengths_of_any_size_are_taken() {
        let mut cost = Cost::default();
        for length in [0, 1, usize::MAX] {
            cost.learn(1, length, 0.0);
            cost.learn(2, length, 0.0);
            assert!(fill(&cost, length) >= 1);
        }
    }
}
