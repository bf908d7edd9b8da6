//! `vw-engine embed`: vectors for scripts, without a server.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use vw_embed::Alive;
use vw_embed::engine::Engine;
use vw_embed::sandbox::Limits;
use vw_protocol::{MAX_FRAME, Modality, Outcome};

use super::Place;

/// Embed texts of standard input, or files; write one JSON object for each.
///
/// Without FILE, each line of standard input is a text. Its object has "tokens" (the ids that the model reads),
/// "truncated" (whether the text is longer than the model reads) and "embedding" (a unit vector). With --batch, many
/// texts are embedded at a time, which is faster, and nothing is written until so many lines are there or the input
/// ends.
///
/// With FILE, each is a picture, a sound, or one text, by --modality. Its object has "path", "tokens" (how many),
/// "truncated" and "embedding"; of a file that cannot be embedded, "path" and "error", and the exit status is then 1.
#[derive(Args)]
pub struct Embed {
    #[command(flatten)]
    place: Place,
    /// The model's id; the default model if left out.
    #[arg(long, default_value = "")]
    model: String,
    /// Each line is a JSON string, so that a text can have line breaks.
    #[arg(long, conflicts_with = "files")]
    json: bool,
    /// Inputs that are embedded at a time.
    #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,
    /// What the files are.
    #[arg(long, value_enum, requires = "files")]
    modality: Option<Kind>,
    /// Files to embed.
    #[arg(value_name = "FILE", requires = "modality")]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Text,
    Image,
    Audio,
}

impl Kind {
    fn modality(self) -> Modality {
        match self {
            Kind::Text => Modality::Text,
            Kind::Image => Modality::Image,
            Kind::Audio => Modality::Audio,
        }
    }
}

impl Embed {
    pub fn run(self) -> Result<()> {
        let (engine, batch) =
            (self.place.open(self.place.runtime.options(Limits::default()))?, usize::from(self.batch));
        match self.modality {
            None => lines(&engine, &self.model, self.json, batch),
            Some(kind) => files(&engine, kind.modality(), &self.model, &self.files, batch),
        }
    }
}

/// Embed the lines of standard input, `batch` at a time.
fn lines(engine: &Engine, model: &str, json: bool, batch: usize) -> Result<()> {
    let mut texts = Vec::new();
    for (at, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.with_context(|| format!("line {} cannot be read", at + 1))?;
        let parsed = if json { serde_json::from_str(&line) } else { Ok(line) };
        texts.push(parsed.with_context(|| format!("line {} is not a JSON string", at + 1))?.into_bytes());
        if texts.len() == batch {
            write_texts(engine, model, &std::mem::take(&mut texts))?;
        }
    }
    write_texts(engine, model, &texts)
}

/// Embed some texts and write their objects.
fn write_texts(engine: &Engine, model: &str, texts: &[Vec<u8>]) -> Result<()> {
    let (_, outcomes) = engine.embed(Modality::Text, texts.len() > 1, model, texts, &alive())?;
    let mut output = std::io::stdout().lock();
    for (text, outcome) in texts.iter().zip(outcomes) {
        let embedding = outcome.map_err(|refusal| anyhow!(refusal.message))?;
        let (tokens, truncated) = (engine.tokens(model, text, texts.len() > 1)?.ids, embedding.truncated);
        let object = serde_json::json!({ "tokens": tokens, "truncated": truncated, "embedding": embedding.vector });
        writeln!(output, "{object}")?;
    }
    Ok(output.flush()?)
}

/// A caller that never hangs up.
fn alive() -> Alive {
    Arc::new(|| true)
}

/// Embed files, at most `batch` at a time and no more than fit a frame.
fn files(engine: &Engine, modality: Modality, model: &str, paths: &[PathBuf], batch: usize) -> Result<()> {
    let (mut waiting, mut bytes, mut failed) = (Vec::new(), 0, 0);
    for path in paths {
        let file = match std::fs::read(path).with_context(|| format!("{} cannot be read", path.display())) {
            Ok(file) => file,
            Err(error) => {
                // What was read before it is answered before it.
                failed += 1 + embed_files(engine, modality, model, std::mem::take(&mut waiting))?;
                bytes = 0;
                write_error(path, &format!("{error:#}"))?;
                continue;
            }
        };
        if bytes + file.len() > MAX_FRAME / 2 || waiting.len() == batch {
            failed += embed_files(engine, modality, model, std::mem::take(&mut waiting))?;
            bytes = 0;
        }
        bytes += file.len();
        waiting.push((path.as_path(), file));
    }
    failed += embed_files(engine, modality, model, waiting)?;
    if failed == 0 { Ok(()) } else { bail!("{failed} of {} files could not be embedded", paths.len()) }
}

/// Embed some files together and write their objects; give how many failed.
fn embed_files(engine: &Engine, modality: Modality, model: &str, files: Vec<(&Path, Vec<u8>)>) -> Result<usize> {
    let (paths, inputs): (Vec<&Path>, Vec<Vec<u8>>) = files.into_iter().unzip();
    let (_, items) = engine.embed(modality, paths.len() > 1, model, &inputs, &alive())?;
    let failed = items.iter().filter(|item| item.is_err()).count();
    paths.into_iter().zip(items).try_for_each(|(path, item)| write_outcome(path, item))?;
    Ok(failed)
}

fn write_outcome(path: &Path, outcome: Outcome) -> Result<()> {
    match outcome {
        Ok(item) => {
            let (path, tokens, truncated) = (path.display().to_string(), item.tokens, item.truncated);
            let object = serde_json::json!({
                "path": path, "tokens": tokens, "truncated": truncated, "embedding": item.vector
            });
            Ok(writeln!(std::io::stdout(), "{object}")?)
        }
        Err(refusal) => write_error(path, &format!("{}. {}", refusal.message, refusal.hint)),
    }
}

fn write_error(path: &Path, error: &str) -> Result<()> {
    let object = serde_json::json!({ "path": path.display().to_string(), "error": error.trim() });
    Ok(writeln!(std::io::stdout(), "{object}")?)
}
