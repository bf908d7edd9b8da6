//! The compiler's and the house's opinion of the text: rustfmt, clippy, tidy.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::paths::{major, root};
use crate::shell::{run, say};
use crate::{prereqs, server, tidy};

/// One check by its name.
pub type Check = (&'static str, fn(&Path) -> Result<()>);

/// The checks, the quickest first; each takes the pg_config that the extension is built for.
pub const CHECKS: &[Check] = &[
    ("rustfmt", |_| fmt()),
    ("tidy", |_| tidy::check()),
    ("clippy", |_| clippy()),
    ("clippy of the extension", extension),
];

/// Run every check; stop at the first that fails.
pub fn all() -> Result<()> {
    prereqs::ensure()?;
    let pg_config = server::ensure()?;
    for (name, check) in CHECKS {
        say(name);
        check(&pg_config)?;
    }
    Ok(())
}

fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(words).current_dir(root());
    command
}

fn fmt() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))
}

/// Everything that needs no PostgreSQL to compile.
fn clippy() -> Result<()> {
    let words = ["clippy", "--release", "--workspace", "--exclude", "vw", "--all-targets"];
    run(cargo(&words).args(["--features", "vw-embed/with-pack", "--", "-D", "warnings"]))
}

fn extension(pg_config: &Path) -> Result<()> {
    let feature = format!("pg{}", major(pg_config)?);
    let words = ["clippy", "--release", "--package", "vw", "--all-targets", "--features"];
    run(cargo(&words).args([&feature, "--", "-D", "warnings"]).env("PGRX_PG_CONFIG_PATH", pg_config))
}
