//! How much the media of one request may come to: a share is set aside before a fetch and what it did not need comes back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Bytes that several fetches share.
pub struct Budget {
    total: usize,
    state: Mutex<State>,
    returned: Notify,
}

struct State {
    left: usize,
    /// Shares that may still come back, in part.
    out: usize,
}

/// A share of a budget; dropped, it comes back whole.
pub struct Share<'a> {
    budget: &'a Budget,
    /// Its bytes.
    pub size: usize,
}

impl Budget {
    pub fn new(bytes: usize) -> Budget {
        Budget { total: bytes, state: Mutex::new(State { left: bytes, out: 0 }), returned: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Set `bytes` aside, or what is left where nothing more can come back; None where that is nothing.
    pub async fn share(&self, bytes: usize) -> Option<Share<'_>> {
        loop {
            // Asked for before the look, so that a return between look and wait is not missed.
            let returned = self.returned.notified();
            {
                let mut state = self.state();
                let size = if state.out == 0 { bytes.min(state.left) } else { bytes };
                if size == 0 {
                    return None;
                }
                if size <= state.left {
                    state.left -= size;
                    state.out += 1;
                    return Some(Share { budget: self, size });
                }
            }
            returned.await;
        }
    }

    /// The bytes that are set aside or kept.
    pub fn kept(&self) -> usize {
        self.total - self.state().left
    }

    fn back(&self, bytes: usize) {
        let mut state = self.state();
        state.left += bytes;
        state.out -= 1;
        drop(state);
        self.returned.notify_waiters();
    }
}

impl Share<'_> {
    /// Keep `bytes` of the share for good.
    pub fn keep(mut self, bytes: usize) {
        self.size = self.size.saturating_sub(bytes);
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.budget.back(self.size);
    }
}

#[cfg(test)]
mod tests {
    //! Guards memory against a hundred large files at once, and small files against waiting for ever.
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn shares_wait_for_what_may_come_back() {
        let budget = Budget::new(50);
        let first = budget.share(20).await.expect("there is enough");
        let second = budget.share(20).await.expect("there is enough");
        let third = budget.share(20);
        tokio::pin!(third);
        assert!(third.as_mut().now_or_never().is_none(), "10 are left, more may come back");
        first.keep(5);
        let third = third.await.expect("25 were left");
        drop(second);
        third.keep(20);
        assert_eq!(budget.share(100).await.expect("the rest").size, 25);
        let rest = budget.share(25).await.expect("it came back");
        rest.keep(25);
        assert!(budget.share(1).await.is_none() && budget.kept() == 50);
    }
}
