//! Which files a repository has: the hub's answer to `GET /api/models/ID/revision/REVISION?blobs=true`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::http::{Client, escape};

/// The longest listing that is read, in bytes.
const MAX_LISTING: u64 = 32 << 20;

/// A repository at one commit.
#[derive(Debug)]
pub struct Listing {
    pub id: String,
    /// The commit that the revision stands for, in hexadecimal digits.
    pub commit: String,
    pub files: Vec<Entry>,
}

/// One file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names with slashes between them, checked to lead down only.
    pub path: String,
    /// Its length in bytes, where the hub says it.
    pub size: Option<u64>,
    pub hash: Option<Hash>,
}

/// What a file is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hash {
    /// The sha256 of a file in large file storage.
    Sha256(String),
    /// The sha1 that git gives a file of its own: over `blob LENGTH\0` and the file.
    Blob(String),
}

#[derive(Deserialize)]
struct Answer {
    sha: Option<String>,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Large>,
}

#[derive(Deserialize)]
struct Large {
    sha256: String,
    size: u64,
}

impl Listing {
    /// Ask the hub.
    pub fn ask(client: &Client, id: &str, revision: &str) -> Result<Listing> {
        let path = format!("/api/models/{id}/revision/{}?blobs=true", escape(revision, false));
        let what = || format!("cannot list {id} at {revision}");
        let text = client.small(&path, MAX_LISTING).with_context(what)?;
        Listing::read(id, &text).with_context(what)
    }

    fn read(id: &str, text: &[u8]) -> Result<Listing> {
        let answer: Answer = serde_json::from_slice(text).context("the hub's answer is not a listing")?;
        let commit = answer.sha.context("the hub's answer has no commit")?;
        if !is_hex(&commit, 40) {
            bail!("the hub's answer has the commit \"{}\"", commit.escape_debug());
        }
        let files = answer.siblings.into_iter().map(Sibling::entry).collect::<Result<_>>()?;
        Ok(Listing { id: id.to_owned(), commit, files })
    }

    /// Find a file by its path.
    pub fn find(&self, path: &str) -> Option<&Entry> {
        self.files.iter().find(|entry| entry.path == path)
    }
}

impl Sibling {
    fn entry(self) -> Result<Entry> {
        let path = self.rfilename;
        if !is_plain(&path) {
            bail!("the repository has a file \"{}\", which is no name for one", path.escape_debug());
        }
        let wrong = |hash: &str| anyhow::anyhow!("{path} has the hash \"{}\" in the hub's answer", hash.escape_debug());
        let (size, hash) = match (self.lfs, self.blob_id) {
            (Some(large), _) if is_hex(&large.sha256, 64) => (Some(large.size), Some(Hash::Sha256(large.sha256))),
            (Some(large), _) => return Err(wrong(&large.sha256)),
            (None, Some(blob)) if is_hex(&blob, 40) => (self.size, Some(Hash::Blob(blob))),
            (None, Some(blob)) => return Err(wrong(&blob)),
            (None, None) => (self.size, None),
        };
        Ok(Entry { path, size, hash })
    }
}

/// Whether a text is a hash of so many lower-case hexadecimal digits.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether a path leads down only, over names that are no more than names on any system.
pub fn is_plain(path: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let name = |name: &str| !name.is_empty() && name != "." && name != ".." && name.len() <= 255;
    path.len() <= 1024 && !path.chars().any(odd) && path.split('/').count() <= 8 && path.split('/').all(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn read(siblings: &str) -> Result<Listing> {
        Listing::read("a/b", format!(r#"{{"id":"a/b","sha":"{COMMIT}","siblings":{siblings}}}"#).as_bytes())
    }

    #[test]
    fn sizes_and_hashes_are_of_the_file_and_not_of_its_pointer() {
        let sha256 = "ab".repeat(32);
        let text = format!(
            r#"[{{"rfilename":"onnx/model.onnx","size":9000,"blobId":"{COMMIT}","lfs":{{"sha256":"{sha256}","size":9000,"pointerSize":134}}}},
                {{"rfilename":"config.json","size":70,"blobId":"{COMMIT}"}}, {{"rfilename":"x"}}]"#
        );
        let listing = read(&text).expect("it is in order");
        assert_eq!(listing.commit, COMMIT);
        let model = listing.find("onnx/model.onnx").expect("it is listed");
        assert_eq!((model.size, model.hash.clone()), (Some(9000), Some(Hash::Sha256(sha256))));
        let config = listing.find("config.json").expect("it is listed");
        assert_eq!((config.size, config.hash.clone()), (Some(70), Some(Hash::Blob(COMMIT.to_owned()))));
        assert_eq!(listing.find("x").expect("it is listed").hash, None);
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in [
            "/etc/passwd",
            "../x",
            "a/../x",
            "a//b",
            "",
            ".",
            "a\\\\b",
            "C:x",
            "a\\u0000",
            "a\\nb",
            "a/b/c/d/e/f/g/h/i",
        ] {
            let refused = read(&format!(r#"[{{"rfilename":"{name}"}}]"#)).expect_err(name);
            assert!(refused.to_string().contains("no name for one"), "{refused}");
        }
        assert!(is_plain(".gitattributes") && is_plain("1_Pooling/config.json") && is_plain("Modell grün.onnx"));
    }

    #[test]
    fn answers_that_are_no_listing_are_refused() {
        assert!(Listing::read("a/b", b"<html>").is_err());
        assert!(Listing::read("a/b", b"{}").is_err());
        assert!(Listing::read("a/b", br#"{"sha":"main"}"#).is_err());
        assert!(read(r#"[{"rfilename":"x","blobId":"12"}]"#).is_err());
        assert!(read(r#"[{"rfilename":"x","lfs":{"sha256":"../..","size":1}}]"#).is_err());
    }
}
