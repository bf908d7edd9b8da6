//! Build in release mode and put the files where a server finds them by itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::choice::MAJORS;
use crate::pack;
use crate::paths::{built, major, pg_config, root};
use crate::shell::{replace, run, say};

/// The pg_config on the PATH.
pub fn default_pg_config() -> PathBuf {
    PathBuf::from("pg_config")
}

/// Build for the server of `program` (a pg_config) and install the extensions and the engine there.
pub fn into(program: &Path) -> Result<()> {
    let program = which(program)?;
    build(&program, &["vw", "vw-embed"])?;
    files(&program)
}

/// The same, and the service into `programs`; gives its path.
pub fn all(program: &Path, programs: &Path) -> Result<PathBuf> {
    build(program, &["vw", "vw-embed", "vw-api"])?;
    files(program)?;
    let service = programs.join("vw-api");
    replace(&built().join("vw-api"), &service)?;
    Ok(service)
}

/// Build `packages` for the server of `program` in one run of cargo.
pub fn build(program: &Path, packages: &[&str]) -> Result<()> {
    let major = major(program)?;
    if !MAJORS.contains(&major) {
        bail!("{} is PostgreSQL {major}; 14 to 18 are supported", program.display());
    }
    say(&format!("building for PostgreSQL {major}"));
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(root()).env("PGRX_PG_CONFIG_PATH", program).args(["build", "--release"]);
    command.arg("--features").arg(format!("vw/pg{major}"));
    run(command.args(packages.iter().flat_map(|package| ["--package", package])))
}

/// Install what is built.
fn files(program: &Path) -> Result<()> {
    let libraries = PathBuf::from(pg_config(program, "--pkglibdir")?);
    let shared = PathBuf::from(pg_config(program, "--sharedir")?);
    let extensions = shared.join("extension");
    replace(&built().join("libvw.so"), &libraries.join("vw.so"))?;
    for name in sql_folders()? {
        extension(&name, &extensions)?;
    }
    upgrades(&extensions)?;
    engine(&libraries, &shared)
}

/// Install the engine with its runtime library and the default pack.
fn engine(libraries: &Path, shared: &Path) -> Result<()> {
    let runtime = pack::ensure()?;
    replace(&built().join("vw-engine"), &libraries.join("vw/vw-engine"))?;
    replace(&runtime.library, &libraries.join("vw/libonnxruntime.so"))?;
    let name = runtime.pack.file_name().context("the pack's folder has no name")?;
    tree(&runtime.pack, &shared.join("vw/models").join(name))
}

/// Copy the upgrade scripts, `<extension>--<from>--<to>.sql`, as they are.
fn upgrades(extensions: &Path) -> Result<()> {
    for entry in std::fs::read_dir(root().join("sql/upgrade")).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|ending| ending == "sql") {
            replace(&entry.path(), &extensions.join(entry.file_name()))?;
        }
    }
    Ok(())
}

/// Copy a folder's files, each whole.
fn tree(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)?.flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { tree(&entry.path(), &target)? } else { replace(&entry.path(), &target)? }
    }
    Ok(())
}

/// The extensions: the folders of `sql/` that hold a control file of their name.
fn sql_folders() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("sql"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if root().join("sql").join(&name).join(format!("{name}.control")).is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Install one extension's control file and its script.
fn extension(name: &str, target: &Path) -> Result<()> {
    let control = root().join("sql").join(name).join(format!("{name}.control"));
    let text = std::fs::read_to_string(&control)?;
    let version = text.lines().find_map(|line| line.strip_prefix("default_version = '")?.strip_suffix('\''));
    let version = version.with_context(|| format!("no default_version in {}", control.display()))?;
    let script = target.join(format!("{name}--{version}.sql"));
    let fresh = script.with_extension("new");
    std::fs::write(&fresh, script_of(name)?).with_context(|| format!("cannot write {}", fresh.display()))?;
    std::fs::rename(&fresh, &script)?;
    replace(&control, &target.join(format!("{name}.control")))
}

/// An extension's script: its SQL files in the order of their names.
fn script_of(name: &str) -> Result<String> {
    let folder = root().join("sql").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    files.sort();
    Ok(files.iter().map(std::fs::read_to_string).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

/// What the extensions are: all their control files, which tell the versions, and all their scripts.
pub fn sources() -> Result<(String, String)> {
    let (mut controls, mut scripts) = (String::new(), String::new());
    for name in sql_folders()? {
        let control = root().join("sql").join(&name).join(format!("{name}.control"));
        controls.push_str(&std::fs::read_to_string(control)?);
        scripts.push_str(&script_of(&name)?);
    }
    Ok((controls, scripts))
}

/// Find a program that is named without a folder on the PATH.
fn which(program: &Path) -> Result<PathBuf> {
    if program.components().count() > 1 {
        return Ok(std::fs::canonicalize(program)?);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.with_context(|| format!("{} is not on the PATH; say PG_CONFIG=…", program.display()))
}
