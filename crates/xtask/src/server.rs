//! The private server: a copy of Debian's PostgreSQL under VW_HOME, so that nothing of the system's is written.
//!
//! Debian's servers find their folders relative to the program, so a copied tree is a server of its own.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::home;
use crate::prereqs::debian_server;
use crate::shell::{run, say};

/// Make the private server if it is not there; give its pg_config.
pub fn ensure() -> Result<PathBuf> {
    let source =
        debian_server().context("no PostgreSQL 14 to 18 below /usr/lib/postgresql; run `cargo xtask prereqs`")?;
    let major = source.file_name().context("the server's folder has no name")?;
    let tree = home().join("server");
    let library = tree.join("lib/postgresql").join(major);
    let pg_config = library.join("bin/pg_config");
    if tree.join("complete").is_file() && pg_config.is_file() {
        return Ok(pg_config);
    }
    say("copying PostgreSQL into a private server");
    if tree.exists() {
        std::fs::remove_dir_all(&tree)?;
    }
    copy(&source, &library)?;
    copy(&Path::new("/usr/share/postgresql").join(major), &tree.join("share/postgresql").join(major))?;
    symlink("/usr/include", tree.join("include"))?;
    link_libraries(&tree.join("lib"))?;
    std::fs::write(tree.join("complete"), "")?;
    Ok(pg_config)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to.parent().context("a copy needs a folder")?)?;
    run(Command::new("cp").arg("-a").arg(from).arg(to))
}

/// Link the machine's folder of shared libraries (`lib/x86_64-linux-gnu` or its like).
fn link_libraries(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir("/usr/lib")?.flatten() {
        if entry.file_name().to_string_lossy().ends_with("-linux-gnu") {
            symlink(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    Ok(())
}
