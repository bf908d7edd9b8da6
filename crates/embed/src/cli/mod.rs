//! The commands of the program: what each takes, one file for each.

mod check;
mod decoder;
mod embed;
mod list;
mod pull;
mod serve;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use vw_embed::engine::{Engine, Options};
use vw_embed::sandbox::{Limits, Pool};

/// The embedding engine of vw: runs model packs with ONNX Runtime, outside of every PostgreSQL process.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    List(list::List),
    Embed(embed::Embed),
    Check(check::Check),
    Pull(pull::Pull),
    #[command(hide = true)]
    Decoder(decoder::Decoder),
}

/// Do what the command line says.
pub fn run() -> Result<()> {
    match Cli::parse().command {
        Command::Serve(command) => command.run(),
        Command::List(command) => command.run(),
        Command::Embed(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Pull(command) => command.run(),
        Command::Decoder(command) => command.run(),
    }
}

/// What runs the graphs.
#[derive(Args)]
struct Runtime {
    /// The ONNX Runtime library; if left out, libonnxruntime.so next to this program.
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
    /// Threads per model; 0 means all cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Where the packs are, and what runs them.
#[derive(Args)]
struct Place {
    /// Folder of model packs: each subfolder with a vw-pack.json or a config.json is one, others are passed over.
    #[arg(long, value_name = "FOLDER")]
    models: PathBuf,
    #[command(flatten)]
    runtime: Runtime,
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

impl Runtime {
    /// How the engine works that a command uses: files are decoded behind the fence.
    fn options(&self, limits: Limits) -> Options {
        Options { threads: self.threads, memory_bytes: 0, prepare: Arc::new(Pool::new(limits)) }
    }
}

impl Place {
    fn open(&self, options: Options) -> Result<Engine> {
        Engine::open(&self.models, &self.runtime.library()?, options).context("cannot start")
    }
}
