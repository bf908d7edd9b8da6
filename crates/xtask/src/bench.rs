//! `make bench`: a throw-away cluster of the private server, and the package vw-bench against it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cluster::Cluster;
use crate::paths::{home, root};
use crate::shell::{run, say};
use crate::{install, prereqs, server};

/// The cluster's settings: what is measured stays in memory, and nothing is kept.
const SETTINGS: &str = "listen_addresses = ''\nport = 5432\nshared_preload_libraries = 'vw'\nshared_buffers = 1GB\n\
                        max_wal_size = 4GB\nfsync = off\njit = off\nmax_parallel_workers_per_gather = 0\n";

/// Run the benchmarks of these names, or all.
pub fn run_named(names: &[&str]) -> Result<()> {
    prereqs::ensure()?;
    let pg_config = server::ensure()?;
    install::into(&pg_config)?;
    let folder = Folder::new()?;
    let cluster = Cluster::new(&pg_config, &folder.0)?;
    cluster.initialise()?;
    let mut server = cluster.start(SETTINGS)?;
    let outcome = cluster.script("postgres", include_str!("../sql/bench.sql")).and_then(|_| measure(&cluster, names));
    cluster.stop(&mut server)?;
    outcome
}

fn measure(cluster: &Cluster, names: &[&str]) -> Result<()> {
    say("benchmarks");
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--release", "--package", "vw-bench", "--"]).args(names).current_dir(root());
    command.env("VW_BENCH_DATABASE", format!("host='{}' user=postgres dbname=bench", cluster.socket.display()));
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
