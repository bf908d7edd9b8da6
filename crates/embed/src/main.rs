//! `vw-engine`: runs the models outside of every PostgreSQL process. The work is in the library.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Parser, Subcommand};
use vw_embed::Alive;
use vw_embed::check::{check, modalities};
use vw_embed::engine::{Engine, Options};
use vw_protocol::Modality;

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
    /// Folder of model packs: each subfolder with a vw-pack.json or a config.json is one, others are passed over.
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
        /// The pack's folder, as pulled from the hub or with a vw-pack.json.
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
        Command::Embed { place, model, json, batch } => embed(&open(&place)?, &model, json, usize::from(batch)),
        Command::Check { pack, runtime } => {
            let engine = Engine::of_packs(std::slice::from_ref(&pack), &runtime.library()?, runtime.options())?;
            let report = check(&engine).with_context(|| format!("{} is not in order", pack.display()))?;
            Ok(writeln!(std::io::stdout(), "{report}")?)
        }
    }
}

impl Runtime {
    fn options(&self) -> Options {
        Options { threads: self.threads, ..Options::default() }
    }

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
    Engine::open(&place.models, &place.runtime.library()?, place.runtime.options()).context("cannot start")
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
fn embed(engine: &Engine, model: &str, json: bool, batch: usize) -> Result<()> {
    let mut texts = Vec::new();
    for (at, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.with_context(|| format!("line {} cannot be read", at + 1))?;
        let parsed = if json { serde_json::from_str(&line) } else { Ok(line) };
        texts.push(parsed.with_context(|| format!("line {} is not a JSON string", at + 1))?.into_bytes());
        if texts.len() == batch {
            write(engine, model, &std::mem::take(&mut texts))?;
        }
    }
    write(engine, model, &texts)
}

/// Embed some texts and write their objects.
fn write(engine: &Engine, model: &str, texts: &[Vec<u8>]) -> Result<()> {
    let (bulk, alive) = (texts.len() > 1, Arc::new(|| true) as Alive);
    let (_, outcomes) = engine.embed(Modality::Text, bulk, model, texts, &alive)?;
    let mut output = std::io::stdout().lock();
    for (text, outcome) in texts.iter().zip(outcomes) {
        let embedding = outcome.map_err(|refusal| anyhow!(refusal.message))?;
        let (tokens, truncated) = (engine.tokens(model, text, bulk)?.ids, embedding.truncated);
        let object = serde_json::json!({ "tokens": tokens, "truncated": truncated, "embedding": embedding.vector });
        writeln!(output, "{object}")?;
    }
    Ok(output.flush()?)
}
