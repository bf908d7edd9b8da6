//! The command line. What the commands do is in `commands`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::{check, keys, media, serve};
use crate::settings::{Given, Settings, Sources};
use crate::transfer;

const EXAMPLES: &str = "Examples:
  vw-api key create --project shop --database-url postgresql://owner@127.0.0.1/app
  vw-api check --config vw-api.toml
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
        sources: Sources,
    },
    /// Check the settings and what they lead to: the database, the rights of the role, the models
    Check {
        #[command(flatten)]
        sources: Sources,
    },
    Import(transfer::Import),
    Export(transfer::Export),
    /// Work on stored media
    #[command(subcommand)]
    Media(media::MediaCommand),
    /// Make, list, replace and revoke API keys, as the role that owns the extension
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Make and list projects, as the role that owns the extension
    #[command(subcommand)]
    Project(keys::ProjectCommand),
}

/// The database, for commands that need no more.
#[derive(Args)]
pub struct Database {
    /// A TOML file of settings, for database_url
    #[arg(long, env = "VW_CONFIG")]
    config: Option<PathBuf>,
    /// A PostgreSQL URL or connection string
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl Database {
    /// The settings, all others as in the file.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let given = Given { database_url: self.database_url, ..Given::default() };
        Sources { config: self.config, given }.settings()
    }
}

/// Do what the command line says.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Import(import) => import.run().await,
        Command::Export(export) => export.run().await,
        Command::Serve { sources } => serve::run(&sources.settings()?).await,
        Command::Check { sources } => check::run(&sources.settings()?).await,
        Command::Media(command) => media::run(command).await,
        Command::Key(command) => keys::run_key(command).await,
        Command::Project(command) => keys::run_project(command).await,
    }
}

#[cfg(test)]
mod tests {
    //! Guards the command line's definition.
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
