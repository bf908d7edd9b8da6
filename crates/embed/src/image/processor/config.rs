//! The keys of a preprocessor_config.json, as the hub's files write them, old and new.

use std::path::Path;

use serde::Deserialize;

use crate::Failure;
use crate::pack::read_json;

/// The file that most models have, and the one that newer ones keep the same keys in.
const FILE: &str = "preprocessor_config.json";
const NESTED: &str = "processor_config.json";

/// What a file says; a key that is missing or null has its class's default. Keys that change nothing are not read.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Config {
    pub image_processor_type: Option<String>,
    /// What the type was called before there were image processors.
    pub feature_extractor_type: Option<String>,
    pub do_resize: Option<bool>,
    pub size: Option<Size>,
    pub resample: Option<Resample>,
    pub do_center_crop: Option<bool>,
    pub crop_size: Option<Size>,
    pub do_rescale: Option<bool>,
    pub rescale_factor: Option<f64>,
    pub do_normalize: Option<bool>,
    pub image_mean: Option<Channels>,
    pub image_std: Option<Channels>,
    pub do_pad: Option<bool>,
    /// Whether one number as size is both sides, not the shorter one.
    pub default_to_square: Option<bool>,
    /// Of ConvNeXT: the part of the resized picture that is kept.
    pub crop_pct: Option<f64>,
    /// Of jina-clip: its names for what the others call image_mean, image_std and resample, and what only it has.
    pub mean: Option<Channels>,
    pub std: Option<Channels>,
    pub interpolation: Option<Resample>,
    pub resize_mode: Option<String>,
    pub fill_color: Option<Fill>,
}

/// A size: a side, height and width, or names for what is fixed.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Size {
    Side(u32),
    Pair([u32; 2]),
    Named(Named),
}

/// A size by names. Combinations other than one `shortest_edge`, or `height` and `width`, are refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub shortest_edge: Option<u32>,
    pub longest_edge: Option<u32>,
    pub height: Option<u32>,
    pub width: Option<u32>,
}

/// A filter, by Pillow's number or by name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Resample {
    Number(u64),
    Name(String),
}

/// One number for all channels, or one for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Channels {
    All(f64),
    Each([f64; 3]),
}

/// A tone, or a colour.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Fill {
    Tone(u8),
    Colour([u8; 3]),
}

impl Channels {
    pub fn each(&self) -> [f64; 3] {
        match self {
            Channels::All(value) => [*value; 3],
            Channels::Each(values) => *values,
        }
    }
}

impl Fill {
    pub fn colour(&self) -> [u8; 3] {
        match self {
            Fill::Tone(tone) => [*tone; 3],
            Fill::Colour(colour) => *colour,
        }
    }
}

impl Config {
    /// Read a tower's configuration: the block of processor_config.json where there is one, as `transformers` prefers it,
    /// or else preprocessor_config.json.
    pub fn read(tower: &Path) -> Result<Config, Failure> {
        #[derive(Deserialize)]
        struct Processor {
            image_processor: Option<Config>,
        }
        let nested = tower.join(NESTED);
        if nested.exists()
            && let Some(config) = read_json::<Processor>(&nested)?.image_processor
        {
            return Ok(config);
        }
        read_json(&tower.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_files_are_read() {
        let old = r#"{"crop_size": 224, "do_center_crop": true, "feature_extractor_type": "CLIPFeatureExtractor",
            "image_mean": [0.48145466, 0.4578275, 0.40821073], "resample": 3, "size": 224, "unknown_key": [1]}"#;
        let config: Config = serde_json::from_str(old).unwrap();
        assert_eq!(config.feature_extractor_type.as_deref(), Some("CLIPFeatureExtractor"));
        assert!(matches!(config.size, Some(Size::Side(224))));
        let new = r#"{"size": {"height": 256, "width": 128}, "crop_size": [3, 4], "image_std": 0.5,
            "do_convert_rgb": null, "interpolation": "bicubic", "fill_color": 127}"#;
        let config: Config = serde_json::from_str(new).unwrap();
        assert!(matches!(config.size, Some(Size::Named(Named { height: Some(256), width: Some(128), .. }))));
        assert!(matches!(config.crop_size, Some(Size::Pair([3, 4]))));
        assert_eq!(config.image_std.unwrap().each(), [0.5; 3]);
        assert_eq!(config.fill_color.unwrap().colour(), [127; 3]);
    }

    #[test]
    fn the_nested_block_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Config::read(folder.path()).unwrap_err().message.contains(FILE));
        std::fs::write(folder.path().join(FILE), r#"{"image_processor_type": "Plain"}"#).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap().image_processor_type.unwrap(), "Plain");
        std::fs::write(folder.path().join(NESTED), r#"{"processor_class": "CLIPProcessor"}"#).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap().image_processor_type.unwrap(), "Plain");
        let nested = r#"{"image_processor": {"image_processor_type": "Nested"}}"#;
        std::fs::write(folder.path().join(NESTED), nested).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap().image_processor_type.unwrap(), "Nested");
    }
}
