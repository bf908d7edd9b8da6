//! `cargo xtask fuzz`: coverage-guided fuzzing of what reads values and files, by libFuzzer, with the toolchain that is there.
//!
//! Corpora and crashing inputs lie in VW_HOME/fuzz.

use std::process::Command;

use anyhow::{Context, Result};

use crate::paths::{home, root};
use crate::shell::{run, say};

/// Workspaces of targets: folder, longest input in bytes, and targets.
const ROOMS: &[(&str, &str, &[&str])] =
    &[("crates/vector/fuzz", "4096", &["text", "binary", "array"]), ("crates/embed/fuzz", "65536", &["image_decode"])];
/// What cargo-fuzz passes on a nightly toolchain, without the sanitizer that only that one has.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// Build the targets and run each for some seconds.
pub fn run_each(seconds: &str) -> Result<()> {
    let seconds: u32 = seconds.parse().context("usage: cargo xtask fuzz SECONDS")?;
    let folder = home().join("fuzz");
    // A target triple keeps the flags away from build scripts.
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    for (room, longest, targets) in ROOMS {
        say(&format!("building the fuzz targets of {room}"));
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(root().join(room)).args(["build", "--release", "--target-dir"]);
        run(build.arg(folder.join("target")).args(["--target", &triple]).env("RUSTFLAGS", FLAGS))?;
        for target in *targets {
            say(&format!("fuzzing {target} for {seconds} s"));
            let (corpus, crashes) = (folder.join("corpus").join(target), folder.join("crashes").join(target));
            std::fs::create_dir_all(&corpus)?;
            std::fs::create_dir_all(&crashes)?;
            let program = folder.join("target").join(&triple).join("release").join(target);
            let mut fuzzer = Command::new(program);
            fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-artifact_prefix={}/", crashes.display()));
            fuzzer.arg(format!("-max_len={longest}")).args(["-print_final_stats=1", "-verbosity=0"]);
            run(fuzzer.arg(corpus))?;
        }
    }
    Ok(())
}
