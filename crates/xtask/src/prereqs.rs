//! What must be on the machine beyond Rust: a PostgreSQL server with its headers, libclang for its bindings, and for
//! the tests a browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{on_path, output, run, say};

/// One prerequisite: how to see that it is there, its Debian packages, and what it is for.
struct Need {
    there: fn() -> bool,
    packages: &'static [&'static str],
    why: &'static str,
}

const NEEDS: &[Need] = &[
    Need { there: server, packages: &["postgresql"], why: "the server that the tests start" },
    Need { there: headers, packages: &["postgresql-server-dev-all"], why: "the headers that the extension builds on" },
    Need { there: libclang, packages: &["clang", "libclang-dev"], why: "reads PostgreSQL's headers at build time" },
    Need { there: python, packages: &["python3", "python3-venv"], why: "fetches and converts the default model" },
];

/// What only the tests need.
const TEST_NEEDS: &[Need] = &[
    Need { there: || on_path("chromium"), packages: &["chromium"], why: "the browser that tests the console" },
    Need { there: || on_path("npm"), packages: &["nodejs", "npm"], why: "drives the browser" },
    Need { there: pooler, packages: &["pgbouncer"], why: "the pooler that the service is tested behind" },
];

/// The newest server's pg_config below Debian's folder of servers, which has the programs too.
pub fn debian_server() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let majors = folders.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut majors: Vec<u32> = majors.filter(|major| (14..=18).contains(major)).collect();
    majors.sort_unstable();
    let folder = |major| Path::new("/usr/lib/postgresql").join(format!("{major}"));
    majors.into_iter().rev().map(folder).find(|folder| folder.join("bin/initdb").is_file())
}

fn server() -> bool {
    debian_server().is_some()
}

fn headers() -> bool {
    // The server's own package has the make files of the headers' package, but not the headers.
    let include = |folder: PathBuf| Some(Path::new("/usr/include/postgresql").join(folder.file_name()?));
    debian_server().and_then(include).is_some_and(|folder| folder.join("server/postgres.h").is_file())
}

fn libclang() -> bool {
    on_path("clang")
}

fn python() -> bool {
    let venv = std::process::Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    venv.is_ok_and(|output| output.status.success())
}

/// Debian keeps the pooler where only root's PATH leads.
fn pooler() -> bool {
    on_path("pgbouncer") || Path::new("/usr/sbin/pgbouncer").is_file()
}

/// Install what is missing where apt and root (or sudo) allow it; elsewhere name it and stop.
pub fn ensure() -> Result<()> {
    install(NEEDS.iter())
}

/// The same with what only the tests need.
pub fn ensure_for_tests() -> Result<()> {
    install(NEEDS.iter().chain(TEST_NEEDS))
}

fn install(needs: impl Iterator<Item = &'static Need>) -> Result<()> {
    let missing: Vec<&Need> = needs.filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = packages(&missing);
    for need in &missing {
        say(&format!("missing: {} ({})", need.packages.join(", "), need.why));
    }
    let root = output("id".as_ref(), &["-u"])?.trim() == "0";
    if !on_path("apt-get") || !(root || on_path("sudo")) {
        bail!("please install these packages (Debian's names) and run this again: {}", packages.join(" "));
    }
    say(&format!("installing {}", packages.join(" ")));
    apt(root, &["update", "-qq"])?;
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends"];
    words.extend(packages.iter().map(String::as_str));
    apt(root, &words)
}

/// Name the packages; the headers are those of the server that is there, when one is.
fn packages(missing: &[&Need]) -> Vec<String> {
    let all = missing.iter().flat_map(|need| need.packages);
    let major = debian_server().and_then(|folder| Some(folder.file_name()?.to_str()?.to_owned()));
    all.map(|package| match &major {
        Some(major) => package.replace("dev-all", &format!("dev-{major}")),
        None => (*package).to_owned(),
    })
    .collect()
}

fn apt(root: bool, words: &[&str]) -> Result<()> {
    let mut command = Command::new(if root { "apt-get" } else { "sudo" });
    if !root {
        command.arg("apt-get");
    }
    run(command.args(words).env("DEBIAN_FRONTEND", "noninteractive"))
}
