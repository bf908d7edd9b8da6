//! Guards the SQL surface: what psql prints for each file of tests/golden, errors and all, must not change.

use std::path::{Path, PathBuf};

use vw_tests::cluster::Cluster;

/// The golden scripts, in the order of their names.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut scripts: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("tests/golden").flatten().map(|e| e.path()).collect();
    scripts.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    scripts.sort();
    scripts
}

/// The major version of the server.
fn major(cluster: &Cluster) -> u32 {
    let text = std::fs::read_to_string(cluster.data().join("PG_VERSION")).expect("a data folder tells its version");
    text.trim().parse().expect("a number")
}

/// What a script prints on a server: `name_18.out` from version 18 on, where the server's own words changed with that
/// version, and `name.out` before.
fn expected(script: &Path, major: u32) -> PathBuf {
    let name = script.file_stem().expect("a script has a name").to_string_lossy();
    let since = |version: u32| script.with_file_name(format!("{name}_{version}.out"));
    (14..=major).rev().map(since).find(|path| path.is_file()).unwrap_or_else(|| script.with_extension("out"))
}

/// Every script prints its `.out`. VW_GOLDEN_WRITE=1 writes the files anew, to be read before they are committed.
#[test]
fn psql_prints_what_it_printed_before() {
    let scripts = scripts();
    assert!(!scripts.is_empty(), "tests/golden has no scripts");
    let cluster = Cluster::start("");
    let major = major(&cluster);
    let mut wrong = Vec::new();
    for script in scripts {
        let output = cluster.psql("template1", &["-q", "-a"], &script);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = expected(&script, major);
        if std::env::var_os("VW_GOLDEN_WRITE").is_some() {
            std::fs::write(&expected, &printed).expect("tests/golden can be written");
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != printed {
            wrong.push(format!("--- {} ---\n{printed}", script.display()));
        }
    }
    assert!(wrong.is_empty(), "these printed something else:\n{}", wrong.join("\n"));
}
