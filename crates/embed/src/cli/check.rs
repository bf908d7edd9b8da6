//! `vw-engine check`: whether a pack is in order.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use vw_embed::check::check;
use vw_embed::engine::Engine;

use super::Runtime;

/// Load a model pack, show what it is, and test that its vectors look like embeddings.
///
/// The exit status is 1 if something is wrong, and the message says what.
#[derive(Args)]
pub struct Check {
    /// The pack's folder.
    pack: PathBuf,
    #[command(flatten)]
    runtime: Runtime,
}

impl Check {
    pub fn run(self) -> Result<()> {
        let (library, threads) = (self.runtime.library()?, self.runtime.threads);
        let engine = Engine::of_packs(std::slice::from_ref(&self.pack), &library, threads)?;
        let report = check(&engine).with_context(|| format!("{} is not in order", self.pack.display()))?;
        Ok(writeln!(std::io::stdout(), "{report}")?)
    }
}
