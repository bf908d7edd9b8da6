//! The other side of a comparison: ONNX Runtime, tokenizers and Pillow from Python, installed on demand.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The versions to compare with; ONNX Runtime is the one whose library the engine loads.
const PACKAGES: &[&str] = &["onnxruntime==1.32.0", "tokenizers", "pillow==13.0.0"];

/// What the bare runtime does.
pub struct Raw {
    /// Texts per second, for each size of batches.
    pub rates: Vec<f64>,
    /// The median time of a run for one text, in milliseconds, and of a text with its tokens and its pooling.
    pub run_millis: f64,
    pub one_millis: f64,
}

/// A Python with the packages.
pub struct Python(PathBuf);

impl Python {
    /// Find the interpreter of VW_XTASK_PYTHON and install what it lacks.
    pub fn ensure() -> Result<Python> {
        let program = std::env::var_os("VW_XTASK_PYTHON").context("VW_XTASK_PYTHON must name a Python")?;
        let python = Python(PathBuf::from(program));
        let there =
            Command::new(&python.0).args(["-c", "import onnxruntime, tokenizers, PIL"]).stderr(Stdio::null()).status();
        if !there.with_context(|| format!("cannot start {}", python.0.display()))?.success() {
            eprintln!("==> installing {} to compare with", PACKAGES.join(" "));
            let status = Command::new(&python.0).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES).status()?;
            if !status.success() {
                bail!("pip cannot install {}: {status}", PACKAGES.join(" "));
            }
        }
        Ok(python)
    }

    /// Embed `texts` with the tower in VW_MODELS, in batches of each of `sizes`, loading left out.
    pub fn embed(&self, texts: &[String], sizes: &[usize]) -> Result<Raw> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/embed.py");
        let mut command = Command::new(&self.0);
        command.arg(script).arg(tower("text")?).args(sizes.iter().map(usize::to_string));
        let found: Value = serde_json::from_str(&printed(&mut command, texts.join("\n").as_bytes())?)?;
        let number = |place: &str| found.pointer(place).and_then(Value::as_f64).with_context(|| format!("no {place}"));
        let rates = sizes.iter().map(|size| number(&format!("/rates/{size}"))).collect::<Result<_>>()?;
        Ok(Raw { rates, run_millis: number("/run_millis")?, one_millis: number("/one_millis")? })
    }

    /// Write `count` photograph-like JPEG files of 12 megapixels into a folder, with their chroma `full` or `halved`.
    pub fn make_pictures(&self, folder: &Path, count: usize, chroma: &str) -> Result<()> {
        let count = count.to_string();
        let status = Command::new(&self.0).args([PICTURE, "make"]).arg(folder).args([&count, chroma]).status()?;
        if status.success() { Ok(()) } else { bail!("{PICTURE}: {status}") }
    }

    /// Embed those files with the tower in VW_MODELS, one by one; give pictures per second, loading left out.
    pub fn embed_pictures(&self, folder: &Path) -> Result<f64> {
        number(Command::new(&self.0).args([PICTURE, "embed"]).arg(folder).arg(tower("image")?), b"")
    }
}

const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/picture.py");

/// A tower of the default pack.
fn tower(name: &str) -> Result<PathBuf> {
    let models = std::env::var_os("VW_MODELS").context("VW_MODELS must name the folder of packs")?;
    Ok(PathBuf::from(models).join("multimodal-embedding-v1").join(name))
}

/// Run a script, and read the number that it prints.
fn number(command: &mut Command, input: &[u8]) -> Result<f64> {
    let printed = printed(command, input)?;
    printed.trim().parse().with_context(|| format!("{command:?} printed \"{printed}\""))
}

/// Run a script over an input; give what it prints.
fn printed(command: &mut Command, input: &[u8]) -> Result<String> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input)?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
