//! What the parity tier compares the engine with: values that the reference implementations computed.
//!
//! Each room of the engine has a recipe, `tests/parity/<room>_reference.py OUT_DIR`, and a test of its name in
//! crates/embed/tests. The one environment that all recipes run in and what they wrote lie in VW_HOME, and are made again
//! when tests/parity changes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::pack;
use crate::paths::{home, root};
use crate::shell::{run, say};

/// The rooms, in the order that they are made and tested.
pub const ROOMS: &[&str] = &["image", "audio", "text", "towers"];

/// Make what is missing of the reference, and give its folder, which has a subfolder for each room.
pub fn reference() -> Result<PathBuf> {
    let source = root().join("tests/parity");
    let folder = home().join("cache/reference");
    let stamp = folder.join("stamp");
    let mut wanted = String::new();
    collect(&source, &mut wanted)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(folder);
    }
    environment(&source)?;
    for room in ROOMS {
        say(&format!("computing the reference of {room}"));
        let output = folder.join(room);
        if output.exists() {
            std::fs::remove_dir_all(&output).with_context(|| format!("cannot clear {}", output.display()))?;
        }
        std::fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
        let mut command = Command::new(python());
        command.arg(source.join(format!("{room}_reference.py"))).arg(&output);
        if *room == "text" {
            command.arg(pack::text_tower_wheel()?);
        }
        run(&mut command)?;
    }
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}

/// The words after `cargo` that run the tests.
pub fn tests() -> Vec<String> {
    let fixed = ["test", "--release", "--package", "vw-embed", "--features", "with-pack,with-reference"];
    let named = ROOMS.iter().flat_map(|room| ["--test".to_owned(), format!("{room}_reference")]);
    fixed.into_iter().map(str::to_owned).chain(named).collect()
}

fn python() -> PathBuf {
    home().join("reference/bin/python")
}

/// Append the names and texts of the recipes and of what they import, in the order of their names.
fn collect(folder: &Path, text: &mut String) -> Result<()> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, text)?;
        } else if path.extension().is_some_and(|end| end == "py" || end == "txt") {
            let own = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            text.push_str(&format!("{}\0{own}\0", path.display()));
        }
    }
    Ok(())
}

fn environment(source: &Path) -> Result<()> {
    if !python().is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(home().join("reference")))?;
    }
    say("installing the reference implementations (3 GB to download, once)");
    let requirements = source.join("requirements.txt");
    run(Command::new(python()).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))
}
