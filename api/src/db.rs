//! The pool of connections. Knows no HTTP and no JSON; the statements themselves are in `statement`.
//!
//! Connections keep no state between statements. A connection whose request was abandoned is cancelled and thrown
//! away, so that the next request never waits behind it; every connection is tested as it leaves the pool, so that a
//! restarted database costs no request.

use std::time::{Duration, Instant};

use anyhow::Context;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row};

use crate::error::{Error, Result};
use crate::metrics::PoolState;
use crate::timing::Spent;
use crate::{sqlstate, statement};

/// How long to wait for a connection: for a free one, for a new one, for a tested one.
const CONNECTION_WAIT: Duration = Duration::from_secs(5);

/// Set as each connection starts; the server then ends a statement after 60 s.
const OPTIONS: &str = "-c statement_timeout=60000";

/// How long to wait for a statement; longer than the server's own limit, so that it ends the wait on a dead network only.
const STATEMENT_WAIT: Duration = Duration::from_secs(75);

/// Parameters of a statement.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The database.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
}

impl Db {
    /// Prepare a pool of at most `size` connections; connects to nothing yet.
    ///
    /// Behind a pooler (PgBouncer) no options may be sent as a connection starts; statements then end by the wait here.
    pub fn new(database_url: &str, size: usize, pooler: bool) -> anyhow::Result<Db> {
        let mut config: Config = database_url
            .parse()
            .context("database_url must be like postgresql://user:password@host:5432/database or host=… dbname=…")?;
        let options = config.get_options().map_or(OPTIONS.to_owned(), |given| format!("{OPTIONS} {given}"));
        if !pooler {
            config.options(options);
        }
        config.connect_timeout(CONNECTION_WAIT).tcp_user_timeout(STATEMENT_WAIT);
        if config.get_application_name().is_none() {
            config.application_name("vw-api");
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Verified };
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECTION_WAIT))
            .create_timeout(Some(CONNECTION_WAIT))
            .recycle_timeout(Some(CONNECTION_WAIT))
            .build()
            .context("the pool cannot be made")?;
        Ok(Db { pool })
    }

    /// Tell what the pool has.
    pub fn pool(&self) -> PoolState {
        let status = self.pool.status();
        PoolState { size: status.size, idle: status.available, waiting: status.waiting }
    }

    /// Run one statement; give all its rows.
    pub async fn rows(&self, statement: &str, params: Params<'_>) -> Result<Vec<Row>> {
        let started = Instant::now();
        let outcome = self.run(statement, params).await;
        Spent::current().add(started.elapsed());
        outcome
    }

    async fn run(&self, statement: &str, params: Params<'_>) -> Result<Vec<Row>> {
        let object = self.pool.get().await.map_err(|error| sqlstate::from_pool(&error))?;
        let mut lease = Lease(Some(object));
        match tokio::time::timeout(STATEMENT_WAIT, lease.run(statement, params)).await {
            Ok(outcome) => {
                lease.give_back();
                outcome.map_err(|error| sqlstate::from_query(&error))
            }
            Err(_) => Err(sqlstate::database_unavailable("no answer from the database".to_owned())),
        }
    }

    /// Run one statement that gives exactly one row.
    pub async fn one(&self, statement: &str, params: Params<'_>) -> Result<Row> {
        let mut rows = self.rows(statement, params).await?;
        match (rows.pop(), rows.pop()) {
            (Some(row), None) => Ok(row),
            _ => Err(Error::internal("a statement that gives one row gave none or several")),
        }
    }
}

/// A connection in use. Dropped before it is given back, it cancels what runs on it and leaves the pool.
struct Lease(Option<Object>);

impl Lease {
    async fn run(&self, text: &str, params: Params<'_>) -> std::result::Result<Vec<Row>, tokio_postgres::Error> {
        let Some(client) = &self.0 else { return Ok(Vec::new()) };
        let types = statement::types(text, params.len());
        let typed: Vec<_> = params.iter().copied().zip(types).collect();
        client.query_typed(text, &typed).await
    }

    fn give_back(&mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(object) = self.0.take() else { return };
        let client = Object::take(object);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let token = client.cancel_token();
            // Nobody waits for the statement any more: whether it could be cancelled changes nothing here.
            let _ = tokio::time::timeout(CONNECTION_WAIT, token.cancel_query(NoTls)).await;
            drop(client);
        });
    }
}
