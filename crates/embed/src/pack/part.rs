//! One tower of a pack: its graph, and everything that its files and the manifest say of how to run it.

use std::path::{Path, PathBuf};

use vw_protocol::Modality;

use super::Facts;
use super::discover;
use super::manifest::{Device, Manifest, Prompts, Side, TowerSpec};
use super::onnx::Outline;
use super::output::{Output, choose};
use super::place::inside;
use super::pooling::Pooling;
use super::stored;
use crate::Failure;

/// A tower that can be loaded.
#[derive(Clone, Debug)]
pub struct Part {
    pub modality: Modality,
    /// The folder with the tower's configuration files.
    pub folder: PathBuf,
    pub graph: PathBuf,
    /// Bytes of the graph and its weights.
    pub bytes: u64,
    pub facts: Facts,
    pub output: Output,
    /// How tokens become one vector, where the graph does not do it.
    pub pooling: Option<Pooling>,
    /// Whether an input's vector would depend on its batch, so that each is run alone.
    pub alone: bool,
    pub device: Device,
    /// What is put before a query, and before a document.
    pub prompts: Prompts,
    pub lowercase: bool,
    pub padding: Side,
    longest: Option<usize>,
    /// Components that the tower fills, where that is known.
    pub width: Option<usize>,
    /// The first component that it fills.
    pub at: usize,
    pub weight: f32,
    /// Dimensions of the pack's space.
    pub dimensions: usize,
    mean: Option<Vec<f32>>,
    map: Option<stored::Array>,
}

/// What is done to a tower's unit vector before it takes its place in the space.
#[derive(Clone, Debug)]
pub struct Lift<'a> {
    pub mean: Option<&'a [f32]>,
    /// Rows of as many numbers as the vector has components.
    pub map: Option<&'a [f32]>,
    pub weight: f32,
    pub at: usize,
    pub dimensions: usize,
}

impl Part {
    /// Find a tower's graph and read its files; none where no graph of the folder embeds the modality.
    pub fn find(
        pack: &Path,
        modality: Modality,
        spec: &TowerSpec,
        manifest: &Manifest,
    ) -> Result<Option<Part>, Failure> {
        let folder = inside(pack, &spec.folder, "folder")?;
        let found = match &spec.graph {
            Some(name) => {
                let path = inside(&folder, name, "graph")?;
                let outline = Outline::read(&path)?;
                Some((path, outline))
            }
            None => discover::graph(&folder, modality, spec.variant.or(manifest.variant))?,
        };
        let Some((graph, outline)) = found else { return Ok(None) };
        let place = |error: Failure| Failure { message: format!("{}: {}", graph.display(), error.message), ..error };
        let facts = Facts::read(&folder)?;
        let output = choose(&outline, modality, &facts, spec.output.as_deref()).map_err(place)?;
        let pooling = pooling(&folder, &facts, spec, &output)?;
        let map = spec.map.as_ref().map(|stored| stored::read(pack, stored, "map")).transpose()?;
        let mean = spec.mean.as_ref().map(|stored| stored::read(pack, stored, "mean")).transpose()?;
        let given = output.width.or_else(|| width(&facts, modality, &output));
        check_arrays(given, mean.as_ref(), map.as_ref()).map_err(place)?;
        let prompts = match &spec.prompts {
            Some(prompts) => prompts.clone(),
            None => facts.prompts().map(|(query, document)| Prompts { query, document })?,
        };
        let side = if facts.pads_left() { Side::Left } else { Side::Right };
        Ok(Some(Part {
            modality,
            bytes: bytes(&graph, &outline),
            output,
            pooling,
            alone: spec.batch_invariant.map_or(outline.dynamic, |invariant| !invariant),
            device: spec.device.or(manifest.device).unwrap_or_default(),
            prompts,
            lowercase: spec.lowercase.unwrap_or_else(|| facts.lower_cases()),
            padding: spec.padding_side.unwrap_or(side),
            longest: spec.max_tokens,
            width: map.as_ref().and_then(|map| map.shape.first().copied()).or(given),
            at: spec.at,
            weight: spec.weight,
            dimensions: 0,
            mean: mean.map(|mean| mean.values),
            map,
            facts,
            folder,
            graph,
        }))
    }

    /// The longest text that is read, in tokens.
    pub fn max_tokens(&self) -> Result<usize, Failure> {
        self.longest.map_or_else(|| self.facts.max_tokens(), Ok)
    }

    /// What is done to the tower's unit vectors.
    pub fn lift(&self) -> Lift<'_> {
        Lift {
            mean: self.mean.as_deref(),
            map: self.map.as_ref().map(|map| map.values.as_slice()),
            weight: self.weight,
            at: self.at,
            dimensions: self.dimensions,
        }
    }
}

/// How tokens are pooled, where the output has one vector for each.
fn pooling(folder: &Path, facts: &Facts, spec: &TowerSpec, output: &Output) -> Result<Option<Pooling>, Failure> {
    if !output.per_token {
        return Ok(None);
    }
    if let Some(other) = facts.other_modules()?.first() {
        let message = format!("{}: modules.json has {other}, which the graph does not run", folder.display());
        return Err(Failure::pack(message).hint("Export the model with its sentence_embedding as an output."));
    }
    spec.pooling.map_or_else(|| Pooling::read(folder), Ok).map(Some)
}

/// The components of a vector as config.json says.
fn width(facts: &Facts, modality: Modality, output: &Output) -> Option<usize> {
    let part = match modality {
        Modality::Text => "text_config",
        Modality::Image => "vision_config",
        Modality::Audio => "audio_config",
    };
    let projected = ["_embeds", "_embeddings"].iter().any(|end| output.name.ends_with(end)) && !output.per_token;
    let projection =
        ["projection_dim", "embed_dim"].map(|key| facts.number("", key).or_else(|| facts.number(part, key)));
    let hidden = ["hidden_size", "d_model"].map(|key| facts.number(part, key));
    if projected { projection.into_iter().chain(hidden).flatten().next() } else { hidden.into_iter().flatten().next() }
}

/// Hold the mean and the map to the vector that they are applied to.
fn check_arrays(
    width: Option<usize>,
    mean: Option<&stored::Array>,
    map: Option<&stored::Array>,
) -> Result<(), Failure> {
    let of = |width: Option<usize>| width.map_or("unknown many".to_owned(), |width| width.to_string());
    if let Some(mean) = mean
        && (mean.shape.len() != 1 || width.is_some_and(|width| mean.values.len() != width))
    {
        let message =
            format!("mean: its shape is {:?}; one number for each of {} components is wanted", mean.shape, of(width));
        return Err(Failure::pack(message));
    }
    if let Some(map) = map {
        let columns = map.shape.get(1).copied();
        let fits = map.shape.len() == 2 && map.shape.first() != Some(&0) && columns != Some(0);
        if !fits || width.is_some() && columns != width {
            let message = format!("map: its shape is {:?}; rows of {} numbers are wanted", map.shape, of(width));
            return Err(Failure::pack(message));
        }
    }
    Ok(())
}

/// Bytes on disk of a graph and the files with its weights.
fn bytes(graph: &Path, outline: &Outline) -> u64 {
    let folder = graph.parent().unwrap_or(Path::new(""));
    let files = std::iter::once(graph.to_owned()).chain(outline.external.iter().map(|name| folder.join(name)));
    files.filter_map(|path| path.metadata().ok()).map(|data| data.len()).sum()
}
