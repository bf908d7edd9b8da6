//! `vw-api media …`: what an operator does with stored media by hand.

use anyhow::bail;
use clap::Subcommand;

use crate::commands::said;
use crate::db::Db;
use crate::media::sweep;
use crate::settings::Sources;

#[derive(Subcommand)]
pub enum MediaCommand {
    /// Delete the files that no item has; `serve` does so every minute
    Sweep {
        #[command(flatten)]
        sources: Sources,
    },
    /// Sign content URLs with a new secret; those signed with the one before stay good, older ones end
    Rotate {
        #[command(flatten)]
        sources: Sources,
    },
}

/// Do what the command line says.
pub async fn run(command: MediaCommand) -> anyhow::Result<()> {
    match command {
        MediaCommand::Sweep { sources } => {
            let settings = sources.settings()?;
            let db = Db::new(&settings.database_url, 1, settings.pooler)?;
            let swept = sweep::once(&db, &settings.media.open_store()?).await.map_err(said)?;
            println!("{swept} keys swept");
            Ok(())
        }
        MediaCommand::Rotate { sources } => match sources.settings()?.media.open_store()?.rotate()? {
            true => Ok(()),
            false => bail!("S3 signs content URLs with the credentials of the service; rotate those"),
        },
    }
}
