//! The project's own commands, behind the Makefile: build, install, run, test, lint, measure.
//!
//! Names none of the project's crates: it drives cargo and PostgreSQL's programs.

mod account;
mod bench;
mod browser;
mod choice;
mod cluster;
mod contract;
mod fuzz;
mod install;
mod lint;
mod pack;
mod parity;
mod paths;
mod prereqs;
mod process;
mod retrieval;
mod run;
mod server;
mod shell;
mod suite;
mod tidy;

use std::process::ExitCode;

use anyhow::{Result, bail};
use nix::sys::stat::{Mode, umask};

const USAGE: &str = "usage: cargo xtask COMMAND

  run                      the server, the service and a demo on this machine, until Ctrl-C
  test                     run every tier of tests
  bench [NAME...]          measure, side by side with what others use
  fuzz SECONDS [NAME...]   feed what reads values and files with made-up input, for so long each
  contract [CALLS [SEED]]  hold the service to its description, with made-up requests (default: 20000)
  lint                     rustfmt, clippy and the rules of the house
  tidy                     the rules of the house alone
  install [--pg-config P]  build and install both extensions into a server (default: pg_config on PATH)
  server                   make the private server under VW_HOME (default: .vw)
  prereqs                  install or name what the machine is missing

VW_PG_CONFIG names the pg_config of the PostgreSQL, 14 to 18, to work with; without it the newest of Debian's is taken.";

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    // What is installed is for the server's user to read, whatever the caller's habits are.
    umask(Mode::from_bits_truncate(0o022));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run"] => run::run(),
        ["test"] => suite::run(),
        ["bench", names @ ..] => bench::run_named(names),
        ["fuzz", seconds, names @ ..] => fuzz::run_each(seconds, names),
        ["contract"] => contract::run_with(None, None),
        ["contract", calls] => contract::run_with(Some(calls), None),
        ["contract", calls, seed] => contract::run_with(Some(calls), Some(seed)),
        ["lint"] => lint::all(),
        ["tidy"] => tidy::check(),
        ["install"] => install::into(&install::default_pg_config()),
        ["install", "--pg-config", path] => install::into(std::path::Path::new(path)),
        ["server"] => server::ensure().map(|pg_config| println!("{}", pg_config.display())),
        ["prereqs"] => prereqs::ensure(),
        _ => bail!("{USAGE}"),
    }
}
