//! The service held to its description: schemathesis, from PyPI into VW_HOME/contract, over /openapi.json of a real service
//! with a real database and engine. The test is tests/system/contract.rs, the rules are in tests/contract.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::{home, root};
use crate::shell::{run, say};
use crate::{install, prereqs, server, suite};

/// How many requests are made where nobody says so; about 15 minutes on two cores.
const CALLS: &str = "20000";

/// Make at least so many requests, in runs that begin with this seed and count up.
pub fn run_with(calls: Option<&str>, seed: Option<&str>) -> Result<()> {
    let number = |text: &str| text.parse::<u64>().with_context(|| format!("{text} is no number; {USAGE}"));
    let (calls, seed) = (number(calls.unwrap_or(CALLS))?, number(seed.unwrap_or("1"))?);
    prereqs::ensure()?;
    let pg_config = server::ensure()?;
    install::all(&pg_config, &home().join("bin"))?;
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--release", "--package", "vw-tests", "--test", "contract", "--", "--nocapture"]);
    command.env("VW_CONTRACT_CALLS", calls.to_string()).env("VW_CONTRACT_SEED", seed.to_string());
    ensure()?;
    command.envs(suite::environment(&pg_config)).current_dir(root());
    run(&mut command)
}

const USAGE: &str = "usage: cargo xtask contract [CALLS [SEED]]";

/// Install what tests/contract/requirements.txt names, if it is not there; gives schemathesis's program.
pub fn ensure() -> Result<PathBuf> {
    let (folder, source) = (home().join("contract"), root().join("tests/contract/requirements.txt"));
    let (program, stamp) = (folder.join("bin/st"), folder.join("requirements.txt"));
    let wanted = std::fs::read_to_string(&source)?;
    if program.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(program);
    }
    say("installing schemathesis (30 MB)");
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let words = ["-m", "pip", "install", "--quiet", "--requirement"];
    run(Command::new(folder.join("bin/python")).args(words).arg(&source))?;
    std::fs::write(&stamp, wanted)?;
    Ok(program)
}
