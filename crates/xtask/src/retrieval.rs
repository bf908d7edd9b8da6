//! `make bench BENCH=retrieval`: what the default pack's towers find, measured by models/training/evaluate.py and
//! evaluate_audio.py.
//!
//! It needs no server. The drawings that it measures on are downloaded with npm, once, into VW_HOME; the voices are Debian packages,
//! and without them it says which are missing and measures the rest.

use std::process::Command;

use anyhow::Result;

use crate::pack;
use crate::paths::{home, root};
use crate::shell::{run, say};

/// The name among the benchmarks.
pub const NAME: &str = "retrieval";

/// Print the tables of the model card anew.
pub fn measure() -> Result<()> {
    let runtime = pack::ensure()?;
    let scripts = root().join("models/training");
    let python = home().join("python/bin/python");
    say("installing what the measurement needs");
    let requirements = scripts.join("evaluation.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))?;
    say("retrieval: what the default pack finds, in a drawing style and by voices that it never met");
    for script in ["evaluate.py", "evaluate_audio.py"] {
        let mut command = Command::new(&python);
        command.env("PYTHONDONTWRITEBYTECODE", "1").arg(scripts.join(script)).arg(home().join("retrieval"));
        run(command.arg(runtime.pack.join("text")).arg(root().join("models/default")))?;
    }
    Ok(())
}
