//! The identity of a pack: a hash over its files, and the check of the hashes that its manifest lists.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::place::inside;
use crate::Failure;

/// Files of a pack, at the most.
const MAX_FILES: usize = 10_000;

/// Folders within folders, at the most.
const MAX_DEPTH: usize = 8;

/// Hash the names and contents of all files, in the order of their names, and hold those that `listed` names to the
/// sha256 listed there. Hidden files, such as `.gitattributes`, do not count.
pub fn hash(folder: &Path, listed: &BTreeMap<String, String>) -> Result<String, Failure> {
    let mut files = Vec::new();
    list(folder, 0, &mut files).map_err(|error| Failure::pack(format!("{}: {error}", folder.display())))?;
    files.sort();
    let mut missing: BTreeMap<PathBuf, &str> = BTreeMap::new();
    for (name, digest) in listed {
        missing.insert(inside(folder, Path::new(name), "files")?, digest);
    }
    let mut whole = Sha256::new();
    for path in files {
        let digest = digest(&path).map_err(|error| Failure::pack(format!("{}: {error}", path.display())))?;
        if let Some(wanted) = missing.remove(&path)
            && !wanted.eq_ignore_ascii_case(&hex(&digest))
        {
            let message = format!("{}: its sha256 is {}, not {wanted}", path.display(), hex(&digest));
            return Err(Failure::pack(message).hint("The file is not the one that the manifest lists; fetch it again."));
        }
        whole.update(path.strip_prefix(folder).unwrap_or(&path).as_os_str().as_encoded_bytes());
        whole.update([0]);
        whole.update(digest);
    }
    if let Some(path) = missing.keys().next() {
        return Err(Failure::pack(format!("{}: the manifest lists this file, but it is not there", path.display())));
    }
    Ok(hex(&whole.finalize()))
}

fn digest(path: &Path) -> io::Result<Vec<u8>> {
    let mut one = Sha256::new();
    io::copy(&mut File::open(path)?, &mut one)?;
    Ok(one.finalize().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let too = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, format!("the pack has too many {what}")));
    if depth > MAX_DEPTH {
        return too("folders within folders");
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        // A link to a file is read like one; a link to a folder could lead round in a circle.
        if entry.file_type()?.is_dir() {
            list(&entry.path(), depth + 1, files)?;
        } else if entry.path().is_file() {
            files.push(entry.path());
        }
        if files.len() > MAX_FILES {
            return too("files");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_contents_count_and_listed_hashes_are_held() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it can be written");
        write("a", "abc");
        let none = BTreeMap::new();
        let first = hash(folder.path(), &none).expect("it can be read");
        write(".hidden", "x");
        assert_eq!(hash(folder.path(), &none).expect("it can be read"), first);
        write("b", "");
        assert_ne!(hash(folder.path(), &none).expect("it can be read"), first);
        let abc = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        let listed = |name: &str, digest: &str| BTreeMap::from([(name.to_owned(), digest.to_owned())]);
        assert!(hash(folder.path(), &listed("a", abc)).is_ok());
        for (name, digest, says) in [("b", abc, "sha256"), ("c", abc, "not there"), ("../a", abc, "leaves")] {
            let message = hash(folder.path(), &listed(name, digest)).expect_err("it is not so").message;
            assert!(message.contains(says), "{message}");
        }
    }
}
