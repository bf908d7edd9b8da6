//! The connections of clients: how many may be there, and who must leave for a newcomer when all places are taken. That is
//! whoever has asked for nothing for the longest time: one that idles between requests, or sends its header lines slowly.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// File descriptors for what is no connection of a client or to the database: logs, files of media, fetches.
const OTHER_FILES: u64 = 256;

/// How long an answer that was just made has to be written before its connection may be cut.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// All connections of clients.
pub struct Guests {
    places: Arc<Semaphore>,
    silent: Mutex<Silent>,
}

/// Those who have asked for nothing, the longest silent first.
#[derive(Default)]
struct Silent {
    guests: BTreeMap<u64, Arc<Notify>>,
    next: u64,
    /// Whether a newcomer waits for somebody to become silent.
    wanted: bool,
}

/// One connection; its place is free when this is dropped.
pub struct Guest {
    guests: Arc<Guests>,
    /// Its number among the silent, and since when.
    since: Mutex<(u64, Instant)>,
    leave: Arc<Notify>,
    _place: OwnedSemaphorePermit,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Silent {
    /// Ask the longest silent to leave, or whoever is silent next.
    fn show_one_out(&mut self) {
        match self.guests.pop_first() {
            Some((_, leave)) => leave.notify_one(),
            None => self.wanted = true,
        }
    }
}

impl Guests {
    pub fn new(places: usize) -> Arc<Guests> {
        Arc::new(Guests { places: Arc::new(Semaphore::new(places)), silent: Mutex::default() })
    }

    /// Wait for a place; where there is none, one of those who are silent is asked to leave.
    pub async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        lock(&self.silent).show_one_out();
        let place = self.places.clone().acquire_owned().await.ok();
        lock(&self.silent).wanted = false;
        place
    }

    /// Let a connection in, which says nothing yet.
    pub fn enter(self: &Arc<Guests>, place: OwnedSemaphorePermit) -> Arc<Guest> {
        // What was never answered has no last words.
        let begun = Instant::now().checked_sub(LAST_WORDS).unwrap_or_else(Instant::now);
        let since = Mutex::new((0, begun));
        let guest = Guest { guests: self.clone(), since, leave: Arc::new(Notify::new()), _place: place };
        guest.falls_silent(begun);
        Arc::new(guest)
    }
}

impl Guest {
    /// A request has come.
    pub fn asks(&self) {
        let (number, _) = *lock(&self.since);
        lock(&self.guests.silent).guests.remove(&number);
    }

    /// The answer is made.
    pub fn ends(&self) {
        self.falls_silent(Instant::now());
    }

    fn falls_silent(&self, now: Instant) {
        let mut silent = lock(&self.guests.silent);
        silent.next += 1;
        let number = silent.next;
        *lock(&self.since) = (number, now);
        silent.guests.insert(number, self.leave.clone());
        if std::mem::take(&mut silent.wanted) {
            silent.show_one_out();
        }
    }

    /// Run a connection until it ends or must leave.
    pub async fn stay(&self, connection: impl Future) {
        let mut connection = pin!(connection);
        tokio::select! {
            _ = &mut connection => return,
            () = self.leave.notified() => {}
        }
        let (_, silent) = *lock(&self.since);
        // What is cut off here has had its time.
        let _ = timeout(LAST_WORDS.saturating_sub(silent.elapsed()), connection).await;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.asks();
    }
}

/// Raise the process's limit of open files so far that `connections` fit, and `others` beside; gives how many do fit.
pub fn make_room(connections: usize, others: usize) -> usize {
    let others = OTHER_FILES.saturating_add(others as u64);
    let wanted = others.saturating_add(connections as u64);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return connections };
    let raised = wanted.clamp(soft.min(hard), hard);
    let limit = if setrlimit(Resource::RLIMIT_NOFILE, raised, hard).is_ok() { raised } else { soft };
    let fit = usize::try_from(limit.saturating_sub(others)).unwrap_or(usize::MAX).max(1);
    if fit < connections {
        tracing::warn!("max_connections is {connections}, but the limit of open files ({limit}) leaves room for {fit}");
    }
    fit.min(connections)
}

#[cfg(test)]
mod tests {
    //! Guards who must leave: the one who was silent the longest, and nobody who has asked for something.
    use super::*;

    #[tokio::test]
    async fn the_longest_silent_makes_room() {
        let guests = Guests::new(3);
        let mut inside = Vec::new();
        for _ in 0..3 {
            inside.push(guests.enter(guests.place().await.expect("free")));
        }
        inside[0].asks();
        inside[1].asks();
        inside[1].ends();
        let told = |guest: &Arc<Guest>| {
            let mut leave = Box::pin(guest.leave.clone().notified_owned());
            leave.as_mut().enable()
        };
        let newcomer = guests.clone();
        let newcomer = tokio::spawn(async move { newcomer.place().await.is_some() });
        tokio::task::yield_now().await;
        let leaves: Vec<bool> = inside.iter().map(told).collect();
        assert_eq!(leaves, [false, false, true], "the first asks, the second asked later");
        drop(inside.pop());
        assert!(newcomer.await.expect("a task"));
        assert_eq!(lock(&guests.silent).guests.len(), 1, "who left is forgotten");
    }

    #[tokio::test]
    async fn where_all_ask_the_first_to_end_makes_room() {
        let guests = Guests::new(2);
        let mut inside = Vec::new();
        for _ in 0..2 {
            inside.push(guests.enter(guests.place().await.expect("free")));
        }
        inside.iter().for_each(|guest| guest.asks());
        let waiting = guests.clone();
        let newcomer = tokio::spawn(async move { waiting.place().await.is_some() });
        while !lock(&guests.silent).wanted {
            tokio::task::yield_now().await;
        }
        inside[1].ends();
        inside[1].stay(std::future::pending::<()>()).await;
        drop(inside.pop());
        assert!(newcomer.await.expect("a task"));
        assert!(lock(&guests.silent).guests.is_empty(), "the other one asks and stays");
    }

    #[test]
    fn files_are_enough_for_what_is_let_in() {
        let room = make_room(300, 16);
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        assert!((1..=300).contains(&room) && soft >= room as u64 + 16, "{room} of {soft}");
    }
}
