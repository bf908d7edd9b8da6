//! Extractors by name, their shapes, and what they do with sounds of every length. Values are compared with the references
//! elsewhere, in tests/audio_reference.rs.

use super::config::tests::config;
use super::*;
use serde_json::{Value, json};

fn recipe(keys: Value) -> Recipe {
    Recipe::new(&config(keys)).unwrap()
}

fn features(keys: Value, length: usize) -> Features {
    let samples: Vec<f32> = (0..length).map(|at| (at as f32 * 0.05).sin() * 0.5).collect();
    recipe(keys).processor.features(&samples)
}

/// Lengths of which the references fail on some: one sample, less than a frame, odd ones.
const LENGTHS: &[usize] = &[1, 2, 399, 400, 12_345, 100_001];

#[test]
fn an_extractor_that_is_not_known_is_named_beside_those_that_are() {
    let failure = Recipe::new(&config(json!({"feature_extractor_type": "EncodecFeatureExtractor"}))).err().unwrap();
    assert!(failure.message.contains("EncodecFeatureExtractor") && failure.message.contains("ClapFeatureExtractor"));
    assert!(Recipe::new(&config(json!({}))).err().unwrap().message.contains("is missing"));
}

#[test]
fn defaults_follow_the_code_that_a_model_came_with() {
    let clap = recipe(json!({"feature_extractor_type": "ClapFeatureExtractor"}));
    assert_eq!((clap.mix, clap.resampler), (Mix::Mean, Resampler::Soxr));
    let bind = recipe(json!({"feature_extractor_type": "ImageBindFeatureExtractor"}));
    assert_eq!((bind.mix, bind.resampler), (Mix::First, Resampler::Torchaudio));
    let keys = json!({"feature_extractor_type": "ImageBindFeatureExtractor", "channels": "mean", "resampler": "soxr"});
    let asked = recipe(keys);
    assert_eq!((asked.mix, asked.resampler), (Mix::Mean, Resampler::Soxr));
}

#[test]
fn every_length_gives_the_shape_of_the_model() {
    let cases = [
        (json!({"feature_extractor_type": "ClapFeatureExtractor", "truncation": "rand_trunc"}), vec![1, 1001, 64], 1),
        (json!({"feature_extractor_type": "ClapFeatureExtractor", "truncation": "fusion"}), vec![4, 1001, 64], 1),
        (json!({"feature_extractor_type": "WhisperFeatureExtractor"}), vec![80, 3000], 1),
        (
            json!({"feature_extractor_type": "WhisperFeatureExtractor", "chunk_length": 3, "feature_size": 64}),
            vec![64, 300],
            1,
        ),
        (json!({"feature_extractor_type": "ASTFeatureExtractor"}), vec![1024, 128], 1),
        (json!({"feature_extractor_type": "ImageBindFeatureExtractor"}), vec![1, 128, 204], 3),
        (json!({"feature_extractor_type": "LanguageBindAudioProcessor"}), vec![3, 112, 1036], 1),
    ];
    for (keys, shape, clips) in cases {
        for length in LENGTHS {
            let features = features(keys.clone(), *length);
            assert_eq!((&features.shape, features.clips), (&shape, clips), "{keys} {length}");
            assert_eq!(features.values.len(), clips * shape.iter().product::<usize>(), "{keys} {length}");
            assert!(features.values.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn a_long_sound_is_heard_as_its_policy_says() {
    let keys = |policy: &str| json!({"feature_extractor_type": "WhisperFeatureExtractor", "chunk_length": 1, "clip_policy": policy});
    let first = features(keys("first"), 40_000);
    assert_eq!((first.clips, first.truncated), (1, true));
    let centre = features(keys("centre"), 40_000);
    assert!(centre.truncated && centre.values != first.values);
    let windows = features(keys("windows_mean"), 40_000);
    assert_eq!((windows.clips, windows.truncated), (3, false));
    assert_eq!(windows.values.get(..first.values.len()), Some(first.values.as_slice()));
    assert!(Recipe::new(&config(keys("last"))).is_err());
}

#[test]
fn a_sound_is_longer_only_where_it_has_more_frames_than_a_window() {
    let keys = json!({"feature_extractor_type": "ClapFeatureExtractor", "max_length_s": 1});
    for (length, longer) in [(1, false), (48_000, false), (48_001, false), (48_480, true), (200_000, true)] {
        let features = features(keys.clone(), length);
        assert_eq!((features.longer, features.truncated), (longer, false), "{length}");
        assert_eq!(features.shape, [4, 101, 64]);
    }
}
