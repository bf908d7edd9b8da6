//! The rules of the house, held by a test: module docs, file length, the place of unsafe, who may name whom.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::paths::root;

/// The longest file, in lines.
const MAX_LINES: usize = 500;

/// Crate names, and the only folders that may name them.
const NAMED_ONLY_IN: &[(&str, &str)] =
    &[("pgrx", "extension/"), ("ort", "crates/embed/"), ("tokenizers", "crates/embed/"), ("axum", "api/")];

/// Check every Rust file; print each breach and fail if there is one.
pub fn check() -> Result<()> {
    let breaches = breaches()?;
    breaches.iter().for_each(|breach| eprintln!("{breach}"));
    if !breaches.is_empty() {
        bail!("{} breaches of the rules", breaches.len());
    }
    Ok(())
}

fn breaches() -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["crates", "extension", "api", "tests", "bench"] {
        rust_files(&root().join(folder), &mut files)?;
    }
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let name = file.strip_prefix(root()).unwrap_or(&file).to_string_lossy().into_owned();
        found.extend(inspect(&name, &text).into_iter().map(|breach| format!("{name}: {breach}")));
    }
    Ok(found)
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            rust_files(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// List what is wrong with one file.
fn inspect(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push("must open with `//!`: what it is for, what it is not".to_owned());
    }
    let lines: Vec<&str> = text.lines().collect();
    if lines.len() > MAX_LINES {
        found.push(format!("{} lines; at most {MAX_LINES}", lines.len()));
    }
    for (krate, place) in NAMED_ONLY_IN {
        let paths = [format!("{krate}::"), format!("use {krate};")];
        let names = |line: &&str| paths.iter().any(|path| starts_path(line, path));
        if !name.starts_with(place) && lines.iter().any(|line| names(&line.trim_start())) {
            found.push(format!("only {place} names {krate}"));
        }
    }
    found.extend(unsafe_without_reason(&lines));
    if !name.starts_with("tests/") && !name.ends_with("tests.rs") && !name.ends_with("testing.rs") {
        found.extend(unwraps(&lines));
    }
    found
}

/// Tell whether a line names the path `path` other than as the tail of a longer word or in a string.
fn starts_path(line: &str, path: &str) -> bool {
    let before = |at: usize| line.get(..at).and_then(|head| head.chars().next_back());
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '`' | ':');
    !line.starts_with("//") && line.match_indices(path).any(|(at, _)| !before(at).is_some_and(word))
}

/// Find unsafe blocks and impls with no `// SAFETY:` in the four lines above them.
fn unsafe_without_reason(lines: &[&str]) -> Vec<String> {
    let opens = |line: &&str| {
        let code = line.split("//").next().unwrap_or_default();
        starts_path(code.trim_start(), concat!("unsafe", " {"))
            || starts_path(code.trim_start(), concat!("unsafe", " impl"))
    };
    let reasoned =
        |at: usize| lines.get(at.saturating_sub(4)..=at).unwrap_or_default().iter().any(|l| l.contains("SAFETY:"));
    let bare = lines.iter().enumerate().filter(|(at, line)| opens(line) && !reasoned(*at));
    bare.map(|(at, _)| format!("line {}: unsafe without `// SAFETY:`", at + 1)).collect()
}

/// Find panicking shortcuts before the file's tests begin.
fn unwraps(lines: &[&str]) -> Vec<String> {
    let code = lines.iter().enumerate().take_while(|(_, line)| !line.starts_with("#[cfg(test)]"));
    let shortcuts = [concat!(".unw", "rap()"), concat!(".exp", "ect("), concat!("pan", "ic!(")];
    let bad = code.filter(|(_, line)| shortcuts.iter().any(|shortcut| line.contains(shortcut)));
    bad.map(|(at, _)| format!("line {}: may panic; return an error", at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        assert_eq!(breaches().expect("the tree can be read"), Vec::<String>::new());
    }

    #[test]
    fn each_rule_finds_its_breach() {
        let finds = |name: &str, text: &str| !inspect(name, text).is_empty();
        assert!(!finds("crates/a/src/lib.rs", "//! Fine.\nfn f() {}\n"));
        assert!(finds("crates/a/src/lib.rs", "fn f() {}\n"));
        assert!(finds("crates/a/src/lib.rs", &format!("//! Long.\n{}", "\n".repeat(MAX_LINES))));
        assert!(finds("crates/a/src/lib.rs", &format!("//! x\nuse {}::prelude::*;\n", "pgrx")));
        assert!(!finds("extension/src/lib.rs", &format!("//! x\nuse {}::prelude::*;\n", "pgrx")));
        assert!(finds("extension/src/lib.rs", "//! x\nfn f() { unsafe { g() } }\n"));
        assert!(!finds("extension/src/lib.rs", "//! x\n// SAFETY: g is harmless.\nfn f() { unsafe { g() } }\n"));
        assert!(finds("api/src/lib.rs", "//! x\nfn f() { g().unwrap() }\n"));
    }
}
