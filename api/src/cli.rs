//! The command line.

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio_postgres::Row;

use crate::app::App;
use crate::db::{self, Db};
use crate::{idempotency, key, routes, server, statement};

const EXAMPLES: &str = "Examples:
  vw-api key create --project shop --database-url postgresql://owner@127.0.0.1/app
  vw-api serve --database-url 'host=/run/postgresql dbname=app user=vw_service'
  curl http://127.0.0.1:8080/v1/vectors/models -H \"Authorization: Bearer $KEY\"";

/// The REST service of vw: vector search over text, images and audio inside PostgreSQL.
#[derive(Parser)]
#[command(name = "vw-api", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the Vectors API, with a console at /
    Serve {
        #[command(flatten)]
        database: Database,
        /// The address and port to listen on; port 0 picks a free one
        #[arg(long, env = "VW_LISTEN", default_value = "127.0.0.1:8080")]
        listen: String,
        /// The most connections to the database
        #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
        pool_size: u16,
    },
    /// Make, list and revoke API keys, as the role that owns the extension
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Make a key and print it; it is not shown again
    Create {
        #[command(flatten)]
        database: Database,
        /// The project that the key opens; made if it is missing
        #[arg(long)]
        project: String,
        /// A label to know the key by
        #[arg(long)]
        name: Option<String>,
    },
    /// List keys
    List {
        #[command(flatten)]
        database: Database,
        /// Only the keys of this project
        #[arg(long)]
        project: Option<String>,
    },
    /// Revoke a key, at once and for good
    Revoke {
        #[command(flatten)]
        database: Database,
        /// The key's id: the eight characters after vwk_
        id: String,
    },
}

#[derive(Args)]
struct Database {
    /// A PostgreSQL URL or connection string
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

/// Do what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Serve { database, listen, pool_size } => {
            let db = Db::new(&database.database_url, usize::from(pool_size))?;
            let listener = TcpListener::bind(&listen).await.with_context(|| format!("cannot listen on {listen}"))?;
            tracing::info!("listening on http://{}", listener.local_addr()?);
            tokio::spawn(idempotency::sweep(db.clone()));
            server::serve(listener, routes::router(App::new(db))).await.context("the service failed")
        }
        Command::Key(KeyCommand::Create { database, project, name }) => create_key(&database, &project, name).await,
        Command::Key(KeyCommand::List { database, project }) => list_keys(&database, project).await,
        Command::Key(KeyCommand::Revoke { database, id }) => revoke_key(&database, &id).await,
    }
}

async fn create_key(database: &Database, project: &str, name: Option<String>) -> anyhow::Result<()> {
    let (text, key) = key::generate().context("the system gives no random numbers")?;
    run_statement(database, statement::CREATE_KEY, &[&project, &name, &key.id, &key.hash]).await?;
    println!("{text}");
    Ok(())
}

async fn list_keys(database: &Database, project: Option<String>) -> anyhow::Result<()> {
    let rows = run_statement(database, statement::KEYS, &[&project]).await?;
    let mut lines = vec![["ID", "PROJECT", "NAME", "CREATED", "REVOKED"].map(str::to_owned)];
    for row in &rows {
        lines.push(key_line(row)?);
    }
    print!("{}", table(&lines));
    Ok(())
}

async fn revoke_key(database: &Database, id: &str) -> anyhow::Result<()> {
    let rows = run_statement(database, statement::REVOKE_KEY, &[&id]).await?;
    let revoked: Option<Option<bool>> = rows.first().map(|row| row.try_get("revoked")).transpose()?;
    match revoked.flatten() {
        Some(true) => Ok(()),
        _ => bail!("there is no key \"{id}\"; `vw-api key list` shows the ids"),
    }
}

/// Run one statement on a connection of its own.
async fn run_statement(database: &Database, text: &str, params: db::Params<'_>) -> anyhow::Result<Vec<Row>> {
    let db = Db::new(&database.database_url, 1)?;
    db.rows(text, params).await.map_err(|error| anyhow::anyhow!("{}", error.cause.unwrap_or(error.message)))
}

fn key_line(row: &Row) -> anyhow::Result<[String; 5]> {
    let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let name: Option<String> = row.try_get("name")?;
    let revoked: Option<DateTime<Utc>> = row.try_get("revoked_at")?;
    Ok([
        row.try_get("id")?,
        row.try_get("project")?,
        name.unwrap_or_default(),
        time(row.try_get("created_at")?),
        revoked.map(time).unwrap_or_default(),
    ])
}

/// Lay lines out in columns, control characters made visible.
fn table(lines: &[[String; 5]]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.each_ref().map(|cell| cell.escape_debug().to_string())).collect();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|c| c.chars().count()).max();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().enumerate().map(|(at, cell)| format!("{cell:0$}  ", width(at).unwrap_or(0)));
        text.push_str(cells.collect::<String>().trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    //! Guards the command line's definition and the table of keys.
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn columns_line_up() {
        let row = |cells: [&str; 5]| cells.map(str::to_owned);
        let text = table(&[row(["ID", "PROJECT", "NAME", "CREATED", "REVOKED"]), row(["abcd1234", "é", "", "x", ""])]);
        assert_eq!(text, "ID        PROJECT  NAME  CREATED  REVOKED\nabcd1234  é              x\n");
    }
}
