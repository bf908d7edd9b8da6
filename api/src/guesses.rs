//! How many requests with keys that are not in force an address may send. Keys cannot be guessed, being 32 random bytes; what is
//! limited is the work that wrong ones cost the database.
//!
//! A key that opened its project in the last hour is asked for whoever else sends wrong ones from that address: behind one
//! address there may be a whole company, or a proxy that `trusted_proxies` does not name.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;

use crate::key::Key;
use crate::peer::{Peer, Proxies, site};
use crate::window::Windows;

/// How long a key that was in force is remembered.
const MEMORY: Duration = Duration::from_secs(3600);

/// The most keys that are remembered, 48 bytes each.
const MANY_KEYS: usize = 65_536;

/// The most addresses that are counted apart; all others share one count.
const MANY_SITES: usize = 65_536;

/// What is counted.
pub struct Guesses {
    /// Failures a minute for each address; 0 is without limit.
    limit: u32,
    proxies: Proxies,
    failures: Windows<IpAddr>,
    /// SHA-256 of the keys that were in force, and when they were. Only the database says whether they are.
    good: Mutex<HashMap<Vec<u8>, Instant>>,
}

impl Guesses {
    pub fn new(limit: u32, proxies: Proxies) -> Guesses {
        Guesses { limit, proxies, failures: Windows::new(), good: Mutex::default() }
    }

    fn good(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Instant>> {
        self.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tell for whom a request counts.
    pub fn site(&self, request: &Request) -> Option<IpAddr> {
        let Peer(peer) = request.extensions().get()?;
        Some(site(self.proxies.client(*peer, request.headers())))
    }

    /// How long a request must wait; None where it may be looked at. Without a key, it has none of the form of a key.
    pub fn wait(&self, site: Option<IpAddr>, key: Option<&Key>, now: Instant) -> Option<Duration> {
        let site = self.counted(site?)?;
        let room = self.failures.look(&site, self.limit, now);
        if room.left > 0 || key.is_some_and(|key| self.is_good(key, now)) { None } else { Some(room.reset) }
    }

    fn is_good(&self, key: &Key, now: Instant) -> bool {
        self.good().get(&key.hash).is_some_and(|time| now.saturating_duration_since(*time) < MEMORY)
    }

    /// Count a request whose key is not in force.
    pub fn failed(&self, site: Option<IpAddr>, key: Option<&Key>, now: Instant) {
        let Some(site) = site.and_then(|site| self.counted(site)) else { return };
        if let Some(key) = key {
            self.good().remove(&key.hash);
        }
        self.failures.count(site, self.limit, now);
    }

    /// Remember a key that is in force.
    pub fn worked(&self, key: &Key, now: Instant) {
        if self.limit == 0 {
            return;
        }
        let mut good = self.good();
        if good.len() >= MANY_KEYS && !good.contains_key(&key.hash) {
            good.retain(|_, time| now.saturating_duration_since(*time) < MEMORY);
            if good.len() >= MANY_KEYS {
                good.clear();
            }
        }
        good.insert(key.hash.clone(), now);
    }

    /// The address under which failures are counted; None where there is no limit.
    fn counted(&self, site: IpAddr) -> Option<IpAddr> {
        let shared = IpAddr::from([0, 0, 0, 0]);
        (self.limit > 0).then(|| if self.failures.len() < MANY_SITES { site } else { shared })
    }
}

#[cfg(test)]
mod tests {
    //! Guards the limit, and whoever has a good key behind an address that has none left.
    use super::*;

    const RED: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const BLUE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    fn key(seed: u8) -> Key {
        Key { id: "abcd1234".to_owned(), hash: vec![seed; 32] }
    }

    #[test]
    fn an_address_is_heard_again_when_its_failures_are_a_minute_old() {
        let (guesses, start) = (Guesses::new(3, Proxies::default()), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        (0..3).for_each(|second| guesses.failed(RED, Some(&key(9)), at(second)));
        assert_eq!(guesses.wait(RED, Some(&key(8)), at(10)), Some(Duration::from_secs(50)));
        assert_eq!(guesses.wait(RED, None, at(10)), Some(Duration::from_secs(50)));
        assert_eq!(guesses.wait(BLUE, Some(&key(8)), at(10)), None, "another address is not concerned");
        assert_eq!(guesses.wait(RED, Some(&key(8)), at(60)), None);
    }

    #[test]
    fn a_key_that_was_good_is_heard_behind_any_address() {
        let (guesses, start) = (Guesses::new(1, Proxies::default()), Instant::now());
        guesses.worked(&key(1), start);
        guesses.failed(RED, None, start);
        assert_eq!(guesses.wait(RED, Some(&key(1)), start), None);
        assert!(guesses.wait(RED, Some(&key(2)), start).is_some());
        guesses.failed(BLUE, Some(&key(1)), start);
        assert!(guesses.wait(RED, Some(&key(1)), start).is_some(), "it was revoked in the meantime");
        guesses.worked(&key(3), start);
        let late = start + MEMORY;
        guesses.failed(RED, None, late);
        assert!(guesses.wait(RED, Some(&key(3)), late).is_some(), "it was good too long ago");
    }

    #[test]
    fn memory_is_bounded_and_no_limit_keeps_nothing() {
        let (guesses, now) = (Guesses::new(1, Proxies::default()), Instant::now());
        for number in 0..=u32::try_from(MANY_KEYS).expect("a number") {
            guesses.worked(&Key { id: String::new(), hash: number.to_be_bytes().to_vec() }, now);
            guesses.failed(Some(IpAddr::from(number.to_be_bytes())), None, now);
        }
        assert!(guesses.good().len() <= MANY_KEYS && guesses.failures.len() <= MANY_SITES);
        let free = Guesses::new(0, Proxies::default());
        (0..9).for_each(|_| free.failed(RED, None, now));
        assert_eq!((free.wait(RED, None, now), free.failures.len()), (None, 0));
    }
}
