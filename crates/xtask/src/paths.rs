//! Where things are: the checkout, the state folder, and a server's folders as pg_config tells them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell::output;

/// The checkout's root.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap_or(manifest).to_owned()
}

/// The state folder as an absolute path: VW_HOME, or `.vw` in the checkout.
pub fn home() -> PathBuf {
    let named = std::env::var_os("VW_HOME").filter(|name| !name.is_empty());
    let folder = named.map_or_else(|| root().join(".vw"), PathBuf::from);
    std::path::absolute(&folder).unwrap_or(folder)
}

/// The folder of cargo's release builds.
pub fn built() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join("release")
}

/// Ask `pg_config` for one of its values, such as `--sharedir`.
pub fn pg_config(program: &Path, what: &str) -> Result<String> {
    let text = output(program.as_os_str(), &[what])?;
    Ok(text.trim().to_owned())
}

/// The server's major version.
pub fn major(program: &Path) -> Result<u32> {
    let version = pg_config(program, "--version")?;
    let number = version.split_whitespace().nth(1).and_then(|word| word.split(|c: char| !c.is_ascii_digit()).next());
    let number = number.with_context(|| format!("{} does not tell its version: {version}", program.display()))?;
    number.parse().with_context(|| format!("no version number in {version}"))
}
