//! The text files of the checkout, without what is built, downloaded or kept as state.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths::{home, root};

/// What holds nothing written by hand; `.git` is a folder, or a file in a further work tree.
const SKIPPED: &[&str] = &["target", ".vw", ".git", "__pycache__", "node_modules"];

/// Files beyond this size are data, not text.
const MAX_BYTES: u64 = 2 << 20;

/// Read every text file below `folder`, as its name from there and its text, in the order of their names.
pub fn files(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut paths = Vec::new();
    walk(folder, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // A file that is not UTF-8 is data.
        if let Ok(text) = String::from_utf8(bytes) {
            files.push((name, text));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        let skipped = SKIPPED.iter().any(|name| entry.file_name() == *name) || path == home();
        if kind.is_dir() && !skipped {
            walk(&path, paths)?;
        } else if kind.is_file() && !skipped && entry.metadata()?.len() <= MAX_BYTES {
            paths.push(path);
        }
    }
    Ok(())
}

/// Tell whether the checkout has a file or folder at `path`, a path from the root.
pub fn exists(path: &str) -> bool {
    root().join(path).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_written_by_hand() {
        let files = files(&root()).expect("the checkout can be read");
        let has = |name: &str| files.iter().any(|(file, _)| file == name);
        assert!(has("Makefile") && has("crates/xtask/src/main.rs"));
        assert!(!files.iter().any(|(name, _)| name.starts_with("target/") || name.starts_with(".vw/")));
    }
}
