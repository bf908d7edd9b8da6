//! Who may name whom: libraries have one home each, and our own crates depend on one another in one direction.

use super::lexer::Source;

/// Libraries, as packages are named, and the only folder that may name each.
const HOMES: &[(&str, &str)] = &[
    ("pgrx", "extension/"),
    ("pgrx-pg-sys", "extension/"),
    ("ort", "crates/embed/"),
    ("tokenizers", "crates/embed/"),
    ("image", "crates/embed/"),
    ("image-webp", "crates/embed/"),
    ("gif", "crates/embed/"),
    ("png", "crates/embed/"),
    ("tiff", "crates/embed/"),
    ("symphonia", "crates/embed/"),
    ("axum", "api/"),
    ("tokio-postgres", "api/"),
    ("deadpool", "api/"),
    ("deadpool-postgres", "api/"),
    ("reqwest", "api/"),
];

/// Our packages, their folders, and which of ours each may depend on.
const OURS: &[(&str, &str, &[&str])] = &[
    ("vw", "extension/", &["vw-vector", "vw-ivf", "vw-protocol"]),
    ("vw-ivf", "crates/ivf/", &["vw-vector"]),
    ("vw-embed", "crates/embed/", &["vw-protocol"]),
    ("vw-vector", "crates/vector/", &[]),
    ("vw-vector-fuzz", "crates/vector/fuzz/", &["vw-vector"]),
    ("vw-embed-fuzz", "crates/embed/fuzz/", &["vw-embed"]),
    ("vw-protocol", "crates/protocol/", &[]),
    ("xtask", "crates/xtask/", &[]),
    ("vw-api", "api/", &[]),
    ("vw-tests", "tests/", &[]),
    ("vw-bench", "bench/", &[]),
];

/// Find paths that begin with a library whose home is elsewhere.
pub fn inspect(source: &Source) -> Vec<String> {
    let strangers = HOMES.iter().filter(|(_, home)| !source.name.starts_with(home));
    let mut found = Vec::new();
    for (package, home) in strangers {
        let krate = package.replace('-', "_");
        let paths = [format!("{krate}::"), format!("use {krate};"), format!("extern crate {krate};")];
        // Any file may have a module called `image`; its manifest tells whether the library is meant.
        let names = |line: &String| *package != "image" && paths.iter().any(|path| starts_path(line, path));
        if source.code.iter().any(names) {
            found.push(format!("only {home} names {package}"));
        }
    }
    found
}

/// Find dependencies that are not a package's to have.
pub fn inspect_manifest(name: &str, text: &str) -> Vec<String> {
    let folder = name.strip_suffix("Cargo.toml").unwrap_or(name);
    let allowed = OURS.iter().find(|(_, home, _)| *home == folder).map_or(&[] as &[&str], |(_, _, allowed)| *allowed);
    let mut found = Vec::new();
    for package in dependencies(text) {
        if let Some((_, home)) = HOMES.iter().find(|(library, home)| *library == package && *home != folder) {
            found.push(format!("only {home} depends on {package}"));
        }
        if OURS.iter().any(|(ours, _, _)| *ours == package) && !allowed.contains(&package.as_str()) {
            found.push(format!("may not depend on {package}"));
        }
    }
    found
}

/// The packages that a manifest depends on, renamed ones by their own name.
fn dependencies(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies");
            if let Some((_, package)) = table.split_once("dependencies.") {
                found.push(package.trim_matches('"').to_owned());
            }
        } else if let Some((key, value)) = line.split_once('=').filter(|_| inside && !line.starts_with('#')) {
            let renamed = value.split_once("package").and_then(|(_, tail)| tail.split('"').nth(1));
            let key = key.trim().split('.').next().unwrap_or_default().trim_matches('"');
            found.push(renamed.unwrap_or(key).to_owned());
        }
    }
    found
}

/// Tell whether a line of code names the path `path` other than as the tail of a longer one.
pub fn starts_path(line: &str, path: &str) -> bool {
    let before = |at: usize| line.get(..at).and_then(|head| head.chars().next_back());
    let longer = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    line.match_indices(path).any(|(at, _)| !before(at).is_some_and(longer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_named_in_its_home_only() {
        let finds = |name: &str, text: &str| !inspect(&Source::new(name, text)).is_empty();
        for (krate, home) in
            [("pgrx", "extension/src/a.rs"), ("axum", "api/src/a.rs"), ("ort", "crates/embed/src/a.rs")]
        {
            let text = format!("use {krate}::prelude::*;");
            assert!(finds("crates/vector/src/lib.rs", &text), "{krate}");
            assert!(!finds(home, &text), "{krate}");
        }
        assert!(finds("tests/system/a.rs", "fn f() { tokio_postgres::connect() }"));
        assert!(!finds(
            "crates/a/src/lib.rs",
            "//! Not pgrx::prelude.\nfn f() { g(\"ort::x\"); self::axum::x(); support::x() }"
        ));
    }

    #[test]
    fn a_manifest_keeps_the_direction_of_the_arrows() {
        let manifest = |table: &str, line: &str| format!("[package]\nname = \"x\"\n\n[{table}]\n{line}\n");
        let bad = |name: &str, line: &str| inspect_manifest(name, &manifest("dependencies", line)).len();
        assert_eq!(bad("extension/Cargo.toml", "pgrx = \"1\"\nvw-vector = { path = \"..\" }"), 0);
        assert_eq!(bad("crates/ivf/Cargo.toml", "pgrx.workspace = true"), 1);
        assert_eq!(bad("crates/ivf/Cargo.toml", "vw-vector = { path = \"../vector\" }"), 0);
        assert_eq!(bad("crates/vector/Cargo.toml", "vw-ivf = { path = \"../ivf\" }"), 1);
        assert_eq!(bad("extension/Cargo.toml", "vw-embed = { path = \"../crates/embed\" }"), 1);
        assert_eq!(bad("api/Cargo.toml", "vector = { package = \"vw-vector\", path = \"..\" }"), 1);
        assert_eq!(inspect_manifest("tests/Cargo.toml", &manifest("dev-dependencies", "image = \"0.25\"")).len(), 1);
        assert_eq!(inspect_manifest("bench/Cargo.toml", &manifest("dependencies.reqwest", "version = \"1\"")).len(), 1);
        assert_eq!(inspect_manifest("tests/Cargo.toml", &manifest("features", "image = []")).len(), 0);
    }
}
