//! The rules of the house, held by a test. Each file here holds the rules of one kind, and the tests that break them.
//!
//! It reads text, not types: a rule that needs the compiler belongs to clippy.

mod docs;
mod lexer;
mod machine;
mod names;
mod panics;
mod places;
mod sql;
mod tree;

use anyhow::{Result, bail};

use lexer::Source;

/// Check the whole tree; print each breach and fail if there is one.
pub fn check() -> Result<()> {
    let breaches = breaches()?;
    breaches.iter().for_each(|breach| eprintln!("{breach}"));
    if !breaches.is_empty() {
        bail!("{} breaches of the rules", breaches.len());
    }
    Ok(())
}

/// List every breach as `file: what is wrong`.
fn breaches() -> Result<Vec<String>> {
    let files = tree::files(&crate::paths::root())?;
    let mut found = Vec::new();
    let mut lengths = Vec::new();
    for (name, text) in &files {
        let mut breaches = machine::inspect(text);
        if name.ends_with(".rs") {
            lengths.push(text.lines().count());
            breaches.extend(inspect(&Source::new(name, text)));
        } else if name.ends_with("Cargo.toml") {
            breaches.extend(names::inspect_manifest(name, text));
        } else if name.ends_with(".md") {
            breaches.extend(machine::dead_links(name, text, &|path| tree::exists(path)));
        }
        found.extend(breaches.into_iter().map(|breach| format!("{name}: {breach}")));
    }
    found.extend(docs::median_breach(lengths));
    Ok(found)
}

/// List what is wrong with one Rust file.
fn inspect(source: &Source) -> Vec<String> {
    [docs::inspect, names::inspect, places::inspect, sql::inspect, panics::inspect]
        .iter()
        .flat_map(|rule| rule(source))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        assert_eq!(super::breaches().expect("the tree can be read"), Vec::<String>::new());
    }
}
