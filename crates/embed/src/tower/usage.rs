//! How many tokens an input counts for, in one place: what users are told, and what the statistics sum.
//!
//! - A text: the tokens that the model reads, its special tokens and prompt included, padding not.
//! - A picture: the patches that the model cuts it into, `(image_size / patch_size)²` of config.json's vision part, and
//!   one for the class token, which the SigLIP family has not. Where config.json does not tell: one for each block of
//!   32 by 32 pixels that the graph is given, parts of blocks counted whole.
//! - A sound: the positions of the model's transformer. Whisper: `max_source_positions`. AST: its windows of
//!   `patch_size` at `frequency_stride` and `time_stride`, and two. CLAP: `(spec_size / patch_stride)²`. Where
//!   config.json does not tell: one for each 16 frames by 16 bins that the graph is given, over all clips.

use vw_protocol::Modality;

use super::tokens::Tokens;
use crate::media::Features;
use crate::pack::Facts;

/// The rule of one tower of pictures or sounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Usage {
    /// The same for every input.
    Fixed(usize),
    /// One for each square block of this side of what the graph is given.
    Blocks(usize),
}

impl Usage {
    /// Find the rule of a tower.
    pub fn read(modality: Modality, facts: &Facts) -> Usage {
        match modality {
            Modality::Image => image(facts).map_or(Usage::Blocks(32), Usage::Fixed),
            Modality::Audio | Modality::Text => audio(facts).map_or(Usage::Blocks(16), Usage::Fixed),
        }
    }

    /// Count a picture or sound.
    pub fn of(self, features: &Features) -> usize {
        match self {
            Usage::Fixed(count) => count,
            Usage::Blocks(side) => {
                let plane = features.shape.iter().rev().take(2).map(|extent| extent.div_ceil(side).max(1));
                plane.product::<usize>().saturating_mul(features.clips.max(1))
            }
        }
    }
}

/// Count a text.
pub fn text(tokens: &Tokens) -> usize {
    tokens.ids.len()
}

fn image(facts: &Facts) -> Option<usize> {
    let part = "vision_config";
    let side = facts.extent(part, "image_size")? / facts.extent(part, "patch_size").filter(|size| *size > 0)?;
    let class = usize::from(!facts.siglip());
    side.checked_mul(side)?.checked_add(class)
}

fn audio(facts: &Facts) -> Option<usize> {
    let part = "audio_config";
    let number = |key: &str| facts.extent(part, key);
    match facts.family() {
        "whisper" => number("max_source_positions"),
        "audio-spectrogram-transformer" => {
            let size = number("patch_size")?;
            let windows = |length: &str, stride: &str| {
                Some(number(length)?.checked_sub(size)? / number(stride).filter(|stride| *stride > 0)? + 1)
            };
            let count =
                windows("num_mel_bins", "frequency_stride")?.checked_mul(windows("max_length", "time_stride")?)?;
            count.checked_add(2)
        }
        "clap" => {
            let side = number("spec_size")? / number("patch_stride").filter(|stride| *stride > 0)?;
            side.checked_mul(side)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(modality: Modality, config: &str) -> Usage {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("config.json"), config).expect("it can be written");
        Usage::read(modality, &Facts::read(folder.path()).expect("it can be read"))
    }

    #[test]
    fn each_family_has_its_count() {
        let clip = r#"{"model_type": "clip", "vision_config": {"image_size": 224, "patch_size": 32}}"#;
        assert_eq!(rule(Modality::Image, clip), Usage::Fixed(50));
        let siglip = r#"{"model_type": "siglip", "vision_config": {"image_size": 224, "patch_size": 16}}"#;
        assert_eq!(rule(Modality::Image, siglip), Usage::Fixed(196));
        let clap = r#"{"model_type": "clap", "audio_config": {"spec_size": 256, "patch_stride": [4, 4]}}"#;
        assert_eq!(rule(Modality::Audio, clap), Usage::Fixed(4096));
        let ast = r#"{"model_type": "audio-spectrogram-transformer", "patch_size": 16, "frequency_stride": 10,
                      "time_stride": 10, "max_length": 1024, "num_mel_bins": 128}"#;
        assert_eq!(rule(Modality::Audio, ast), Usage::Fixed(1214));
        assert_eq!(
            rule(Modality::Audio, r#"{"model_type": "whisper", "max_source_positions": 1500}"#),
            Usage::Fixed(1500)
        );
        for broken in [r#"{"vision_config": {"image_size": 224, "patch_size": 0}}"#, "{}", "[]"] {
            assert_eq!(rule(Modality::Image, broken), Usage::Blocks(32));
        }
    }

    #[test]
    fn blocks_are_counted_over_all_clips() {
        let features = |shape: &[usize], clips| Features {
            shape: shape.to_vec(),
            clips,
            values: vec![],
            truncated: false,
            longer: false,
        };
        assert_eq!(Usage::Blocks(32).of(&features(&[3, 224, 225], 1)), 7 * 8);
        assert_eq!(Usage::Blocks(16).of(&features(&[1, 128, 204], 3)), 8 * 13 * 3);
    }
}
