//! `vw-engine check`: whether a pack is in order.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use vw_embed::check::check;
use vw_embed::engine::Engine;
use vw_embed::sandbox::Limits;

use super::Runtime;

/// Load a model pack, show what it is, and test that its vectors look like embeddings.
///
/// The exit status is 1 if something is wrong, and the message says what.
#[derive(Args)]
pub struct Check {
    /// The pack's folder, as pulled from the hub or with a vw-pack.json.
    pack: PathBuf,
    #[command(flatten)]
    runtime: Runtime,
}

impl Check {
    pub fn run(self) -> Result<()> {
        let (library, options) = (self.runtime.library()?, self.runtime.options(Limits::default()));
        let engine = Engine::of_packs(std::slice::from_ref(&self.pack), &library, options)?;
        let report = check(&engine).map_err(|failure| anyhow!("the pack is not in order: {}", failure.told()))?;
        Ok(writeln!(std::io::stdout(), "{report}")?)
    }
}
