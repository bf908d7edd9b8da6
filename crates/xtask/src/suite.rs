//! Every tier of tests in one run, and closing lines that count them, whatever failed before.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::paths::{built, home, root};
use crate::shell::say;
use crate::{browser, contract, install, lint, parity, prereqs, server};

/// Passed and failed tests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    passed: u64,
    failed: u64,
}

/// What came of one tier.
struct Tier {
    name: &'static str,
    count: Count,
    took: Duration,
}

/// Run every tier; a tier that fails does not keep the others from running.
pub fn run() -> Result<()> {
    prereqs::ensure_for_tests()?;
    let pg_config = server::ensure()?;
    let tiers = tiers(&pg_config);
    let mut total = Count::default();
    println!();
    for Tier { name, count, took } in &tiers {
        println!("{name:<36} {:>5} passed {:>5} failed {:>6.0} s", count.passed, count.failed, took.as_secs_f64());
        total = Count { passed: total.passed + count.passed, failed: total.failed + count.failed };
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 {
        bail!("{} tests failed", total.failed);
    }
    Ok(())
}

fn tiers(pg_config: &Path) -> Vec<Tier> {
    let mut tiers = vec![tier("formatting, lints, house rules", || Ok(lints(pg_config)))];
    let pure = ["test", "--release", "--workspace", "--exclude", "vw", "--exclude", "vw-tests"];
    tiers.push(tier("pure", || cargo_test(&pure, &[])));
    let installed = tier("build and install", || {
        install::all(pg_config, &home().join("bin"))?;
        Ok(Count { passed: 1, failed: 0 })
    });
    let usable = installed.count.failed == 0;
    tiers.push(installed);
    if usable {
        tiers.push(tier("what drives the browser", || {
            browser::ensure()?;
            Ok(Count::default())
        }));
        tiers.push(tier("what makes requests up", || {
            contract::ensure()?;
            Ok(Count::default())
        }));
        let environment = environment(pg_config);
        let outside = ["test", "--release", "--package", "vw-tests"];
        tiers.push(tier("against throw-away servers", || cargo_test(&outside, &environment)));
        // The features of both tiers, so that the engine is compiled once.
        let features = "with-pack,with-reference";
        let words = ["test", "--release", "--package", "vw-embed", "--features", features, "--test", "pack"];
        tiers.push(tier("engine with the default pack", || cargo_test(&words, &environment)));
        tiers.push(tier("parity with the references", || against_references(&environment)));
    }
    tiers
}

/// Hold the engine to what the reference implementations computed.
fn against_references(environment: &[(&'static str, PathBuf)]) -> Result<Count> {
    let folder = parity::reference()?;
    let words = parity::tests();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    cargo_test(&words, &[environment, &[("VW_REFERENCE", folder)]].concat())
}

/// Run one tier; an error that is not a test's counts as a failure.
fn tier(name: &'static str, work: impl FnOnce() -> Result<Count>) -> Tier {
    say(name);
    let begun = Instant::now();
    let count = work().unwrap_or_else(|error| {
        eprintln!("{name}: {error:#}");
        Count { passed: 0, failed: 1 }
    });
    Tier { name, count, took: begun.elapsed() }
}

/// Run the checks of `make lint`, each counted as one test.
fn lints(pg_config: &Path) -> Count {
    let mut count = Count::default();
    for (name, check) in lint::CHECKS {
        say(name);
        match check(pg_config) {
            Ok(()) => count.passed += 1,
            Err(error) => {
                eprintln!("{name}: {error:#}");
                count.failed += 1;
            }
        }
    }
    count
}

/// Where the tests find what they run: the server, the service, the runtime library, the packs.
pub fn environment(pg_config: &Path) -> Vec<(&'static str, PathBuf)> {
    let cache = home().join("cache");
    vec![
        ("VW_PG_CONFIG", pg_config.to_owned()),
        ("VW_API", built().join("vw-api")),
        ("VW_BROWSER", home().join("browser")),
        ("VW_SCHEMATHESIS", home().join("contract/bin/st")),
        ("VW_ONNXRUNTIME", cache.join("libonnxruntime.so")),
        ("VW_MODELS", cache),
    ]
}

/// Run cargo's tests, show what they print, and count them; a build that fails is an error.
fn cargo_test(words: &[&str], environment: &[(&'static str, PathBuf)]) -> Result<Count> {
    let mut command = Command::new(env!("CARGO"));
    command.args(words).arg("--no-fail-fast").current_dir(root()).stdout(Stdio::piped());
    let variables = environment.iter().map(|(name, value)| (name, value));
    let mut child = command.envs(variables).spawn().context("cannot start cargo")?;
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
        eprintln!("{command:?} failed: {status}");
        count.failed = 1;
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

    #[test]
    fn a_tier_that_breaks_counts_as_failed() {
        let tier = tier("broken", || bail!("no server"));
        assert_eq!(tier.count, Count { passed: 0, failed: 1 });
    }
}
