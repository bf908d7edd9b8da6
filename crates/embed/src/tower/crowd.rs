//! How many callers ask for one input after the other at the same time, and so whether a batch should wait for a moment:
//! those that were just answered are about to ask again, and whoever is late for a batch pays for a run of its own.
//!
//! Nobody waits who is alone, who comes while the tower is idle, or where batches save nothing. What is waited is less
//! than what one more input saves by joining, and one wait in vain is enough to expect fewer.

use std::time::{Duration, Instant};

/// The longest pause between two that come back; the next one is then not waited for.
const GAP: Duration = Duration::from_micros(300);

/// The callers with single requests of one tower.
#[derive(Debug, Default)]
pub struct Crowd {
    /// How many may come.
    expected: usize,
    /// How many were there at the last look.
    there: usize,
    /// When a batch was answered, and when somebody came since; none where no batch was, or another one was taken.
    since: Option<(Instant, Instant)>,
}

impl Crowd {
    /// Tell how long to wait for more than the `there` that wait at the moment `now`, where one more saves `micros`;
    /// none to go ahead.
    pub fn wait(&mut self, there: usize, micros: f64, now: Instant) -> Option<Duration> {
        let (answered, came) = self.since.as_mut()?;
        if there != self.there {
            (self.there, *came) = (there, now);
        }
        let end = (*answered + Duration::from_micros(micros as u64)).min(*came + GAP);
        let left = end.checked_duration_since(now).filter(|left| !left.is_zero())?;
        (there > 0 && there < self.expected).then_some(left)
    }

    /// Note that a batch is taken.
    pub fn taken(&mut self) {
        self.since = None;
    }

    /// Note that `gone` callers were answered at the moment `now`, while `there` wait.
    pub fn answered(&mut self, gone: usize, there: usize, now: Instant) {
        (self.expected, self.there, self.since) = (gone + there, there, Some((now, now)));
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
    fn those_who_were_answered_are_waited_for_while_they_come() {
        let (mut crowd, start) = (Crowd::default(), Instant::now());
        assert_eq!(crowd.wait(1, 1e6, start), None, "nobody was answered yet");
        crowd.answered(4, 0, start);
        assert!(crowd.wait(1, 1000.0, at(start, 100)).is_some(), "three are missing");
        assert!(crowd.wait(3, 1000.0, at(start, 350)).is_some(), "two came since");
        assert!(crowd.wait(3, 1000.0, at(start, 600)).is_some());
        assert_eq!(crowd.wait(3, 1000.0, at(start, 700)), None, "nobody came for long");
        crowd.answered(4, 0, start);
        assert_eq!(crowd.wait(4, 1000.0, at(start, 10)), None, "all are there");
    }

    #[test]
    fn no_wait_is_longer_than_what_it_saves_and_the_next_one_expects_fewer() {
        let (mut crowd, start) = (Crowd::default(), Instant::now());
        crowd.answered(8, 0, start);
        assert_eq!(crowd.wait(1, 200.0, at(start, 50)), Some(Duration::from_micros(150)));
        assert_eq!(crowd.wait(2, 200.0, at(start, 201)), None);
        assert_eq!(crowd.wait(2, 0.0, at(start, 10)), None, "where batches save nothing");
        crowd.taken();
        assert_eq!(crowd.wait(1, 1000.0, at(start, 60)), None, "a batch is at work");
        crowd.answered(2, 0, at(start, 5000));
        assert_eq!(crowd.wait(2, 1000.0, at(start, 5010)), None, "the others did not come back");
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
