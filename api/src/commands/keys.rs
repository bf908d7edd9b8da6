//! `vw-api key …` and `vw-api project …`, run as the role that owns the extension.

use anyhow::{Context, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use tokio_postgres::Row;

use crate::cli::Database;
use crate::commands::said;
use crate::db::{self, Db};
use crate::requests::admin::SCOPES;
use crate::types::{KeyInfo, Project};
use crate::{key, statement};

#[derive(Subcommand)]
pub enum KeyCommand {
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
        /// What the key is for: read, write, admin
        #[arg(long, value_delimiter = ',', default_value = "read,write", value_parser = SCOPES)]
        scopes: Vec<String>,
        /// Days after which the key opens nothing any more; never without it
        #[arg(long, value_parser = clap::value_parser!(i32).range(1..=20_000))]
        days: Option<i32>,
    },
    /// List keys
    List {
        #[command(flatten)]
        database: Database,
        /// Only the keys of this project
        #[arg(long)]
        project: Option<String>,
    },
    /// Make a new key in place of an old one and print it
    Rotate {
        #[command(flatten)]
        database: Database,
        /// The old key's id: the eight characters after vwk_
        id: String,
        /// Seconds for which the old key stays in force
        #[arg(long, default_value_t = 86_400, value_parser = clap::value_parser!(i32).range(0..=2_592_000))]
        grace_seconds: i32,
    },
    /// Revoke a key, at once and for good
    Revoke {
        #[command(flatten)]
        database: Database,
        /// The key's id: the eight characters after vwk_
        id: String,
    },
}

#[derive(Subcommand)]
pub enum ProjectCommand {
    /// Make a project
    Create {
        #[command(flatten)]
        database: Database,
        name: String,
    },
    /// List projects
    List {
        #[command(flatten)]
        database: Database,
    },
}

/// Do what `vw-api key …` says.
pub async fn run_key(command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Create { database, project, name, scopes, days } => {
            let (text, key) = generate()?;
            let seconds = days.map(|days| days.saturating_mul(86_400));
            let values: db::Params = &[&project, &name, &key.id, &key.hash, &scopes, &seconds];
            statement(database, statement::CREATE_KEY, values).await?;
            println!("{text}");
        }
        KeyCommand::List { database, project } => {
            let rows = statement(database, statement::KEYS, &[&project]).await?;
            print!("{}", table(KEY_HEAD, rows.iter().map(key_line).collect::<Result<_, _>>()?));
        }
        KeyCommand::Rotate { database, id, grace_seconds } => {
            let (text, key) = generate()?;
            statement(database, statement::ROTATE_KEY, &[&id, &key.id, &key.hash, &grace_seconds]).await?;
            println!("{text}");
        }
        KeyCommand::Revoke { database, id } => {
            let rows = statement(database, statement::REVOKE_KEY, &[&id]).await?;
            let revoked: Option<Option<bool>> = rows.first().map(|row| row.try_get("revoked")).transpose()?;
            if revoked.flatten() != Some(true) {
                bail!("there is no key \"{id}\"; `vw-api key list` shows the ids");
            }
        }
    }
    Ok(())
}

/// Do what `vw-api project …` says.
pub async fn run_project(command: ProjectCommand) -> anyhow::Result<()> {
    let rows = match command {
        ProjectCommand::Create { database, name } => statement(database, statement::CREATE_PROJECT, &[&name]).await?,
        ProjectCommand::List { database } => statement(database, statement::PROJECTS, &[]).await?,
    };
    let line = |row: &Row| {
        let Project { id, name, created_at } = Project::from_row(row).map_err(said)?;
        anyhow::Ok([id, name, time(Some(created_at))])
    };
    print!("{}", table(["ID", "NAME", "CREATED"], rows.iter().map(line).collect::<Result<_, _>>()?));
    Ok(())
}

fn generate() -> anyhow::Result<(String, key::Key)> {
    key::generate().context("the system gives no random numbers")
}

/// Run one statement on a connection of its own.
async fn statement(database: Database, text: &str, params: db::Params<'_>) -> anyhow::Result<Vec<Row>> {
    let settings = database.settings()?;
    let db = Db::new(&settings.database_url, 1, settings.pooler)?;
    db.rows(text, params).await.map_err(said)
}

const KEY_HEAD: [&str; 8] = ["ID", "PROJECT", "NAME", "SCOPES", "CREATED", "LAST USED", "EXPIRES", "REVOKED"];

fn key_line(row: &Row) -> anyhow::Result<[String; 8]> {
    let key = KeyInfo::from_row(row).map_err(said)?;
    let KeyInfo { id, project, name, scopes, created_at, last_used_at, expires_at, revoked_at } = key;
    let times = [Some(created_at), last_used_at, expires_at, revoked_at].map(time);
    let [created, used, expires, revoked] = times;
    Ok([id, project, name.unwrap_or_default(), scopes.join(","), created, used, expires, revoked])
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

/// Lay lines out in columns, control characters made visible.
fn table<const N: usize>(head: [&str; N], lines: Vec<[String; N]>) -> String {
    let all = std::iter::once(head.map(str::to_owned)).chain(lines);
    let lines: Vec<_> = all.map(|line| line.map(|cell| cell.escape_debug().to_string())).collect();
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
    //! Guards the tables that are printed.
    use super::*;

    #[test]
    fn columns_line_up() {
        let text = table(["ID", "NAME"], vec![["abcd1234".to_owned(), "é\n".to_owned()]]);
        assert_eq!(text, "ID        NAME\nabcd1234  é\\n\n");
    }
}
