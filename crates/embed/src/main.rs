//! `vw-engine`: runs the models outside of every PostgreSQL process. The work is in the library.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use vw_embed::engine::Engine;

/// The embedding engine of vw.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Place {
    /// Folder whose subfolders are model packs.
    #[arg(long)]
    models: PathBuf,
    /// The ONNX Runtime library.
    #[arg(long)]
    onnxruntime: PathBuf,
    /// Threads per model; 0 means all cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests on a unix socket until standard input ends.
    Serve {
        #[command(flatten)]
        place: Place,
        /// Path of the socket; a stale one is replaced.
        #[arg(long)]
        socket: PathBuf,
    },
    /// List the models.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Embed one text per line of standard input; write one JSON object per line.
    Embed {
        #[command(flatten)]
        place: Place,
        /// The model; the default one if left out.
        #[arg(long, default_value = "")]
        model: String,
    },
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Serve { place, socket } => vw_embed::serve::serve(Arc::new(open(&place)?), &socket),
        Command::List { place } => list(&open(&place)?),
        Command::Embed { place, model } => embed(&open(&place)?, &model),
    }
}

fn open(place: &Place) -> Result<Engine> {
    Engine::open(&place.models, &place.onnxruntime, place.threads).context("cannot start")
}

fn list(engine: &Engine) -> Result<()> {
    for model in engine.models() {
        let line = format!("{}\t{} dimensions\t{}\tsha256 {}", model.id, model.dimensions, model.metric, model.sha256);
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}

fn embed(engine: &Engine, model: &str) -> Result<()> {
    let tower = engine.text_tower(model)?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut tower = tower.lock().map_err(|_| anyhow::anyhow!("the tower failed before"))?;
        let tokens = tower.token_ids(&line)?;
        let embeddings = tower.embed(&[line.into_bytes()], &|| true)?;
        for embedding in embeddings {
            let object = serde_json::json!({ "tokens": tokens, "embedding": embedding.vector });
            writeln!(std::io::stdout(), "{object}")?;
        }
    }
    Ok(())
}
