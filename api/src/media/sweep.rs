//! Deleting the files that no item has: what the database says is due, until nothing is.

use std::time::Duration;

use crate::db::Db;
use crate::error::Result;
use crate::statement;
use crate::types::get;

use super::store::Store;
use super::unavailable;

/// How long a service waits between two sweeps.
const PAUSE: Duration = Duration::from_secs(60);

/// Sweep for as long as the service runs.
pub async fn forever(db: Db, store: Store) {
    loop {
        // The wait is not the same for all services that were started together.
        let jitter = getrandom::u32().map_or(0, |random| u64::from(random) % 10_000);
        tokio::time::sleep(PAUSE + Duration::from_millis(jitter)).await;
        store.refresh();
        match once(&db, &store).await {
            Ok(0) => {}
            Ok(count) => tracing::info!("swept {count} keys of media"),
            Err(error) => tracing::warn!("media cannot be swept: {}", error.cause.unwrap_or(error.message)),
        }
    }
}

/// Delete all files that are due; gives how many keys that were.
///
/// A sweep that is cut off anywhere leaves its keys claimed; they are due again ten minutes later.
pub async fn once(db: &Db, store: &Store) -> Result<usize> {
    let mut count = 0;
    loop {
        let rows = db.rows(statement::CLAIM_MEDIA, &[]).await?;
        let keys: Vec<String> = rows.iter().map(|row| get(row, "key")).collect::<Result<_>>()?;
        if keys.is_empty() {
            return Ok(count);
        }
        store.delete(&keys).await.map_err(unavailable)?;
        db.rows(statement::FORGET_MEDIA, &[&keys]).await?;
        count += keys.len();
    }
}
