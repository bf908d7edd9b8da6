//! Sliding windows of a minute: how often something happened in the last sixty seconds, for each of many keys. Kept in this
//! process: of several processes each has its own.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The window that slides.
pub const WINDOW: Duration = Duration::from_secs(60);

/// So many keys may be kept before those to which nothing happened are dropped; from then on, at twice as many as are left.
const MANY_KEYS: usize = 4096;

/// The times of the last minute, for each key; their number is bounded by the limits that callers give.
pub struct Windows<K>(Mutex<Kept<K>>);

struct Kept<K> {
    times: HashMap<K, VecDeque<Instant>>,
    /// The number of keys at which the idle ones are dropped.
    many: usize,
}

/// How a key stands before the event that is asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// How many events the window had room for.
    pub left: usize,
    /// Until the oldest event leaves the window.
    pub reset: Duration,
}

impl<K: Eq + Hash> Windows<K> {
    pub fn new() -> Windows<K> {
        Windows(Mutex::new(Kept { times: HashMap::new(), many: MANY_KEYS }))
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Count an event where the window has fewer than `limit`; one that finds no room is not counted.
    pub fn count(&self, key: K, limit: u32, now: Instant) -> Room {
        let mut kept = self.kept();
        if kept.times.len() > kept.many {
            kept.times.retain(|_, times| times.back().is_some_and(|time| is_recent(*time, now)));
            kept.many = MANY_KEYS.max(2 * kept.times.len());
        }
        let times = kept.times.entry(key).or_default();
        let left = room(times, limit, now);
        if left > 0 {
            times.push_back(now);
        }
        Room { left, reset: reset(times, now) }
    }

    /// Tell how a key stands; counts nothing.
    pub fn look(&self, key: &K, limit: u32, now: Instant) -> Room {
        match self.kept().times.get_mut(key) {
            Some(times) => Room { left: room(times, limit, now), reset: reset(times, now) },
            None => Room { left: usize::try_from(limit).unwrap_or(usize::MAX), reset: Duration::ZERO },
        }
    }

    /// How many keys are kept.
    pub fn len(&self) -> usize {
        self.kept().times.len()
    }
}

fn is_recent(time: Instant, now: Instant) -> bool {
    now.saturating_duration_since(time) < WINDOW
}

/// Forget what has left the window; give the room that there is in it.
fn room(times: &mut VecDeque<Instant>, limit: u32, now: Instant) -> usize {
    while times.front().is_some_and(|time| !is_recent(*time, now)) {
        times.pop_front();
    }
    usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(times.len())
}

fn reset(times: &VecDeque<Instant>, now: Instant) -> Duration {
    let oldest = times.front().copied().unwrap_or(now);
    WINDOW.saturating_sub(now.saturating_duration_since(oldest))
}

/// Whole seconds until a time has passed, for the header Retry-After.
pub fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    //! Guards the window: it slides, it is each key's own, and it never holds more than the limit.
    use super::*;

    #[test]
    fn windows_slide() {
        let (windows, start) = (Windows::new(), Instant::now());
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let count = |key: &'static str, seconds| windows.count(key, 3, at(seconds));
        assert_eq!([count("a", 0).left, count("a", 10).left, count("a", 20).left], [3, 2, 1]);
        let refused = count("a", 30);
        assert_eq!((refused.left, seconds(refused.reset)), (0, 30), "the first leaves after a minute");
        assert_eq!(count("b", 30).left, 3);
        assert_eq!(windows.look(&"a", 3, at(59)).left, 0);
        assert_eq!([windows.look(&"a", 3, at(60)).left, count("a", 60).left], [1, 1], "a look counts nothing");
        assert_eq!(count("a", 61).left, 0, "the refused ones did not count, the one at 60 did");
        assert_eq!(count("a", 70).left, 1);
        assert!(windows.kept().times.values().all(|times| times.len() <= 3));
    }

    #[test]
    fn keys_to_which_nothing_happens_are_forgotten() {
        let (windows, start) = (Windows::new(), Instant::now());
        for key in 0..=MANY_KEYS {
            windows.count(key, 1, start);
        }
        assert_eq!(windows.len(), MANY_KEYS + 1);
        windows.count(usize::MAX, 1, start + WINDOW);
        assert_eq!(windows.len(), 1);
    }
}
