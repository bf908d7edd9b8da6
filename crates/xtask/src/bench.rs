//! `make bench`: a throw-away cluster of the private server, and the package vw-bench against it.
//!
//! Where VW_BENCH_DATABASE names a database, as `key=value` words, that one is measured and no cluster is made. The
//! benchmark `retrieval` is of the model pack alone and needs neither.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::paths::{self, home, root};
use crate::shell::{run, say};
use crate::{install, prereqs, retrieval, server};

/// The cluster's settings: what is measured stays in memory, nothing is kept, and nothing runs beside it.
const SETTINGS: &str = "listen_addresses = ''\nport = 5432\nshared_buffers = 4GB\nmax_wal_size = 16GB\n\
                        checkpoint_timeout = 1h\nautovacuum = off\nfsync = off\njit = off\n\
                        max_parallel_workers_per_gather = 0\n";
/// Libraries of peers that work only where they are preloaded.
const PRELOADED_PEERS: &[&str] = &["vchord"];

/// Run the benchmarks of these names, or all.
pub fn run_named(names: &[&str]) -> Result<()> {
    let others: Vec<&str> = names.iter().copied().filter(|name| *name != retrieval::NAME).collect();
    if names.is_empty() || !others.is_empty() {
        over_sql(&others)?;
    }
    if names.is_empty() || others.len() < names.len() {
        retrieval::measure()?;
    }
    Ok(())
}

/// Run the benchmarks of these names, or all, against a database.
fn over_sql(names: &[&str]) -> Result<()> {
    if let Some(database) = std::env::var_os("VW_BENCH_DATABASE").filter(|words| !words.is_empty()) {
        return measure(&database, names);
    }
    prereqs::ensure()?;
    let pg_config = server::ensure()?;
    install::all(&pg_config, &home().join("bin"))?;
    let folder = Folder::new()?;
    let cluster = Cluster::new(&pg_config, &folder.0)?;
    cluster.initialise()?;
    let mut server = cluster.start(&settings(&pg_config)?)?;
    let database = format!("host='{}' user=postgres dbname=bench", cluster.socket.display());
    let outcome = cluster.script("postgres", include_str!("../sql/bench.sql"));
    let outcome = outcome.and_then(|_| measure(database.as_ref(), names));
    cluster.stop(&mut server)?;
    outcome
}

/// The settings, with the libraries that this server has preloaded.
fn settings(pg_config: &Path) -> Result<String> {
    let folder = PathBuf::from(paths::pg_config(pg_config, "--pkglibdir")?);
    let peers = PRELOADED_PEERS.iter().filter(|name| folder.join(name).with_extension("so").exists());
    let libraries: Vec<&str> = std::iter::once("vw").chain(peers.copied()).collect();
    Ok(format!("{SETTINGS}shared_preload_libraries = '{}'\n", libraries.join(",")))
}

fn measure(database: &OsStr, names: &[&str]) -> Result<()> {
    say("benchmarks");
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--release", "--package", "vw-bench", "--"]).args(names).current_dir(root());
    command.env("VW_BENCH_DATABASE", database).env("VW_API", home().join("bin/vw-api"));
    command.env("VW_MODELS", home().join("cache")).env("VW_XTASK_PYTHON", home().join("python/bin/python"));
    run(&mut command)
}

/// A folder that is gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder> {
        let folder = std::env::temp_dir().join(format!("vw-bench-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the machine's own cleaning of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
