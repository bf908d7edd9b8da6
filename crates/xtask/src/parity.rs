//! The parity tier: the engine's token ids and embeddings against `transformers` on the same weights.
//!
//! The reference environment and what it computed lie in VW_HOME and are made again when their inputs change.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::pack;
use crate::paths::{built, home, root};
use crate::shell::{run, say};

/// The inputs of the reference, below `tests/parity`.
const INPUTS: &[&str] = &["requirements.txt", "texts.py", "text_reference.py"];

/// Make the reference if need be, and compare the engine with it.
pub fn check() -> Result<()> {
    let reference = reference()?;
    let cache = home().join("cache");
    let script = root().join("tests/parity/text_compare.py");
    let mut command = Command::new(python());
    command.arg(script).arg(built().join("vw-engine")).arg(cache.join("libonnxruntime.so")).arg(&cache).arg(reference);
    run(&mut command)
}

fn python() -> PathBuf {
    home().join("parity/bin/python")
}

/// Compute ids and embeddings of the texts with `transformers`.
fn reference() -> Result<PathBuf> {
    let source = root().join("tests/parity");
    let (output, stamp) = (home().join("cache/text_reference.jsonl"), home().join("cache/text_reference.stamp"));
    let texts = INPUTS.iter().map(|name| std::fs::read_to_string(source.join(name))).collect::<Result<Vec<_>, _>>()?;
    let wanted = texts.join("\0");
    if output.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(output);
    }
    environment(&source)?;
    let wheel = pack::text_tower_wheel()?;
    say("computing the reference embeddings (about 2 minutes)");
    run(Command::new(python()).arg(source.join("text_reference.py")).arg(wheel).arg(&output))?;
    std::fs::write(stamp, wanted)?;
    Ok(output)
}

fn environment(source: &Path) -> Result<()> {
    if !python().is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(home().join("parity")))?;
    }
    say("installing the reference implementation (200 MB)");
    let requirements = source.join("requirements.txt");
    run(Command::new(python()).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))
}
