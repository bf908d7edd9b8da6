//! How long a request waited for the database, for the header Server-Timing.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

tokio::task_local! {
    static SPENT: Arc<AtomicU64>;
}

/// The microseconds that one request spent on statements, waits for connections included.
#[derive(Clone, Default)]
pub struct Spent(Arc<AtomicU64>);

impl Spent {
    /// Run a request, or a part of it on a task of its own, whose statements are counted here.
    pub async fn count<F: Future>(&self, work: F) -> F::Output {
        SPENT.scope(self.0.clone(), work).await
    }

    /// The counter of the request that runs now; one that nobody reads where none does.
    pub fn current() -> Spent {
        SPENT.try_with(|spent| Spent(spent.clone())).unwrap_or_default()
    }

    /// Count a statement.
    pub fn add(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The value of the header.
    pub fn header(&self, total: Duration) -> String {
        let ms = |micros: u128| format!("{}.{}", micros / 1000, micros % 1000 / 100);
        format!("total;dur={}, db;dur={}", ms(total.as_micros()), ms(self.0.load(Ordering::Relaxed).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn statements_of_a_request_add_up() {
        let spent = Spent::default();
        spent.count(async { Spent::current().add(Duration::from_micros(1230)) }).await;
        spent.count(async { Spent::current().add(Duration::from_micros(1000)) }).await;
        Spent::current().add(Duration::from_secs(9));
        assert_eq!(spent.header(Duration::from_micros(12_345)), "total;dur=12.3, db;dur=2.2");
    }
}
