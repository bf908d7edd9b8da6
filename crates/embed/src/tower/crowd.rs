//! How many callers ask for one input after the other at the same time, and so whether a batch should wait for a moment:
//! those that were just answered are about to ask again, and whoever is late for a batch pays for a run of its own.
//!
//! Nobody waits who is alone, who comes while the tower is idle, or where batches save nothing. What is waited is less
//! than what one more input saves by joining; the next batch expects fewer where some did not come, and after a wait in
//! vain the next batches do not wait at all.

use std::time::{Duration, Instant};

/// The longest wait, however much it saves.
const MOST: Duration = Duration::from_millis(3);

/// Batches that do not wait after one for which nobody came.
const PAUSE: u32 = 8;

/// The callers with single requests of one tower.
#[derive(Debug, Default)]
pub struct Crowd {
    /// How many may come.
    expected: usize,
    /// How many were there when a batch was last over, before it was answered.
    there: usize,
    /// When that was; none where no batch was, or another one was taken.
    answered: Option<Instant>,
    /// Whether the next batch was waited for, and whether anybody came meanwhile.
    waited: bool,
    came: bool,
    /// Batches that are not waited for.
    pause: u32,
}

impl Crowd {
    /// Tell how long to wait for more than the `there` that wait at the moment `now`, where one more saves `micros`;
    /// none to go ahead.
    pub fn wait(&mut self, there: usize, micros: f64, now: Instant) -> Option<Duration> {
        let end = self.answered? + Duration::from_micros(micros as u64).min(MOST);
        // Whoever came first made the others worth waiting for.
        self.came |= self.waited && there > self.there;
        let left = end.checked_duration_since(now).filter(|left| !left.is_zero())?;
        if self.pause > 0 || there == 0 || there >= self.expected {
            return None;
        }
        if !self.waited {
            (self.waited, self.there) = (true, there);
        }
        Some(left)
    }

    /// How many there are when nobody is missing.
    pub fn expected(&self) -> usize {
        self.expected
    }

    /// Note that a batch is taken.
    pub fn taken(&mut self) {
        self.pause = if self.waited && !self.came { PAUSE } else { self.pause.saturating_sub(1) };
        self.answered = None;
    }

    /// Note that `gone` callers were answered, the last one at the moment `now`, and that `there` waited before the first one was.
    pub fn answered(&mut self, gone: usize, there: usize, now: Instant) {
        (self.expected, self.answered) = (gone + there, Some(now));
        (self.there, self.waited, self.came) = (there, false, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment so many microseconds after the start.
    fn at(start: Instant, micros: u64) -> Instant {
        start + Duration::from_micros(micros)
    }

    #[test]
    fn those_who_were_answered_are_waited_for_until_all_are_there() {
        let (mut crowd, start) = (Crowd::default(), Instant::now());
        assert_eq!(crowd.wait(1, 1e6, start), None, "nobody was answered yet");
        crowd.answered(4, 0, start);
        assert_eq!(crowd.wait(1, 800.0, at(start, 100)), Some(Duration::from_micros(700)), "three are missing");
        assert!(crowd.wait(3, 800.0, at(start, 350)).is_some());
        assert_eq!(crowd.wait(4, 800.0, at(start, 400)), None, "all are there");
        crowd.taken();
        assert_eq!(crowd.wait(1, 800.0, at(start, 500)), None, "a batch is at work");
    }

    #[test]
    fn no_wait_is_longer_than_what_it_saves_and_the_next_one_expects_fewer() {
        let (mut crowd, start) = (Crowd::default(), Instant::now());
        crowd.answered(8, 0, start);
        assert_eq!(crowd.wait(1, 0.0, at(start, 10)), None, "where batches save nothing");
        assert_eq!(crowd.wait(1, 200.0, at(start, 50)), Some(Duration::from_micros(150)));
        assert_eq!(crowd.wait(2, 200.0, at(start, 201)), None);
        crowd.taken();
        crowd.answered(2, 0, at(start, 5000));
        assert_eq!(crowd.wait(2, 1000.0, at(start, 5010)), None, "the others did not come back");
        crowd.answered(8, 0, start);
        assert_eq!(crowd.wait(1, 1e9, start), Some(MOST));
    }

    #[test]
    fn after_a_wait_in_vain_the_next_batches_do_not_wait() {
        let (mut crowd, start) = (Crowd::default(), Instant::now());
        let mut waited = 0;
        for batch in 0..30 {
            let answered = at(start, batch * 10_000);
            crowd.answered(2, 0, answered);
            waited += usize::from(crowd.wait(1, 1000.0, at(answered, 10)).is_some());
            assert_eq!(crowd.wait(1, 1000.0, at(answered, 1010)), None);
            crowd.taken();
        }
        assert!((2..=4).contains(&waited), "{waited} of 30 batches waited for one that never came in time");
    }

    #[test]
    fn who_is_alone_or_comes_to_an_idle_tower_does_not_wait() {
        let (mut crowd, start) = (Crowd::default(), Instant::now());
        crowd.answered(1, 0, start);
        assert_eq!(crowd.wait(1, 1000.0, at(start, 10)), None);
        crowd.answered(8, 0, start);
        assert_eq!(crowd.wait(1, 1000.0, at(start, 5000)), None);
    }
}
