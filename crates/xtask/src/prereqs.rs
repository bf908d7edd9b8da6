//! What must be on the machine beyond Rust: a PostgreSQL server with its headers, libclang for its bindings, and for
//! the tests a browser.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::choice::{Choice, chosen};
use crate::paths::pg_config;
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

fn server() -> bool {
    choice().is_some_and(|choice| choice.has_programs())
}

/// The server's own package has the make files of the headers' package, but not the headers.
fn headers() -> bool {
    let folder = choice().and_then(|choice| pg_config(&choice.pg_config(), "--includedir-server").ok());
    folder.is_some_and(|folder| Path::new(&folder).join("postgres.h").is_file())
}

/// The server to work with; [`install`] has reported what is wrong with the name of one.
fn choice() -> Option<Choice> {
    chosen().ok().flatten()
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
    let choice = chosen()?;
    let missing: Vec<&Need> = needs.filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if let Some(Choice::Own(pg_config)) = &choice
        && !(server() && headers())
    {
        bail!("the server of {} lacks its programs or its headers", pg_config.display());
    }
    let packages = packages(&missing, choice.as_ref());
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

/// Name the packages; those of the server are of the version that is there or named, when one is.
fn packages(missing: &[&Need], choice: Option<&Choice>) -> Vec<String> {
    let all = missing.iter().flat_map(|need| need.packages);
    all.map(|package| match (choice, *package) {
        (Some(Choice::Debian(major)), "postgresql") => format!("postgresql-{major}"),
        (Some(Choice::Debian(major)), "postgresql-server-dev-all") => format!("postgresql-server-dev-{major}"),
        _ => (*package).to_owned(),
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
