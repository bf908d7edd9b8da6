//! One `make run` at a time in one VW_HOME.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// Take the lock of `home` until the file is dropped; its text is the holder's process id.
pub fn take(home: &Path) -> Result<File> {
    std::fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
    let path = home.join("run.lock");
    let opened = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let mut file = opened.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            write!(file, "{}", std::process::id())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            let home = home.display();
            bail!("process {holder} runs in {home} already; stop that one, or choose another folder with VW_HOME=…")
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_second_is_refused() {
        let home = std::env::temp_dir().join(format!("vw-lock-{}", std::process::id()));
        let first = super::take(&home).expect("nobody holds it");
        let refusal = super::take(&home).expect_err("it is held").to_string();
        assert!(refusal.contains(&std::process::id().to_string()) && refusal.contains("VW_HOME"), "{refusal}");
        drop(first);
        assert!(super::take(&home).is_ok());
        std::fs::remove_dir_all(&home).expect("own folder");
    }
}
