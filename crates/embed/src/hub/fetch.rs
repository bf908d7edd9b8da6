//! One file: gone on with after a cut, held to its length and its hash, and only then counted as there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use ureq::http::{Response, header};

use super::about;
use super::http::{Client, Trouble, escape};
use super::listing::{Entry, Hash, Listing};
use super::progress::Progress;
use super::stage::Stage;

/// The longest file that is fetched when the hub does not say how long it is, in bytes.
const MAX_UNKNOWN: u64 = 20 << 30;

/// How a pointer begins that git keeps in place of a large file.
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// The file on disk as it turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub size: u64,
    pub sha256: String,
}

/// Fetch a file to its place in the stage, unless it is there already.
pub fn fetch(
    client: &Client,
    listing: &Listing,
    entry: &Entry,
    stage: &Stage,
    progress: &mut Progress,
) -> Result<Fetched> {
    about(one(client, listing, entry, stage, progress), entry)
}

fn one(client: &Client, listing: &Listing, entry: &Entry, stage: &Stage, progress: &mut Progress) -> Result<Fetched> {
    let (part, whole) = (stage.part(&entry.path)?, stage.file(&entry.path)?);
    progress.begin(&entry.path);
    if whole.is_file() {
        if let Ok(fetched) = check(&whole, entry) {
            progress.had(fetched.size);
            return Ok(fetched);
        }
        std::fs::remove_file(&whole)?;
    }
    let path = format!("/{}/resolve/{}/{}", listing.id, listing.commit, escape(&entry.path, true));
    let mut file = File::options().create(true).truncate(false).read(true).write(true).open(&part)?;
    let size = || file_length(&part);
    client.repeat(&mut || size().unwrap_or(0), &mut || transfer(client, &path, entry, &mut file, progress))?;
    file.sync_all()?;
    drop(file);
    let fetched = check(&part, entry).inspect_err(|_| {
        // What is wrong stays wrong: the next attempt has to begin anew.
        let _ = std::fs::remove_file(&part);
    })?;
    std::fs::rename(&part, &whole)?;
    Ok(fetched)
}

fn file_length(path: &Path) -> std::io::Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}

/// Bring what is missing of a file.
fn transfer(
    client: &Client,
    path: &str,
    entry: &Entry,
    file: &mut File,
    progress: &mut Progress,
) -> Result<(), Trouble> {
    let disk = |error: std::io::Error| Trouble::Lasting(anyhow!(error).context("cannot write the file"));
    let most = entry.size.unwrap_or(MAX_UNKNOWN);
    let mut length = file.metadata().map_err(disk)?.len();
    if entry.size == Some(length) {
        return Ok(());
    }
    if length > most {
        length = 0;
    }
    let (head, body) = client.get(path, length)?;
    if length > 0 && !continues(&head, length) {
        length = 0;
    }
    file.set_len(length).map_err(disk)?;
    file.seek(SeekFrom::Start(length)).map_err(disk)?;
    let mut body = body.into_reader();
    let mut piece = vec![0; 1 << 16];
    progress.had(length);
    loop {
        let count = body
            .read(&mut piece)
            .map_err(|error| Trouble::Passing(anyhow!("the connection was cut: {error}"), None))?;
        let bytes = piece.get(..count).unwrap_or_default();
        length += count as u64;
        if length > most {
            file.set_len(0).map_err(disk)?;
            return Err(Trouble::Lasting(anyhow!("the hub sends more than the {most} bytes that it listed")));
        }
        if bytes.is_empty() {
            break;
        }
        file.write_all(bytes).map_err(disk)?;
        progress.at(length);
    }
    match entry.size {
        Some(size) if length < size => {
            Err(Trouble::Passing(anyhow!("the connection was cut at {length} of {size} bytes"), None))
        }
        _ => Ok(()),
    }
}

/// Whether an answer is the part of the file from `from` on.
fn continues(head: &Response<()>, from: u64) -> bool {
    let range = head.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let start = range.and_then(|range| range.trim().strip_prefix("bytes ")?.split('-').next()?.parse().ok());
    head.status().as_u16() == 206 && start == Some(from)
}

/// Hold a file to what the listing says of it.
fn check(path: &Path, entry: &Entry) -> Result<Fetched> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if let Some(listed) = entry.size.filter(|listed| *listed != size) {
        bail!("it has {size} bytes; the hub lists {listed}");
    }
    let (mut sha256, mut blob) = (Sha256::new(), Sha1::new());
    blob.update(format!("blob {size}\0"));
    let (mut piece, mut start) = (vec![0; 1 << 16], Vec::<u8>::new());
    loop {
        let count = file.read(&mut piece).context("cannot read it again")?;
        let bytes = piece.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        let missing = POINTER.len().saturating_sub(start.len()).min(count);
        start.extend(bytes.get(..missing).unwrap_or_default());
        sha256.update(bytes);
        blob.update(bytes);
    }
    if start == POINTER && size < 1024 {
        bail!("the hub sends the pointer to a large file in place of the file; it does not serve large file storage");
    }
    let (sha256, blob) = (hex(&sha256.finalize()), hex(&blob.finalize()));
    match &entry.hash {
        Some(Hash::Sha256(listed)) if *listed != sha256 => bail!("its sha256 is {sha256}; the hub lists {listed}"),
        Some(Hash::Blob(listed)) if *listed != blob => bail!("its git hash is {blob}; the hub lists {listed}"),
        _ => Ok(Fetched { size, sha256 }),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &[u8], size: Option<u64>, hash: Option<Hash>) -> Result<Fetched> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("x");
        std::fs::write(&path, text).expect("it can be written");
        check(&path, &Entry { path: "x".to_owned(), size, hash })
    }

    #[test]
    fn both_kinds_of_hashes_are_held() {
        // The values of `sha256sum` and of `git hash-object` for these six bytes.
        let sha256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let blob = "ce013625030ba8dba906f756967f9e9ca394464a";
        let text = b"hello\n";
        let fetched = Fetched { size: 6, sha256: sha256.to_owned() };
        assert_eq!(checked(text, Some(6), Some(Hash::Sha256(sha256.to_owned()))).expect("it fits"), fetched);
        assert_eq!(checked(text, Some(6), Some(Hash::Blob(blob.to_owned()))).expect("it fits"), fetched);
        assert_eq!(checked(text, None, None).expect("nothing is known"), fetched);
        let says = |size, hash| checked(b"hellO\n", size, hash).expect_err("it differs").to_string();
        assert!(says(Some(6), Some(Hash::Sha256(sha256.to_owned()))).contains("sha256"));
        assert!(says(Some(6), Some(Hash::Blob(blob.to_owned()))).contains("git hash"));
        assert!(says(Some(7), None).contains("the hub lists 7"));
    }

    #[test]
    fn a_pointer_is_not_taken_for_the_file() {
        let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n";
        assert!(checked(pointer, None, None).expect_err("it is a pointer").to_string().contains("pointer"));
        assert!(checked(b"version ", None, None).is_ok() && checked(b"", None, None).is_ok());
    }
}
