//! `cargo xtask fuzz`: coverage-guided fuzzing of what reads values and files, by libFuzzer, with the toolchain that is there.
//!
//! Corpora and crashing inputs lie in VW_HOME/fuzz. A corpus begins with the small files that the recipes of tests/parity made,
//! where they are there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths::{home, root};
use crate::shell::{run, say};

/// Targets that are built together.
struct Room {
    /// The folder of their workspace.
    folder: &'static str,
    /// The longest input, in bytes.
    longest: u64,
    /// Each target, the folder of its files among the references, and the formats that it is held to, one run each.
    targets: &'static [(&'static str, &'static str, &'static [&'static str])],
}

const ROOMS: &[Room] = &[
    Room {
        folder: "crates/vector/fuzz",
        longest: 4096,
        targets: &[("text", "", &[""]), ("binary", "", &[""]), ("array", "", &[""])],
    },
    Room {
        folder: "crates/embed/fuzz",
        longest: 65536,
        targets: &[
            ("image_decode", "image", &["png", "jpeg", "webp", "gif", "bmp", "tiff"]),
            ("audio_decode", "audio", &["wav", "aiff", "flac", "ogg", "m4a", "mp3", "adts"]),
        ],
    },
];
/// What cargo-fuzz passes on a nightly toolchain, without the sanitizer that only that one has.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// One run: a target, held to one format or, where it has none, to nothing.
struct Run {
    target: &'static str,
    files: &'static str,
    format: &'static str,
    longest: u64,
}

/// Build the targets and give each of the named runs some seconds; all of them where none is named.
pub fn run_each(seconds: &str, names: &[&str]) -> Result<()> {
    let usage = || format!("usage: cargo xtask fuzz SECONDS [NAME...], where NAME is of {}", known());
    let seconds: u32 = seconds.parse().with_context(usage)?;
    if names.iter().any(|name| runs().all(|run| run.name() != *name)) {
        bail!(usage());
    }
    let folder = home().join("fuzz");
    // A target triple keeps the flags away from build scripts.
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    for room in ROOMS {
        let mut wanted: Vec<Run> = room.runs().collect();
        wanted.retain(|run| names.is_empty() || names.contains(&run.name().as_str()));
        if wanted.is_empty() {
            continue;
        }
        say(&format!("building the fuzz targets of {}", room.folder));
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(root().join(room.folder)).args(["build", "--release", "--target-dir"]);
        run(build.arg(folder.join("target")).args(["--target", &triple]).env("RUSTFLAGS", FLAGS))?;
        let programs = folder.join("target").join(&triple).join("release");
        for one in wanted {
            one.start(seconds, &programs, &folder)?;
        }
    }
    Ok(())
}

fn runs() -> impl Iterator<Item = Run> {
    ROOMS.iter().flat_map(Room::runs)
}

/// The names of all runs.
fn known() -> String {
    runs().map(|run| run.name()).collect::<Vec<_>>().join(", ")
}

impl Room {
    fn runs(&self) -> impl Iterator<Item = Run> + use<> {
        let longest = self.longest;
        self.targets.iter().flat_map(move |&(target, files, formats)| {
            formats.iter().map(move |&format| Run { target, files, format, longest })
        })
    }
}

impl Run {
    fn name(&self) -> String {
        [self.target, self.format].join("-").trim_end_matches('-').to_owned()
    }

    fn start(&self, seconds: u32, programs: &Path, folder: &Path) -> Result<()> {
        say(&format!("fuzzing {} for {seconds} s", self.name()));
        let (corpus, crashes) = (folder.join("corpus").join(self.name()), folder.join("crashes").join(self.name()));
        std::fs::create_dir_all(&corpus)?;
        std::fs::create_dir_all(&crashes)?;
        self.seed(&corpus)?;
        let mut fuzzer = Command::new(programs.join(self.target));
        if !self.format.is_empty() {
            fuzzer.env("VW_FUZZ_FORMAT", self.format);
        }
        fuzzer.arg(format!("-max_total_time={seconds}")).arg(format!("-artifact_prefix={}/", crashes.display()));
        fuzzer.arg(format!("-max_len={}", self.longest)).args(["-print_final_stats=1", "-verbosity=0"]);
        run(fuzzer.arg(corpus))
    }

    /// Copy the references' files of this format that are short enough into the corpus.
    fn seed(&self, corpus: &Path) -> Result<()> {
        let files = home().join("cache/reference").join(self.files);
        if self.format.is_empty() || !files.is_dir() {
            return Ok(());
        }
        for entry in std::fs::read_dir(&files)?.flatten() {
            let path: PathBuf = entry.path();
            let named = path.extension().is_some_and(|end| end == self.format);
            if named && entry.metadata()?.len() <= self.longest {
                std::fs::copy(&path, corpus.join(entry.file_name()))?;
            }
        }
        Ok(())
    }
}
