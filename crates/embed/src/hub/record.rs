//! `vw-pull.json`: where a pack was pulled from. It has no date, so that the same commit gives the same pack.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::choose::Choice;
use super::fetch::Fetched;
use super::listing::{Entry, Listing};

/// The record's file.
pub const FILE: &str = "vw-pull.json";

/// What was pulled.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Record {
    pub id: String,
    pub commit: String,
    /// Path to what was there.
    pub files: BTreeMap<String, Held>,
}

/// One file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Held {
    pub size: u64,
    pub sha256: String,
}

impl Record {
    /// A record with no files.
    pub fn new(listing: &Listing) -> Record {
        Record { id: listing.id.clone(), commit: listing.commit.clone(), files: BTreeMap::new() }
    }

    /// Add a file.
    pub fn add(&mut self, entry: &Entry, Fetched { size, sha256 }: Fetched) {
        self.files.insert(entry.path.clone(), Held { size, sha256 });
    }

    /// Whether all chosen files were pulled.
    pub fn has(&self, choice: &Choice) -> bool {
        choice.files.iter().all(|entry| self.files.contains_key(&entry.path))
    }

    /// Read a record.
    pub fn read(text: &[u8]) -> Result<Record> {
        serde_json::from_slice(text).context("not a record of a pull")
    }

    /// Write the record, readable by people.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
