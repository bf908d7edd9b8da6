//! The peer: genuine pgvector in another database of the same server.
//!
//! Its extension has the name of ours, so it is found by its version: whoever installs it beside ours gives its script
//! a version of its own, and names its library in a control file of that version.

use anyhow::Result;
use postgres::{Client, Config, NoTls};

/// Connect to a new database with the peer's extension; none when the server has no peer.
pub fn connect(client: &mut Client) -> Result<Option<Client>> {
    let version: Option<String> = client.query_one(include_str!("../sql/peer_version.sql"), &[])?.get(0);
    let Some(version) = version else { return Ok(None) };
    client.batch_execute(include_str!("../sql/peer_drop.sql"))?;
    client.batch_execute(include_str!("../sql/peer_database.sql"))?;
    let mut peer = config()?.connect(NoTls)?;
    peer.batch_execute(include_str!("../sql/peer_extension.sql"))?;
    println!("  beside pgvector, installed as version {version}");
    Ok(Some(peer))
}

/// The peer's database.
pub fn config() -> Result<Config> {
    let mut config = crate::config()?;
    config.dbname("bench_peer");
    Ok(config)
}
