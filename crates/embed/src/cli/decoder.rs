//! `vw-engine decoder`: what the engine starts for the files of strangers; nobody calls it by hand.

use anyhow::Result;
use clap::Args;

/// Decode files that come in over standard input, behind a fence.
#[derive(Args)]
pub struct Decoder {
    /// Bytes of address space at the most.
    #[arg(long)]
    memory: u64,
}

impl Decoder {
    pub fn run(self) -> Result<()> {
        vw_embed::sandbox::decode(self.memory)
    }
}
