//! vw-pack.json: what the hub's own files cannot say. Every field may be left out, and unknown ones are refused.
//!
//! docs/pack.md explains each field, and docs/vw-pack.schema.json is the same as a JSON schema.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use vw_protocol::Modality;

use super::place::{inside, read_json};
use super::pooling::Pooling;
use crate::Failure;

/// The manifest's file.
pub const FILE: &str = "vw-pack.json";

/// Components that a space may have; pgvector's own limit for a stored vector.
const MAX_DIMENSIONS: u32 = 16_000;

/// The file as a whole.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub dimensions: Option<u32>,
    pub metric: Option<String>,
    #[serde(rename = "lift")]
    _lift: Option<Lift>,
    #[serde(rename = "license")]
    _license: Option<String>,
    #[serde(rename = "source")]
    _source: Option<Source>,
    /// Which of several graphs is run, for all towers.
    pub variant: Option<Variant>,
    /// Where the graphs run, for all towers.
    pub device: Option<Device>,
    towers: BTreeMap<String, Value>,
    /// File to sha256.
    pub files: BTreeMap<String, String>,
}

/// How an output that is shorter than the space gets there.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Lift {
    Pad,
}

/// Where a pack was fetched from; for people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "kept so that the file's form is checked")]
struct Source {
    repository: String,
    revision: Option<String>,
}

/// Which of the graphs that the hub offers side by side.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    Fp32,
    Fp16,
    Int8,
    Uint8,
    Quantized,
    Q4,
    Q4f16,
    Bnb4,
}

/// What runs a graph.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    #[default]
    Cpu,
    Cuda,
}

/// The side of a text that padding to one length goes to.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Left,
    Right,
}

/// The texts that are put before a query and before a document.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Prompts {
    pub query: String,
    pub document: String,
}

/// A file of numbers: one tensor of a safetensors file, or raw little-endian float32.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    pub file: PathBuf,
    /// The tensor's name in a safetensors file; may be left out where there is only one.
    pub tensor: Option<String>,
    /// Extents, for a raw file.
    pub shape: Option<Vec<usize>>,
}

/// One tower.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TowerSpec {
    pub folder: PathBuf,
    /// The graph, below the folder.
    pub graph: Option<PathBuf>,
    pub variant: Option<Variant>,
    pub device: Option<Device>,
    pub output: Option<String>,
    pub pooling: Option<Pooling>,
    pub prompts: Option<Prompts>,
    pub lowercase: Option<bool>,
    pub padding_side: Option<Side>,
    pub max_tokens: Option<usize>,
    pub batch_invariant: Option<bool>,
    /// Subtracted from the unit vector.
    pub mean: Option<Stored>,
    /// Multiplied with the unit vector.
    pub map: Option<Stored>,
    pub weight: f32,
    /// The first component of the space that the tower fills.
    pub at: usize,
}

impl Default for TowerSpec {
    fn default() -> Self {
        TowerSpec {
            folder: ".".into(),
            graph: None,
            variant: None,
            device: None,
            output: None,
            pooling: None,
            prompts: None,
            lowercase: None,
            padding_side: None,
            max_tokens: None,
            batch_invariant: None,
            mean: None,
            map: None,
            weight: 1.0,
            at: 0,
        }
    }
}

impl Manifest {
    /// Read a pack's manifest; an empty one where there is none.
    pub fn read(folder: &Path) -> Result<Manifest, Failure> {
        let path = folder.join(FILE);
        let manifest: Manifest = if path.is_file() { read_json(&path)? } else { Manifest::default() };
        manifest.check().map_err(|error| Failure::pack(format!("{}: {}", path.display(), error.message)))?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), Failure> {
        let wrong = |message: String| Err(Failure::pack(message));
        if let Some(dimensions) = self.dimensions
            && !(1..=MAX_DIMENSIONS).contains(&dimensions)
        {
            return wrong(format!("dimensions: {dimensions}; 1 to {MAX_DIMENSIONS} are allowed"));
        }
        if let Some(metric) = self.metric.as_deref()
            && metric != "COSINE"
        {
            return wrong(format!(
                "metric: \"{metric}\"; only \"COSINE\" is supported, since all vectors are unit long"
            ));
        }
        for (file, digest) in &self.files {
            if digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return wrong(format!("files.{file}: not a sha256 of 64 hexadecimal digits"));
            }
        }
        Ok(())
    }

    /// The towers that the manifest names, in the order of modality and list; empty where it leaves them to be found.
    pub fn towers(&self, folder: &Path) -> Result<Vec<(Modality, TowerSpec)>, Failure> {
        let place = |error: Failure| Failure::pack(format!("{}: {}", folder.join(FILE).display(), error.message));
        let mut all = Vec::new();
        for (name, value) in &self.towers {
            let modality = Modality::from_name(name).ok_or_else(|| {
                place(Failure::pack(format!("towers.{name}: no such modality; text, image and audio are known")))
            })?;
            let list = match value {
                Value::Array(list) if list.is_empty() => {
                    return Err(place(Failure::pack(format!("towers.{name}: an empty list"))));
                }
                Value::Array(list) => {
                    list.iter().enumerate().map(|(at, one)| (format!("towers.{name}[{at}]"), one)).collect()
                }
                one => vec![(format!("towers.{name}"), one)],
            };
            for (field, value) in list {
                all.push((modality, tower(folder, &field, value).map_err(place)?));
            }
        }
        Ok(all)
    }
}

/// Read one tower: a folder's name, or an object.
fn tower(folder: &Path, field: &str, value: &Value) -> Result<TowerSpec, Failure> {
    let spec = match value {
        Value::String(name) => TowerSpec { folder: name.into(), ..TowerSpec::default() },
        object => parse(field, object)?,
    };
    inside(folder, &spec.folder, &format!("{field}.folder"))?;
    if !(spec.weight.is_finite() && spec.weight > 0.0) {
        return Err(Failure::pack(format!("{field}.weight: {}; a number above 0 is wanted", spec.weight)));
    }
    if spec.max_tokens == Some(0) {
        return Err(Failure::pack(format!("{field}.max_tokens: 0; at least 1 is wanted")));
    }
    Ok(spec)
}

fn parse<T: DeserializeOwned>(field: &str, value: &Value) -> Result<T, Failure> {
    T::deserialize(value).map_err(|error| Failure::pack(format!("{field}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(Modality, TowerSpec)>, String> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join(FILE), text).expect("it can be written");
        let manifest = Manifest::read(folder.path()).map_err(|failure| failure.message)?;
        manifest.towers(folder.path()).map_err(|failure| failure.message)
    }

    #[test]
    fn towers_are_a_folder_an_object_or_a_list() {
        let text = r#"{"id": "a", "lift": "pad", "towers": {"text": "text", "audio": [{"at": 3}, "b"], "image": {}}}"#;
        let towers = read(text).expect("it is in order");
        let seen: Vec<_> =
            towers.iter().map(|(modality, spec)| (modality.name(), spec.folder.as_path(), spec.at)).collect();
        let here = Path::new(".");
        assert_eq!(
            seen,
            [("audio", here, 3), ("audio", Path::new("b"), 0), ("image", here, 0), ("text", Path::new("text"), 0)]
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_field() {
        let cases = [
            (r#"{"tower": {}}"#, "unknown field `tower`"),
            (r#"{"dimensions": 0}"#, "dimensions: 0"),
            (r#"{"metric": "L2"}"#, "metric"),
            (r#"{"lift": "stretch"}"#, "unknown variant `stretch`"),
            (r#"{"towers": {"smell": "a"}}"#, "towers.smell"),
            (r#"{"towers": {"text": "../a"}}"#, "towers.text.folder: \"../a\" leaves the pack"),
            (r#"{"towers": {"image": [{"wieght": 1}]}}"#, "towers.image[0]: unknown field `wieght`"),
            (r#"{"towers": {"image": {"weight": -1}}}"#, "towers.image.weight"),
            (r#"{"towers": {"text": {"variant": "fp8"}}}"#, "towers.text: unknown variant `fp8`"),
            (r#"{"towers": {"text": []}}"#, "towers.text: an empty list"),
            (r#"{"files": {"a": "123"}}"#, "files.a"),
            ("{", "vw-pack.json"),
        ];
        for (text, says) in cases {
            let message = read(text).expect_err(text);
            assert!(message.contains(says), "{message}");
        }
    }

    /// The fields that a type knows, as it says when it is given another.
    fn fields<T: DeserializeOwned>() -> Vec<String> {
        let known =
            |error: serde_json::Error| error.to_string().split('`').skip(3).step_by(2).map(str::to_owned).collect();
        serde_json::from_str::<T>(r#"{"no such field": 1}"#).map_or_else(known, |_| Vec::new())
    }

    #[test]
    fn the_schema_has_the_fields_that_are_read() {
        let text = include_str!("../../../../docs/vw-pack.schema.json");
        let schema: Value = serde_json::from_str(text).expect("it is JSON");
        let names = |place: &str| {
            let properties = schema.pointer(place).and_then(Value::as_object).expect(place);
            properties.keys().cloned().collect::<std::collections::BTreeSet<_>>()
        };
        let read = |fields: Vec<String>| fields.into_iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(names("/properties"), read(fields::<Manifest>()));
        assert_eq!(names("/$defs/tower/anyOf/1/properties"), read(fields::<TowerSpec>()));
        assert_eq!(names("/$defs/stored/properties"), read(fields::<Stored>()));
        assert_eq!(names("/$defs/tower/anyOf/1/properties/prompts/properties"), read(fields::<Prompts>()));
        assert_eq!(names("/properties/source/properties"), read(fields::<Source>()));
    }
}
