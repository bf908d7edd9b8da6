//! Paths inside a pack, and reading its small files: nothing that a pack's own files name may lead out of it.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::Failure;

/// The largest JSON file that is read, in bytes; tokenizer.json is not among them.
const MAX_JSON: u64 = 16 << 20;

/// Tell whether a path goes down only: no root, no `..`, at least one name.
pub fn plain(path: &Path) -> bool {
    let mut parts = path.components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Join a path that a pack's file names; `.` is the folder itself. `field` says where it was named.
pub fn inside(folder: &Path, name: &Path, field: &str) -> Result<PathBuf, Failure> {
    if name == Path::new(".") {
        return Ok(folder.to_owned());
    }
    if !plain(name) {
        return Err(Failure::pack(format!("{field}: \"{}\" leaves the pack", name.display())));
    }
    Ok(folder.join(name))
}

/// Read one of a pack's JSON files.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let broken = |error: &dyn std::fmt::Display| Failure::pack(format!("{}: {error}", path.display()));
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_JSON + 1).read_to_end(&mut text));
    read.map_err(|error| broken(&error))?;
    if text.len() as u64 > MAX_JSON {
        return Err(broken(&format!("more than {MAX_JSON} bytes")));
    }
    serde_json::from_slice(&text).map_err(|error| broken(&error))
}

/// Read a JSON file that need not be there.
pub fn read_optional<T: DeserializeOwned + Default>(path: &Path) -> Result<T, Failure> {
    if path.is_file() { read_json(path) } else { Ok(T::default()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_down_only() {
        let folder = Path::new("/packs/one");
        assert_eq!(inside(folder, Path::new("."), "f").expect("it is the folder"), folder);
        assert_eq!(inside(folder, Path::new("a/b"), "f").expect("it is below"), folder.join("a/b"));
        for bad in ["", "..", "a/../b", "/etc", "a/..", "./.."] {
            let refused = inside(folder, Path::new(bad), "towers.text.folder").expect_err(bad);
            assert!(refused.message.starts_with("towers.text.folder"), "{}", refused.message);
        }
    }
}
