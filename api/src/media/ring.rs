//! The secrets that sign content URLs: a file beside the media, so whoever can read it can read the media as well, and
//! all services of one folder share it. The newest signs; it and the one before verify.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many secrets are kept.
const KEPT: usize = 2;

/// One secret.
#[derive(Clone, PartialEq)]
pub struct Secret {
    /// Names it in URLs: 8 characters.
    pub id: String,
    pub bytes: [u8; 32],
}

/// The secrets in force, the newest first; never empty.
#[derive(Clone)]
pub struct Ring {
    file: PathBuf,
    secrets: Vec<Secret>,
}

impl Ring {
    /// Read the file, which is made where it is missing.
    pub fn open(file: PathBuf) -> anyhow::Result<Ring> {
        if !file.exists() {
            let draft = draft(&file, &[Secret::new()?])?;
            // Another service may have been faster; then its file is the one.
            let linked = fs::hard_link(&draft, &file);
            fs::remove_file(&draft).with_context(|| format!("{} cannot be removed", draft.display()))?;
            if let Err(error) = linked.as_ref().err().filter(|_| !file.exists()).map_or(Ok(()), Err) {
                bail!("{} cannot be made: {error}", file.display());
            }
        }
        let secrets = read(&file)?;
        Ok(Ring { file, secrets })
    }

    /// The secret that signs.
    pub fn newest(&self) -> Option<&Secret> {
        self.secrets.first()
    }

    /// A secret in force.
    pub fn find(&self, id: &str) -> Option<&Secret> {
        self.secrets.iter().find(|secret| secret.id == id)
    }

    /// Read the file again.
    pub fn reload(&mut self) -> anyhow::Result<()> {
        self.secrets = read(&self.file)?;
        Ok(())
    }

    /// Put a new secret in front; the one before stays for the URLs that are out.
    pub fn rotate(&mut self) -> anyhow::Result<()> {
        self.reload()?;
        self.secrets.insert(0, Secret::new()?);
        self.secrets.truncate(KEPT);
        let draft = draft(&self.file, &self.secrets)?;
        fs::rename(&draft, &self.file).with_context(|| format!("{} cannot be written", self.file.display()))
    }
}

impl Secret {
    fn new() -> anyhow::Result<Secret> {
        let (mut id, mut bytes) = ([0; 6], [0; 32]);
        getrandom::fill(&mut id)
            .and_then(|()| getrandom::fill(&mut bytes))
            .context("the system gives no random numbers")?;
        Ok(Secret { id: URL_SAFE_NO_PAD.encode(id), bytes })
    }

    /// Read a line `id secret`.
    fn parse(line: &str) -> Option<Secret> {
        let (id, text) = line.split_once(' ')?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        (id.len() == 8).then(|| Secret { id: id.to_owned(), bytes })
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Secret>> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let secrets: Option<Vec<Secret>> = text.lines().map(Secret::parse).collect();
    match secrets {
        Some(secrets) if !secrets.is_empty() => Ok(secrets),
        _ => bail!("{} is damaged; delete it and a new one is made, with which URLs given out end", file.display()),
    }
}

/// Write secrets into a file of another name, which only its owner can read.
fn draft(file: &Path, secrets: &[Secret]) -> anyhow::Result<PathBuf> {
    let draft = file.with_extension(format!("{}", std::process::id()));
    let text: String =
        secrets.iter().map(|Secret { id, bytes }| format!("{id} {}\n", URL_SAFE_NO_PAD.encode(bytes))).collect();
    let mut options = OpenOptions::new();
    let written = options.write(true).create(true).truncate(true).mode(0o600).open(&draft).and_then(|mut out| {
        out.write_all(text.as_bytes())?;
        out.sync_all()
    });
    written.with_context(|| format!("{} cannot be written", draft.display()))?;
    Ok(draft)
}

#[cfg(test)]
mod tests {
    //! Guards that URLs given out stay good through one rotation and no longer, and that the secret is nobody else's to read.
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn rotation_keeps_one_old_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys");
        let mut ring = Ring::open(file.clone()).expect("a new ring");
        let first = ring.newest().expect("one").clone();
        assert!(Ring::open(file.clone()).expect("the same").newest() == Some(&first));
        assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        let mut other = Ring::open(file.clone()).expect("another service's");
        ring.rotate().expect("rotated");
        let second = ring.newest().expect("two").clone();
        assert!(second != first && ring.find(&first.id) == Some(&first));
        assert!(other.find(&second.id).is_none());
        other.reload().expect("read again");
        assert!(other.newest() == Some(&second) && other.find(&first.id) == Some(&first));
        ring.rotate().expect("rotated");
        assert!(ring.find(&first.id).is_none() && ring.find(&second.id).is_some());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "no draft is left");
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys");
        for text in ["", "x", "12345678 short", "12345678 !\n"] {
            fs::write(&file, text).expect("own folder");
            assert!(Ring::open(file.clone()).is_err(), "{text}");
        }
    }
}
