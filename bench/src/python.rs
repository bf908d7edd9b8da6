//! The other side of a comparison: ONNX Runtime and tokenizers from Python, installed on demand.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The versions to compare with; ONNX Runtime is the one whose library the engine loads.
const PACKAGES: &[&str] = &["onnxruntime==1.32.0", "tokenizers"];

/// A Python with the packages.
pub struct Python(PathBuf);

impl Python {
    /// Find the interpreter of VW_XTASK_PYTHON and install what it lacks.
    pub fn ensure() -> Result<Python> {
        let program = std::env::var_os("VW_XTASK_PYTHON").context("VW_XTASK_PYTHON must name a Python")?;
        let python = Python(PathBuf::from(program));
        let there =
            Command::new(&python.0).args(["-c", "import onnxruntime, tokenizers"]).stderr(Stdio::null()).status();
        if !there.with_context(|| format!("cannot start {}", python.0.display()))?.success() {
            eprintln!("==> installing {} to compare with", PACKAGES.join(" "));
            let status = Command::new(&python.0).args(["-m", "pip", "install", "--quiet"]).args(PACKAGES).status()?;
            if !status.success() {
                bail!("pip cannot install {}: {status}", PACKAGES.join(" "));
            }
        }
        Ok(python)
    }

    /// Embed `texts` with the tower in VW_MODELS, `batch` at a time; give texts per second, loading left out.
    pub fn embed(&self, texts: &[String], batch: usize) -> Result<f64> {
        let models = std::env::var_os("VW_MODELS").context("VW_MODELS must name the folder of packs")?;
        let tower = PathBuf::from(models).join("multimodal-embedding-v1/text");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/embed.py");
        let mut command = Command::new(&self.0);
        command.arg(script).arg(tower).arg(batch.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        if let Some(mut input) = child.stdin.take() {
            input.write_all(texts.join("\n").as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        printed.trim().parse().with_context(|| format!("{script} printed \"{printed}\" ({})", output.status))
    }
}
