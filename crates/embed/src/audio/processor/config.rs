//! A tower's feature extractor as its files describe it: `processor_config.json`'s block `feature_extractor`, or
//! `preprocessor_config.json`. Keys that no reader asks for are passed over, as transformers does.

use std::ops::RangeInclusive;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Failure;
use crate::pack::read_json;

/// The keys of one feature extractor, and where they were found.
pub struct Config {
    place: String,
    keys: Map<String, Value>,
}

impl Config {
    /// Read a tower's folder; a broken pack where neither file is there.
    pub fn read(tower: &Path) -> Result<Config, Failure> {
        let nested = tower.join("processor_config.json");
        if nested.is_file()
            && let Some(Value::Object(keys)) = read_json::<Map<String, Value>>(&nested)?.remove("feature_extractor")
        {
            return Ok(Config { place: format!("{}: feature_extractor", nested.display()), keys });
        }
        let flat = tower.join("preprocessor_config.json");
        Ok(Config { place: flat.display().to_string(), keys: read_json(&flat)? })
    }

    /// A key's value, where it is there and not null.
    pub fn optional<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        match self.keys.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                T::deserialize(value).map(Some).map_err(|error| self.broken(format!("{key} is {value}: {error}")))
            }
        }
    }

    /// A whole number within `range`; `default` where the key is not there.
    pub fn whole(&self, key: &str, default: usize, range: RangeInclusive<usize>) -> Result<usize, Failure> {
        // Files that went through Python's floats have 10.0 for 10.
        let value = self.optional::<f64>(key)?.unwrap_or(default as f64);
        if value.fract() == 0.0 && value >= *range.start() as f64 && value <= *range.end() as f64 {
            return Ok(value as usize);
        }
        let (least, most) = range.into_inner();
        Err(self.broken(format!("{key} is {value}; right would be a whole number from {least} to {most}")))
    }

    /// A number within `range`; `default` where the key is not there.
    pub fn number(&self, key: &str, default: f64, range: RangeInclusive<f64>) -> Result<f64, Failure> {
        let value = self.optional::<f64>(key)?.unwrap_or(default);
        if range.contains(&value) {
            return Ok(value);
        }
        let (least, most) = range.into_inner();
        Err(self.broken(format!("{key} is {value}; right would be a number from {least} to {most}")))
    }

    /// Samples a second.
    pub fn rate(&self, key: &str, default: usize) -> Result<u32, Failure> {
        Ok(self.whole(key, default, 1_000..=192_000)? as u32)
    }

    /// A broken pack, with the place of its fault.
    pub fn broken(&self, why: impl std::fmt::Display) -> Failure {
        Failure::pack(format!("{}: {why}", self.place))
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A configuration that is not in a file.
    pub fn config(keys: Value) -> Config {
        let Value::Object(keys) = keys else { panic!("an object") };
        Config { place: "test".into(), keys }
    }

    #[test]
    fn numbers_outside_their_range_are_refused_with_what_would_be_right() {
        let config = config(serde_json::json!({"hop_length": 0, "feature_size": 64.0, "std": "four"}));
        assert_eq!(config.whole("feature_size", 1, 1..=512).unwrap(), 64);
        assert_eq!(config.whole("n_fft", 400, 1..=512).unwrap(), 400);
        let failure = config.whole("hop_length", 160, 1..=512).unwrap_err();
        assert_eq!(failure.message, "test: hop_length is 0; right would be a whole number from 1 to 512");
        assert!(config.number("std", 1.0, 0.0..=9.0).unwrap_err().message.contains("std is \"four\""));
    }

    #[test]
    fn the_block_of_a_processor_comes_before_the_flat_file() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("preprocessor_config.json"), r#"{"n_fft": 1}"#).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap().whole("n_fft", 0, 0..=9).unwrap(), 1);
        let nested = r#"{"feature_extractor": {"n_fft": 2}}"#;
        std::fs::write(folder.path().join("processor_config.json"), nested).unwrap();
        assert_eq!(Config::read(folder.path()).unwrap().whole("n_fft", 0, 0..=9).unwrap(), 2);
    }

    #[test]
    fn a_folder_without_files_is_a_broken_pack() {
        assert!(Config::read(Path::new("/nonexistent")).is_err());
    }
}
