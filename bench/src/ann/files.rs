//! The files that a run leaves in `target/bench`: every measurement and every build as CSV, and the curves.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::build::Build;
use super::plot;
use super::report::{Other, Row};

pub fn write(name: &str, builds: &[Build], rows: &[Row]) -> Result<()> {
    let folder = folder();
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let files = [
        (format!("{name}.csv"), measurements(rows)),
        (format!("{name}.builds.csv"), table(builds)),
        (format!("{name}.svg"), plot::svg(name, rows)),
    ];
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("  written: {}", path.display());
    }
    Ok(())
}

/// Cargo's folder of what is built, and `bench` in it.
fn folder() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target"));
    target.join("bench")
}

fn measurements(rows: &[Row]) -> String {
    let mut text =
        "curve,setting,recall,rate_1,rate_2,p50_ms,p99_ms,cpu_ms,other_recall,other_rate,other_p99_ms\n".to_owned();
    for Row { curve, setting, recall, one, two, p50, p99, work, other, .. } in rows {
        let two = two.map(|rate| format!("{rate:.2}")).unwrap_or_default();
        let work = work.map(|work| format!("{work:.4}")).unwrap_or_default();
        let other = other
            .as_ref()
            .map_or_else(|| ",,".to_owned(), |Other { recall, rate, p99 }| format!("{recall:.5},{rate:.2},{p99:.3}"));
        text.push_str(&format!("\"{curve}\",{setting},{recall:.5},{one:.2},{two},{p50:.3},{p99:.3},{work},{other}\n"));
    }
    text
}

fn table(builds: &[Build]) -> String {
    let mut text = "index,build_s,memory_mb,size_mb\n".to_owned();
    for Build { name, seconds, peak, size } in builds {
        let peak = peak.map(|peak| format!("{peak:.1}")).unwrap_or_default();
        text.push_str(&format!("\"{name}\",{seconds:.2},{peak},{size:.1}\n"));
    }
    text
}
