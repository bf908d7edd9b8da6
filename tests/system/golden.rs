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

/// Every script prints its `.out`. VW_GOLDEN_WRITE=1 writes the files anew, to be read before they are committed.
#[test]
fn psql_prints_what_it_printed_before() {
    let scripts = scripts();
    assert!(!scripts.is_empty(), "tests/golden has no scripts");
    let cluster = Cluster::start("");
    let mut wrong = Vec::new();
    for script in scripts {
        let output = cluster.psql("template1", &["-q", "-a"], &script);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = script.with_extension("out");
        if std::env::var_os("VW_GOLDEN_WRITE").is_some() {
            std::fs::write(&expected, &printed).expect("tests/golden can be written");
        }
        if std::fs::read_to_string(&expected).unwrap_or_default() != printed {
            wrong.push(format!("--- {} ---\n{printed}", script.display()));
        }
    }
    assert!(wrong.is_empty(), "these printed something else:\n{}", wrong.join("\n"));
}
