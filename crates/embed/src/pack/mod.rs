//! Model packs on disk: folders in the layout of the Hugging Face hub, with or without a vw-pack.json.
//!
//! Opening a pack reads and checks all of its files but the weights; nothing is loaded. Towers run what is found here.

mod discover;
mod facts;
mod hash;
mod manifest;
mod onnx;
mod output;
mod part;
mod place;
pub mod pooling;
mod stored;
mod wire;

use std::path::{Path, PathBuf};

use vw_protocol::{Modality, Model};

pub use facts::Facts;
pub use manifest::{Device, FILE, Side};
pub use onnx::external;
pub use part::{Lift, Part};
pub use place::read_json;

use crate::Failure;
use manifest::{Manifest, TowerSpec};

/// The longest id, in bytes.
const MAX_ID: usize = 200;

/// A pack that is in order.
#[derive(Clone, Debug)]
pub struct Pack {
    pub model: Model,
    /// The towers; those of one modality fill different components of the space.
    pub parts: Vec<Part>,
}

impl Pack {
    /// Whether a folder looks like a pack: it has a manifest, or a config.json as all models of the hub have.
    pub fn is_at(folder: &Path) -> bool {
        [FILE, "config.json"].iter().any(|name| folder.join(name).is_file())
    }

    /// Read and check a pack's files, and hash them.
    pub fn open(folder: &Path) -> Result<Pack, Failure> {
        let manifest = Manifest::read(folder)?;
        let name =
            std::path::absolute(folder).ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let id = manifest.id.clone().or(name).unwrap_or_default();
        check_id(&id).map_err(|error| Failure::pack(format!("{}: {}", folder.display(), error.message)))?;
        let mut parts = parts(folder, &manifest)?;
        let dimensions = dimensions(folder, &manifest, &parts)?;
        parts.iter_mut().for_each(|part| part.dimensions = dimensions);
        check_places(folder, &parts)?;
        let texts = parts.iter().filter(|part| part.modality == Modality::Text);
        let longest = texts.map(Part::max_tokens).collect::<Result<Vec<_>, _>>()?.into_iter().min().unwrap_or_default();
        let model = Model {
            name: manifest.name.clone().unwrap_or_else(|| id.clone()),
            id,
            types: parts.iter().fold(0, |types, part| types | part.modality.bit()),
            dimensions: u32::try_from(dimensions).unwrap_or(u32::MAX),
            metric: "COSINE".to_owned(),
            max_tokens: u32::try_from(longest).unwrap_or(u32::MAX),
            sha256: hash::hash(folder, &manifest.files)?,
        };
        Ok(Pack { model, parts })
    }
}

/// An id is what users write in SQL and URLs: something visible, and no `@`, which divides it from a hash.
fn check_id(id: &str) -> Result<(), Failure> {
    if id.is_empty() || id.len() > MAX_ID || id.contains('@') || id.chars().any(|c| c.is_control() || c.is_whitespace())
    {
        let message =
            format!("\"{}\" cannot be an id: 1 to {MAX_ID} bytes, no @ and no white space", id.escape_debug());
        return Err(Failure::pack(message).hint("Say id in vw-pack.json, or rename the folder."));
    }
    Ok(())
}

/// The towers that the manifest names, or else those that are found by the files.
fn parts(folder: &Path, manifest: &Manifest) -> Result<Vec<Part>, Failure> {
    let named = manifest.towers(folder)?;
    let mut parts = Vec::new();
    for (modality, spec) in &named {
        let part = Part::find(folder, *modality, spec, manifest)?;
        parts.push(part.ok_or_else(|| {
            let place = folder.join(&spec.folder);
            let message = format!("{}: no graph for {} in onnx/ or beside it", place.display(), modality.name());
            Failure::pack(message).hint("Say graph or variant in vw-pack.json, if its name is unusual.")
        })?);
    }
    if named.is_empty() {
        for modality in [Modality::Text, Modality::Image, Modality::Audio] {
            parts.extend(Part::find(folder, modality, &TowerSpec::default(), manifest)?);
        }
    }
    if parts.is_empty() { Err(no_graph(folder)) } else { Ok(parts) }
}

/// Say why a folder is no pack: it is not there, or its subfolders are the packs, or it has no graph.
fn no_graph(folder: &Path) -> Failure {
    let place = folder.display();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return Failure::pack(format!("{place}: the folder cannot be read: {error}")),
    };
    let mut below: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| Pack::is_at(path)).collect();
    below.sort();
    let message = format!("{place}: no graph is there: no onnx/model.onnx, onnx/text_model.onnx and so on");
    match below.first() {
        Some(first) => Failure::pack(message).hint(format!("A folder in it is a pack: say {}.", first.display())),
        None => Failure::pack(message),
    }
}

/// The dimensions of the space: as the manifest says, else what all towers give.
fn dimensions(folder: &Path, manifest: &Manifest, parts: &[Part]) -> Result<usize, Failure> {
    if let Some(dimensions) = manifest.dimensions {
        return Ok(dimensions as usize);
    }
    let unknown = |message: String| {
        Failure::pack(format!("{}: {message}", folder.display())).hint("Say dimensions in vw-pack.json.")
    };
    let mut reach: Vec<(Modality, usize)> = Vec::new();
    for part in parts {
        let name = part.modality.name();
        let end = part.width.map(|width| part.at + width);
        let end = end.ok_or_else(|| unknown(format!("how many dimensions its {name} tower gives is not known")))?;
        match reach.iter_mut().find(|(modality, _)| *modality == part.modality) {
            Some((_, longest)) => *longest = end.max(*longest),
            None => reach.push((part.modality, end)),
        }
    }
    let most = reach.iter().map(|(_, end)| *end).max().unwrap_or_default();
    if let Some((modality, end)) = reach.iter().find(|(_, end)| *end != most) {
        return Err(unknown(format!("its {} tower gives {end} dimensions and another {most}", modality.name())));
    }
    Ok(most)
}

/// Refuse towers that reach beyond the space or into each other's components.
fn check_places(folder: &Path, parts: &[Part]) -> Result<(), Failure> {
    for (number, part) in parts.iter().enumerate() {
        let Some(width) = part.width else { continue };
        let (name, end) = (part.modality.name(), part.at + width);
        if end > part.dimensions {
            let message = format!(
                "{}: a {name} tower fills components {} to {end} of {}",
                folder.display(),
                part.at,
                part.dimensions
            );
            return Err(Failure::pack(message));
        }
        let meets = |other: &&Part| {
            let stop = other.width.map_or(other.dimensions, |width| other.at + width);
            other.modality == part.modality && other.at < end && part.at < stop
        };
        if parts.iter().skip(number + 1).find(meets).is_some() {
            let message = format!("{}: two {name} towers fill the same components; say at for each", folder.display());
            return Err(Failure::pack(message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
