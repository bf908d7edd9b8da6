//! A tower's image preprocessor: its configuration, and the steps that follow from it.

mod config;
mod families;
mod plan;
mod tones;

use std::path::Path;

use self::config::Config;
use self::plan::Plan;
use super::decode::decode;
use super::limits::Limits;
use crate::Failure;
use crate::media::Features;

/// A tower's preprocessor: what is read once and used for each picture.
#[derive(Clone, Debug)]
pub struct Preprocessor {
    plan: Plan,
    limits: Limits,
}

impl Preprocessor {
    /// Read the preprocessor_config.json of a tower's folder, or the block `image_processor` of its
    /// processor_config.json; [`vw_protocol::ErrorCode::BrokenPack`] names what is not supported.
    pub fn read(tower: &Path) -> Result<Preprocessor, Failure> {
        let plan = families::plan(&Config::read(tower)?)
            .map_err(|failure| Failure { message: format!("{}: {failure}", tower.display()), ..failure })?;
        Ok(Preprocessor { plan, limits: Limits::default() })
    }

    /// Take other limits than the default ones.
    pub fn with_limits(self, limits: Limits) -> Preprocessor {
        Preprocessor { limits, ..self }
    }

    /// Decode and preprocess one file: `[3, height, width]`, one clip, never truncated.
    pub fn prepare(&self, file: &[u8]) -> Result<Features, Failure> {
        self.plan.run(decode(file, &self.limits)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_and_a_file_make_features() {
        let folder = tempfile::tempdir().unwrap();
        let config = r#"{"image_processor_type": "SiglipImageProcessor", "size": {"height": 2, "width": 3}}"#;
        std::fs::write(folder.path().join("preprocessor_config.json"), config).unwrap();
        let processor = Preprocessor::read(folder.path()).unwrap();
        // One blue pixel: a BMP of 24 bits.
        let mut file = b"BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x01\0\x01\0\x01\0\x18\0".to_vec();
        file.extend([255, 0, 0, 0]);
        let features = processor.prepare(&file).unwrap();
        assert_eq!((features.shape, features.clips, features.truncated), (vec![3, 2, 3], 1, false));
        assert_eq!(features.values[..12], [-1.0; 12]);
        assert_eq!(features.values[12..], [1.0; 6]);
        let strict = processor.with_limits(Limits { file: 10, ..Limits::default() });
        assert!(strict.prepare(&file).is_err());
    }

    #[test]
    fn the_folder_is_named_where_its_configuration_is_at_fault() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("preprocessor_config.json"), r#"{"image_processor_type": "X"}"#).unwrap();
        let failure = Preprocessor::read(folder.path()).unwrap_err();
        assert!(failure.message.contains(&folder.path().display().to_string()) && failure.hint.contains("CLIP"));
    }
}
