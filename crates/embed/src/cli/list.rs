//! `vw-engine list`: the packs of a folder.

use std::io::Write;

use anyhow::{Result, bail};
use clap::Args;
use vw_embed::Failure;
use vw_embed::check::modalities;
use vw_embed::engine::Options;

use super::Place;

/// List the models, one per line: id, modalities, dimensions, metric and hash, separated by tabs.
///
/// Packs that cannot be read are named on standard error, and the exit status is then 1.
#[derive(Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
}

impl List {
    pub fn run(self) -> Result<()> {
        let engine = self.place.open(Options::default())?;
        for model in engine.models() {
            let (types, dimensions) = (modalities(&model), model.dimensions);
            let line = format!("{}\t{types}\t{dimensions}\t{}\tsha256 {}", model.id, model.metric, model.sha256);
            writeln!(std::io::stdout(), "{line}")?;
        }
        if engine.models().is_empty() && engine.broken().next().is_none() {
            let folder = self.place.models.display();
            eprintln!("vw-engine: no pack in {folder}: a subfolder with a vw-pack.json or a config.json would be one");
        }
        let broken: Vec<String> = engine.broken().map(Failure::told).collect();
        if broken.is_empty() { Ok(()) } else { bail!("packs that cannot be read: {}", broken.join("; ")) }
    }
}
