//! A model pack on disk: `vw-pack.json`, and one folder per tower in the layout of the Hugging Face hub.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use vw_protocol::{Modality, Model};

use crate::Failure;
use crate::tokens::max_tokens;

/// What the hub's files cannot say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    id: String,
    name: String,
    /// Dimensions of the pack's space; a shorter tower output is padded with zeros, which keeps every cosine.
    dimensions: u32,
    metric: String,
    lift: Lift,
    /// Modality to folder.
    towers: BTreeMap<String, PathBuf>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Lift {
    Pad,
}

/// A pack whose manifest was read; its towers are loaded on first use.
#[derive(Clone, Debug)]
pub struct Pack {
    pub model: Model,
    /// The text tower's folder, where there is one.
    pub text: Option<PathBuf>,
}

impl Pack {
    /// Read a pack's manifest and hash its files.
    pub fn open(folder: &Path) -> Result<Pack, Failure> {
        let manifest: Manifest = read_json(&folder.join("vw-pack.json"))?;
        let Lift::Pad = manifest.lift;
        let mut types = 0;
        for (name, tower) in &manifest.towers {
            let modality = Modality::from_name(name)
                .ok_or_else(|| Failure::pack(format!("{}: no modality is called {name}", folder.display())))?;
            if tower.components().any(|part| !matches!(part, Component::Normal(_))) {
                return Err(Failure::pack(format!("{}: tower {} leaves the pack", folder.display(), tower.display())));
            }
            types |= modality.bit();
        }
        let text = manifest.towers.get("text").map(|tower| folder.join(tower));
        let longest = text.as_deref().map(max_tokens).transpose()?.unwrap_or_default();
        let model = Model {
            id: manifest.id,
            name: manifest.name,
            types,
            dimensions: manifest.dimensions,
            metric: manifest.metric,
            max_tokens: u32::try_from(longest).unwrap_or(u32::MAX),
            sha256: hash(folder)?,
        };
        Ok(Pack { model, text })
    }
}

/// Read one of a pack's JSON files.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = std::fs::read(path).map_err(|error| Failure::pack(format!("{}: {error}", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| Failure::pack(format!("{}: {error}", path.display())))
}

/// Hash the names and contents of all files, in the order of their names.
fn hash(folder: &Path) -> Result<String, Failure> {
    let mut files = Vec::new();
    list(folder, &mut files).map_err(|error| Failure::pack(format!("{}: {error}", folder.display())))?;
    files.sort();
    let mut whole = Sha256::new();
    for path in files {
        let mut one = Sha256::new();
        let copied = File::open(&path).and_then(|mut file| std::io::copy(&mut file, &mut one));
        copied.map_err(|error| Failure::pack(format!("{}: {error}", path.display())))?;
        whole.update(path.strip_prefix(folder).unwrap_or(&path).as_os_str().as_encoded_bytes());
        whole.update([0]);
        whole.update(one.finalize());
    }
    Ok(whole.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
