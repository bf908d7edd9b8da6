//! The cases that a recipe of tests/parity wrote, and what the engine makes of their inputs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use vw_embed::Alive;
use vw_embed::engine::Engine;
use vw_protocol::{Embedding, Modality, Outcome};

/// Inputs of a case that are embedded alone, too.
const ALONE: usize = 30;

#[derive(Deserialize)]
pub struct Case {
    pub pack: String,
    modality: String,
    bulk: bool,
    /// Texts, or names of files.
    inputs: Vec<String>,
    ids: Option<Vec<Vec<u32>>>,
    expected: PathBuf,
    /// Components of the expected vectors; what the pack has beyond them must be zero.
    dimensions: usize,
    cosine: f64,
    apart: f32,
    /// The difference of a component that a batch may make: 1e-6, more only where the weights are of half precision.
    pub batched: f32,
}

/// A path that an environment variable names.
pub fn place(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set; see the top of the test")).into()
}

/// The cases of a room.
pub fn cases(folder: &Path) -> Vec<Case> {
    let text = std::fs::read(folder.join("cases.json")).expect("the reference was made");
    serde_json::from_slice(&text).expect("it is in order")
}

impl Case {
    fn name(&self) -> String {
        format!("{} {} as {}", self.pack, self.modality, if self.bulk { "documents" } else { "queries" })
    }

    pub fn modality(&self) -> Modality {
        Modality::from_name(&self.modality).expect("it is a modality")
    }

    /// The inputs as the engine is given them.
    pub fn bytes(&self, folder: &Path) -> Vec<Vec<u8>> {
        let file = |name: &String| std::fs::read(folder.join("inputs").join(name)).expect("it is there");
        let text = |text: &String| text.as_bytes().to_vec();
        self.inputs
            .iter()
            .map(|input| if self.modality() == Modality::Text { text(input) } else { file(input) })
            .collect()
    }

    fn expected(&self, folder: &Path) -> Vec<Vec<f32>> {
        let bytes = std::fs::read(folder.join(&self.expected)).expect("it is there");
        let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect();
        values.chunks_exact(self.dimensions).map(<[f32]>::to_vec).collect()
    }

    /// Embed inputs, all of which must come through.
    pub fn embed(&self, engine: &Engine, inputs: &[Vec<u8>]) -> Vec<Embedding> {
        let alive: Alive = Arc::new(|| true);
        let answer = engine.embed(self.modality(), self.bulk, &self.pack, inputs, &alive);
        let (dimensions, outcomes) = answer.unwrap_or_else(|failure| panic!("{}: {failure}", self.name()));
        assert!(dimensions as usize >= self.dimensions, "{}", self.name());
        let whole = |outcome: Outcome| outcome.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", self.name()));
        outcomes.into_iter().map(whole).collect()
    }

    /// Hold the engine to the expected vectors, in batches and alone; an error says how far it is from them.
    pub fn hold(&self, engine: &Engine, folder: &Path) -> Result<(), String> {
        let (inputs, expected) = (self.bytes(folder), self.expected(folder));
        assert_eq!(inputs.len(), expected.len(), "{}", self.name());
        let together = self.embed(engine, &inputs);
        let (mut least, mut most, mut moved) = (1.0f64, 0.0f32, 0.0f32);
        for (wanted, found) in expected.iter().zip(&together) {
            let (own, beyond) = found.vector.split_at(self.dimensions);
            assert!(beyond.iter().all(|value| *value == 0.0), "{}", self.name());
            least = least.min(cosine(wanted, own));
            most = most.max(apart(wanted, own));
        }
        for (input, found) in inputs.iter().zip(&together).take(ALONE) {
            let alone = self.embed(engine, std::slice::from_ref(input)).remove(0);
            moved = moved.max(apart(&alone.vector, &found.vector));
            assert_eq!((alone.tokens, alone.truncated), (found.tokens, found.truncated), "{}", self.name());
        }
        let line =
            format!("{}: least cosine 1 - {:.1e}, apart {most:.1e}, by batch {moved:.1e}", self.name(), 1.0 - least);
        println!("{line}");
        let good = least >= self.cosine && most <= self.apart && moved <= self.batched;
        if good { Ok(()) } else { Err(line) }
    }

    /// Hold the engine to the expected tokens; gives how many texts were held.
    pub fn hold_tokens(&self, engine: &Engine) -> usize {
        let Some(ids) = &self.ids else { return 0 };
        for (text, wanted) in self.inputs.iter().zip(ids) {
            let tokens = engine.tokens(&self.pack, text.as_bytes(), self.bulk).expect("it is a text");
            assert_eq!(&tokens.ids, wanted, "{}: {:?}", self.name(), text.chars().take(60).collect::<String>());
        }
        ids.len()
    }
}

pub fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
