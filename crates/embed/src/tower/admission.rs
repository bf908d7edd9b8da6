//! How much input one lane of a tower may hold: what is refused at the door costs nothing but the refusal.
//!
//! Requests are not counted here: each holds a connection, and those are capped in `serve`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vw_protocol::ErrorCode;

use crate::Failure;

/// Bytes of input that are let in.
pub struct Budget {
    limit: usize,
    used: Arc<AtomicUsize>,
}

/// Bytes that were let in; they are given back on drop.
#[derive(Debug)]
pub struct Ticket {
    used: Arc<AtomicUsize>,
    bytes: usize,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Budget {
        Budget { limit, used: Arc::default() }
    }

    /// Let `bytes` in, or refuse with [`ErrorCode::Overloaded`]; into an empty budget anything goes.
    pub fn admit(&self, bytes: usize) -> Result<Ticket, Failure> {
        let room = |used: usize| {
            let total = used.checked_add(bytes)?;
            (used == 0 || total <= self.limit).then_some(total)
        };
        match self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room) {
            Ok(_) => Ok(Ticket { used: Arc::clone(&self.used), bytes }),
            Err(used) => {
                let message = format!("the embedding engine is overloaded: {used} bytes of input are waiting already");
                Err(Failure::new(ErrorCode::Overloaded, message).hint("Try again later, or send less at a time."))
            }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_budget_refuses_until_something_is_given_back() {
        let budget = Budget::new(100);
        let first = budget.admit(60).expect("it is empty");
        let refused = budget.admit(60).expect_err("120 are more than 100");
        assert_eq!(refused.code, ErrorCode::Overloaded);
        assert!(!refused.hint.is_empty());
        let _second = budget.admit(40).expect("100 are allowed");
        drop(first);
        budget.admit(60).expect("60 were given back");
    }

    #[test]
    fn an_empty_budget_takes_one_request_of_any_size() {
        let budget = Budget::new(100);
        let large = budget.admit(1000).expect("it is empty");
        budget.admit(1).expect_err("it is full");
        drop(large);
        budget.admit(1).expect("it is empty again");
    }
}
