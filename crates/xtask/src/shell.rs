//! Running other programs: what is run is said, and a failure names the command.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Say what a long step is about to do.
pub fn say(text: &str) {
    eprintln!("==> {text}");
}

/// Run a command to its end; fail when it does.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} failed: {status}");
    }
    Ok(())
}

/// Run a program and give what it prints.
pub fn output(program: &OsStr, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Tell whether a program is on the PATH.
pub fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Copy a file so that whoever has the old one open keeps it whole; a copy that is up to date stays.
pub fn replace(from: &Path, to: &Path) -> Result<()> {
    if up_to_date(from, to) {
        return Ok(());
    }
    let folder = to.parent().with_context(|| format!("{} has no parent", to.display()))?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let fresh = to.with_extension("new");
    std::fs::copy(from, &fresh).with_context(|| format!("cannot copy {} to {}", from.display(), fresh.display()))?;
    std::fs::rename(&fresh, to).with_context(|| format!("cannot replace {}", to.display()))
}

/// Tell whether `to` is as long as `from` and was written after it.
fn up_to_date(from: &Path, to: &Path) -> bool {
    let (Ok(from), Ok(to)) = (from.metadata(), to.metadata()) else { return false };
    let newer = from.modified().ok().zip(to.modified().ok()).is_some_and(|(from, to)| to > from);
    newer && from.len() == to.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_renewed_when_the_original_changes() {
        let folder = std::env::temp_dir().join(format!("vw-replace-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("own folder");
        let (from, to) = (folder.join("from"), folder.join("to"));
        for text in ["one", "two", "longer"] {
            std::fs::write(&from, text).expect("own file");
            replace(&from, &to).expect("own files");
            assert_eq!(std::fs::read_to_string(&to).expect("a copy"), text);
        }
        std::fs::remove_dir_all(&folder).expect("own folder");
    }
}
