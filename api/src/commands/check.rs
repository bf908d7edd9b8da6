//! `vw-api check`: whether a service with these settings would work, and what about it is unwise.

use std::sync::Arc;

use anyhow::bail;

use crate::commands::said;
use crate::db::Db;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::statement;
use crate::types::{Model, get};

/// Check the settings, which are sound once they are here, and then the database behind them.
pub async fn run(settings: &Settings) -> anyhow::Result<()> {
    println!("ok    settings: listen on {}, {} connections to the database", settings.listen, settings.pool_size);
    settings.media.open(Arc::new(Metrics::new()?))?;
    println!("ok    media are kept in {}", settings.media.store);
    let db = Db::new(&settings.database_url, 1, settings.pooler)?;
    let row = db.one(statement::CHECK, &[]).await.map_err(said)?;
    let text = |column| get::<String>(&row, column).map_err(said);
    let (role, server) = (text("role")?, text("server")?);
    println!("ok    database: PostgreSQL {server}, as role {role}");
    let Some(version) = get::<Option<String>>(&row, "version").map_err(said)? else {
        bail!("the database has no extension vw: CREATE EXTENSION vw CASCADE");
    };
    println!("ok    extension vw {version}");
    if !get::<bool>(&row, "granted").map_err(said)? {
        bail!("the role lacks its rights, as its owner run: SELECT vw.grant_service('{role}')");
    }
    match get::<bool>(&row, "mighty").map_err(said)? {
        true => println!("warn  role {role} may do anything; serve as one that was given to vw.grant_service"),
        false => println!("ok    role {role} has its rights, and no power over others"),
    }
    let models = db.rows(statement::MODELS, &[]).await.map_err(said)?;
    for row in &models {
        let model = Model::from_row(row).map_err(said)?;
        println!("ok    model {}: {}, {} dimensions", model.id, model.types.join(", "), model.dimensions);
    }
    if models.is_empty() {
        bail!("the engine has no model");
    }
    Ok(())
}
