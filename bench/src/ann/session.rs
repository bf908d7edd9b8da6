//! A database to measure in, and connections to it. Statements that name things are put together by the database.

use std::io::{BufWriter, Write};

use anyhow::{Context, Result};
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls, Statement};

use super::data::{Data, Metric};
use super::kinds::Kind;
use super::{Plan, wire};

/// A database, and the access methods for vectors that it has.
pub struct Side {
    config: Config,
    /// Each access method, and whether it is of our library.
    methods: Vec<(String, bool)>,
    /// Whether the type is of our library.
    ours: bool,
    versions: String,
}

impl Side {
    pub fn new(config: Config) -> Result<Side> {
        let mut client = config.connect(NoTls).context("cannot connect to a database to measure in")?;
        client.batch_execute(include_str!("../../sql/ann_vectorchord.sql"))?;
        let rows = client.query(include_str!("../../sql/ann_methods.sql"), &[])?;
        let methods = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let row = client.query_one(include_str!("../../sql/ann_versions.sql"), &[])?;
        Ok(Side { config, methods, ours: row.get(0), versions: row.get(1) })
    }

    pub fn is_ours(&self) -> bool {
        self.ours
    }

    /// Tell whether the database has this kind: pgvector's names mean pgvector's library.
    pub fn has(&self, kind: &Kind) -> bool {
        self.methods.iter().any(|(name, ours)| name == kind.method && *ours == kind.ours)
    }

    pub fn describe(&self) -> String {
        format!("in a database with {}", self.versions)
    }

    pub fn connect(&self) -> Result<Client> {
        let mut client = self.config.connect(NoTls).context("cannot connect")?;
        client.batch_execute(include_str!("../../sql/ann_session.sql"))?;
        Ok(client)
    }

    /// Connect with these settings, and prepare the search.
    pub fn search(&self, metric: Metric, settings: &[(&str, &str)]) -> Result<(Client, Statement)> {
        let mut client = self.connect()?;
        for (name, value) in settings {
            set(&mut client, name, value)?;
        }
        let statement = client.prepare(match metric {
            Metric::Cosine => include_str!("../../sql/ann_search_cosine.sql"),
            Metric::L2 => include_str!("../../sql/ann_search_l2.sql"),
            Metric::Ip => include_str!("../../sql/ann_search_ip.sql"),
        })?;
        Ok((client, statement))
    }
}

/// Tell how the server would run the search: `Index Scan using ...`, for instance.
pub fn explain(client: &mut Client, metric: Metric, query: &[f32]) -> Result<String> {
    let statement = match metric {
        Metric::Cosine => include_str!("../../sql/ann_plan_cosine.sql"),
        Metric::L2 => include_str!("../../sql/ann_plan_l2.sql"),
        Metric::Ip => include_str!("../../sql/ann_plan_ip.sql"),
    };
    let lines = client.query(statement, &[&wire::Wire::new(query)])?;
    Ok(lines.iter().map(|line| line.get::<_, String>(0)).collect::<Vec<_>>().join("\n"))
}

pub fn set(client: &mut Client, name: &str, value: &str) -> Result<()> {
    let done = client.execute(include_str!("../../sql/ann_set.sql"), &[&name, &value]);
    done.with_context(|| format!("cannot set {name} to {value}"))?;
    Ok(())
}

/// Run the statement that `make` gives.
pub fn run_made(client: &mut Client, make: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<()> {
    let statement: String = client.query_one(make, parameters)?.get(0);
    client.batch_execute(&statement).with_context(|| format!("the server refuses {statement}"))
}

/// Make the table and fill it.
pub fn load(side: &Side, data: &Data, plan: &Plan) -> Result<()> {
    let mut client = side.connect()?;
    client.batch_execute(include_str!("../../sql/ann_drop.sql"))?;
    let dims = i32::try_from(data.base.dims)?;
    run_made(&mut client, include_str!("../../sql/ann_table.sql"), &[&dims, &plan.workers])?;
    let mut copy = BufWriter::with_capacity(1 << 18, client.copy_in(include_str!("../../sql/ann_copy.sql"))?);
    wire::copy((0..).zip(data.base.rows()), &mut copy)?;
    copy.flush()?;
    copy.into_inner().map_err(|error| error.into_error())?.finish()?;
    client.batch_execute(include_str!("../../sql/ann_settle.sql"))?;
    Ok(client.batch_execute(include_str!("../../sql/ann_checkpoint.sql"))?)
}

/// Drop the table.
pub fn clear(side: &Side) -> Result<()> {
    Ok(side.connect()?.batch_execute(include_str!("../../sql/ann_drop.sql"))?)
}

pub fn drop_index(side: &Side) -> Result<()> {
    Ok(side.connect()?.batch_execute(include_str!("../../sql/ann_drop_index.sql"))?)
}
