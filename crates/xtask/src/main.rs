//! The project's own commands, behind the Makefile: build, install, test, tidy.
//!
//! Names none of the project's crates: it drives cargo and PostgreSQL's programs.

mod install;
mod pack;
mod paths;
mod prereqs;
mod server;
mod shell;
mod suite;
mod tidy;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask COMMAND

  prereqs                  install or name what the machine is missing
  install [--pg-config P]  build and install both extensions into a server (default: pg_config on PATH)
  server                   make the private server under VW_HOME (default: .vw)
  test                     run every tier of tests
  tidy                     check the rules of the house";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["prereqs"] => prereqs::ensure(),
        ["install"] => install::into(&install::default_pg_config()),
        ["install", "--pg-config", path] => install::into(std::path::Path::new(path)),
        ["server"] => server::ensure().map(|pg_config| println!("{}", pg_config.display())),
        ["test"] => suite::run(),
        ["tidy"] => tidy::check(),
        _ => bail!("{USAGE}"),
    }
}
