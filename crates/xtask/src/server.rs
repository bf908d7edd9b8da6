//! The server that is installed into, started and tested.
//!
//! Debian's servers find their folders relative to the program, so a copied tree is a server of its own: one in Debian's
//! place is copied under VW_HOME, and nothing of the system's is written. One elsewhere, which VW_PG_CONFIG names, is whose
//! it is that named it, and is used as it is.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::choice::{Choice, chosen};
use crate::paths::home;
use crate::shell::{run, say};

/// Make the private server if one is needed and it is not there; give the pg_config of the server to work with.
pub fn ensure() -> Result<PathBuf> {
    let none =
        "no PostgreSQL 14 to 18 below /usr/lib/postgresql; run `cargo xtask prereqs`, or name one with VW_PG_CONFIG=…";
    match chosen()?.context(none)? {
        Choice::Debian(major) => private(major),
        Choice::Own(pg_config) => Ok(pg_config),
    }
}

/// The private copy of Debian's server of a major version; it takes the place of another version's.
fn private(major: u32) -> Result<PathBuf> {
    let name = major.to_string();
    let tree = home().join("server");
    let library = tree.join("lib/postgresql").join(&name);
    let pg_config = library.join("bin/pg_config");
    if tree.join("complete").is_file() && pg_config.is_file() {
        return Ok(pg_config);
    }
    say(&format!("copying PostgreSQL {major} into a private server"));
    if tree.exists() {
        std::fs::remove_dir_all(&tree)?;
    }
    copy(&Choice::folder(major), &library)?;
    copy(&Path::new("/usr/share/postgresql").join(&name), &tree.join("share/postgresql").join(&name))?;
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
