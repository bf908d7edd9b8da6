//! `vw-engine`: runs the models outside of every PostgreSQL process. The work is in the library.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use vw_embed::check::{check, modalities};
use vw_embed::engine::Engine;
use vw_embed::text::TextTower;

/// The embedding engine of vw: runs model packs with ONNX Runtime, outside of every PostgreSQL process.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Runtime {
    /// The ONNX Runtime library; if left out, libonnxruntime.so next to this program.
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
    /// Threads per model; 0 means all cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

#[derive(Args)]
struct Place {
    /// Folder of model packs: each subfolder with a vw-pack.json is one, others are passed over.
    #[arg(long, value_name = "FOLDER")]
    models: PathBuf,
    #[command(flatten)]
    runtime: Runtime,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests on a unix socket until standard input ends.
    ///
    /// The socket is open to the own user only. PostgreSQL's vw extension starts this command by itself; start it
    /// by hand to serve vw.engine_address, for instance: sleep infinity | vw-engine serve --models ... --socket ...
    Serve {
        #[command(flatten)]
        place: Place,
        /// Path of the socket; one that no engine answers on is replaced.
        #[arg(long)]
        socket: PathBuf,
    },
    /// List the models, one per line: id, modalities, dimensions, metric and hash, separated by tabs.
    ///
    /// Packs that cannot be read are named on standard error, and the exit status is then 1.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Embed one text per line of standard input; write one JSON object per line.
    ///
    /// The object has "tokens" (the ids that the model reads), "truncated" (whether the text is longer than the
    /// model reads) and "embedding" (a unit vector). With --batch, many texts are embedded at a time, which is
    /// faster, and nothing is written until so many lines are there or the input ends.
    Embed {
        #[command(flatten)]
        place: Place,
        /// The model's id; the default model if left out.
        #[arg(long, default_value = "")]
        model: String,
        /// Each line is a JSON string, so that a text can have line breaks.
        #[arg(long)]
        json: bool,
        /// Texts that are embedded at a time.
        #[arg(long, default_value_t = 1, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=10_000))]
        batch: u16,
    },
    /// Load a model pack, show what it is, and test that its vectors look like embeddings.
    ///
    /// The exit status is 1 if something is wrong, and the message says what.
    Check {
        /// The pack's folder, which holds its vw-pack.json.
        pack: PathBuf,
        #[command(flatten)]
        runtime: Runtime,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vw-engine: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { place, socket } => vw_embed::serve::serve(Arc::new(open(&place)?), &socket),
        Command::List { place } => list(&open(&place)?),
        Command::Embed { place, model, json, batch } => {
            embed(&*open(&place)?.text_tower(&model)?, json, usize::from(batch))
        }
        Command::Check { pack, runtime } => {
            let engine = Engine::of_packs(std::slice::from_ref(&pack), &runtime.library()?, runtime.threads)?;
            let report = check(&engine).with_context(|| format!("{} is not in order", pack.display()))?;
            Ok(writeln!(std::io::stdout(), "{report}")?)
        }
    }
}

impl Runtime {
    /// The library that was named, or the one that is installed next to the program.
    fn library(&self) -> Result<PathBuf> {
        let program = std::env::current_exe().context("cannot tell where this program lies")?;
        let beside = program.with_file_name("libonnxruntime.so");
        match &self.onnxruntime {
            Some(named) => Ok(named.clone()),
            None if beside.is_file() => Ok(beside),
            None => bail!("{} is not there; say --onnxruntime FILE", beside.display()),
        }
    }
}

fn open(place: &Place) -> Result<Engine> {
    Engine::open(&place.models, &place.runtime.library()?, place.runtime.threads).context("cannot start")
}

fn list(engine: &Engine) -> Result<()> {
    for model in engine.models() {
        let (types, dimensions) = (modalities(&model), model.dimensions);
        let line = format!("{}\t{types}\t{dimensions}\t{}\tsha256 {}", model.id, model.metric, model.sha256);
        writeln!(std::io::stdout(), "{line}")?;
    }
    let broken: Vec<String> = engine.broken().map(ToString::to_string).collect();
    if broken.is_empty() { Ok(()) } else { bail!("packs that cannot be read: {}", broken.join("; ")) }
}

/// Embed the lines of standard input, `batch` at a time.
fn embed(tower: &TextTower, json: bool, batch: usize) -> Result<()> {
    let mut texts = Vec::new();
    for (at, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.with_context(|| format!("line {} cannot be read", at + 1))?;
        let parsed = if json { serde_json::from_str(&line) } else { Ok(line) };
        texts.push(parsed.with_context(|| format!("line {} is not a JSON string", at + 1))?.into_bytes());
        if texts.len() == batch {
            write(tower, &std::mem::take(&mut texts))?;
        }
    }
    write(tower, &texts)
}

/// Embed some texts and write their objects.
fn write(tower: &TextTower, texts: &[Vec<u8>]) -> Result<()> {
    let embeddings = tower.embed(texts, texts.len() > 1, &(Arc::new(|| true) as _))?;
    let mut output = std::io::stdout().lock();
    for (text, embedding) in texts.iter().zip(embeddings) {
        let (tokens, truncated) = (tower.tokens(text)?.ids, embedding.truncated);
        let object = serde_json::json!({ "tokens": tokens, "truncated": truncated, "embedding": embedding.vector });
        writeln!(output, "{object}")?;
    }
    Ok(output.flush()?)
}
