//! Every tier of tests in one run, and a closing line that counts them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::paths::root;
use crate::shell::say;
use crate::{install, prereqs, server};

/// Passed and failed tests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    passed: u64,
    failed: u64,
}

/// Run the pure tier, install into the private server, and run what needs one.
pub fn run() -> Result<()> {
    prereqs::ensure()?;
    say("pure tests");
    let pure = cargo_test(&["test", "--release"], &[])?;
    let pg_config = server::ensure()?;
    install::into(&pg_config)?;
    say("tests against throw-away servers");
    let outside =
        cargo_test(&["test", "--release", "--package", "vw-tests"], &[("VW_PG_CONFIG", pg_config.as_path())])?;
    let total = Count { passed: pure.passed + outside.passed, failed: pure.failed + outside.failed };
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("{} tests failed", total.failed);
    }
    Ok(())
}

/// Run cargo's tests, show what they print, and count them; a build that fails is an error.
fn cargo_test(words: &[&str], environment: &[(&str, &std::path::Path)]) -> Result<Count> {
    let mut command = Command::new(env!("CARGO"));
    command.args(words).arg("--no-fail-fast").current_dir(root()).stdout(Stdio::piped());
    let mut child = command.envs(environment.iter().copied()).spawn().context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut count = Count::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        let one = counted(&line).unwrap_or_default();
        count = Count { passed: count.passed + one.passed, failed: count.failed + one.failed };
        writeln!(std::io::stdout(), "{line}")?;
    }
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        bail!("{command:?} failed: {status}");
    }
    Ok(count)
}

/// Read one of cargo's closing lines: `test result: ok. 3 passed; 0 failed; …`.
fn counted(line: &str) -> Option<Count> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| counts.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
    Some(Count { passed: number("passed")?, failed: number("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted() {
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(counted(line), Some(Count { passed: 3, failed: 2 }));
        assert_eq!(counted("test x ... ok"), None);
    }
}
