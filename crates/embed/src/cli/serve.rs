//! `vw-engine serve`: the service behind PostgreSQL's vw extension.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;

use super::Place;

/// Answer requests on a unix socket until standard input ends.
///
/// The socket is open to the own user only. PostgreSQL's vw extension starts this command by itself; start it
/// by hand to serve vw.engine_address, for instance: sleep infinity | vw-engine serve --models ... --socket ...
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    place: Place,
    /// Path of the socket; one that no engine answers on is replaced.
    #[arg(long)]
    socket: PathBuf,
}

impl Serve {
    pub fn run(self) -> Result<()> {
        vw_embed::serve::serve(Arc::new(self.place.open()?), &self.socket)
    }
}
