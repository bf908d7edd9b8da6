//! What the browser tests need: playwright-core, from npm into VW_HOME/browser. Chromium and node are prerequisites.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::{home, root};
use crate::shell::{run, say};

/// Install what tests/browser/package.json names, if it is not there; gives the folder.
pub fn ensure() -> Result<PathBuf> {
    let folder = home().join("browser");
    let wanted = std::fs::read_to_string(root().join("tests/browser/package.json"))?;
    let (manifest, module) = (folder.join("package.json"), folder.join("node_modules/playwright-core"));
    if module.is_dir() && std::fs::read_to_string(&manifest).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    say("installing playwright-core (10 MB)");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    std::fs::write(&manifest, wanted)?;
    let words = ["install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix"];
    run(Command::new("npm").args(words).arg(&folder))?;
    Ok(folder)
}
