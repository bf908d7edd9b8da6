//! Guards against vectors that are not those of the original models: every family, pooling, prompt and form of graph
//! that the engine runs, held to `transformers` on the same weights; and against vectors that depend on their batch.
//!
//! Runs with `--features with-reference` and needs VW_ONNXRUNTIME (the path of libonnxruntime.so) and VW_REFERENCE (the
//! folder that tests/parity/towers_reference.py wrote to, which has the subfolder `towers`); it fails without them.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use vw_embed::Alive;
use vw_embed::check::check;
use vw_embed::engine::{Engine, Options};
use vw_protocol::{Embedding, Modality, Reply, Request};

/// The difference of a component that a batch may make.
const BATCHED: f32 = 1e-6;

/// Inputs of a case that are embedded alone, too.
const ALONE: usize = 30;

#[derive(Deserialize)]
struct Case {
    pack: String,
    modality: String,
    bulk: bool,
    /// Texts, or names of files.
    inputs: Vec<String>,
    ids: Option<Vec<Vec<u32>>>,
    expected: PathBuf,
    dimensions: usize,
    cosine: f64,
    apart: f32,
}

fn place(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set; see the top of this file")).into()
}

fn folder() -> PathBuf {
    place("VW_REFERENCE").join("towers")
}

/// The engine that all tests share, with every pack of the reference.
fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let engine = Engine::open(&folder().join("packs"), &place("VW_ONNXRUNTIME"), Options::default());
        let engine = engine.unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(engine.broken().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
        engine
    })
}

impl Case {
    fn name(&self) -> String {
        format!("{} {} as {}", self.pack, self.modality, if self.bulk { "documents" } else { "queries" })
    }

    fn modality(&self) -> Modality {
        Modality::from_name(&self.modality).expect("it is a modality")
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        let file = |name: &String| std::fs::read(folder().join("inputs").join(name)).expect("it is there");
        let text = |text: &String| text.as_bytes().to_vec();
        self.inputs.iter().map(|input| if self.modality() == Modality::Text { text(input) } else { file(input) }).collect()
    }

    fn expected(&self) -> Vec<Vec<f32>> {
        let bytes = std::fs::read(folder().join(&self.expected)).expect("it is there");
        let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect();
        values.chunks_exact(self.dimensions).map(<[f32]>::to_vec).collect()
    }

    fn embed(&self, inputs: &[Vec<u8>]) -> Vec<Embedding> {
        let alive: Alive = Arc::new(|| true);
        let answer = engine().embed(self.modality(), self.bulk, &self.pack, inputs, &alive);
        let (dimensions, outcomes) = answer.unwrap_or_else(|failure| panic!("{}: {failure}", self.name()));
        assert_eq!(dimensions as usize, self.dimensions, "{}", self.name());
        let whole = |outcome: vw_protocol::Outcome| outcome.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", self.name()));
        outcomes.into_iter().map(whole).collect()
    }
}

fn cases() -> Vec<Case> {
    let text = std::fs::read(folder().join("cases.json")).expect("the reference was made");
    serde_json::from_slice(&text).expect("it is in order")
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn vectors_are_those_of_the_reference_alone_and_in_batches() {
    let mut wrong = Vec::new();
    for case in cases() {
        let (inputs, expected) = (case.bytes(), case.expected());
        assert_eq!(inputs.len(), expected.len(), "{}", case.name());
        let together = case.embed(&inputs);
        let (mut least, mut most, mut moved) = (1.0f64, 0.0f32, 0.0f32);
        for (wanted, found) in expected.iter().zip(&together) {
            least = least.min(cosine(wanted, &found.vector));
            most = most.max(apart(wanted, &found.vector));
        }
        for (input, found) in inputs.iter().zip(&together).take(ALONE) {
            let alone = case.embed(std::slice::from_ref(input)).remove(0);
            moved = moved.max(apart(&alone.vector, &found.vector));
            assert_eq!((alone.tokens, alone.truncated), (found.tokens, found.truncated), "{}", case.name());
        }
        let line = format!("{}: least cosine 1 - {:.1e}, apart {most:.1e}, by batch {moved:.1e}", case.name(), 1.0 - least);
        println!("{line}");
        if !(least >= case.cosine && most <= case.apart && moved <= BATCHED) {
            wrong.push(line);
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn tokens_are_those_of_the_reference() {
    let mut count = 0;
    for case in cases() {
        let Some(ids) = &case.ids else { continue };
        for (text, wanted) in case.inputs.iter().zip(ids) {
            let tokens = engine().tokens(&case.pack, text.as_bytes(), case.bulk).expect("it is a text");
            let wanted: &[u32] = wanted;
            assert_eq!(tokens.ids, wanted, "{}: {:?}", case.name(), text.chars().take(60).collect::<String>());
            count += 1;
        }
    }
    assert!(count > 500, "{count} texts");
}

#[test]
fn a_bad_file_fails_alone() {
    let case = cases().into_iter().find(|case| case.pack == "clip" && case.modality == "image").expect("it is there");
    let mut inputs = case.bytes();
    let whole = case.embed(&inputs);
    inputs.insert(1, b"no picture".to_vec());
    let request = Request::Embed { modality: Modality::Image, bulk: true, model: case.pack.clone(), inputs };
    let Reply::Embeddings { mut items, .. } = engine().answer(&request, &(Arc::new(|| true) as Alive)) else {
        panic!("the request is in order")
    };
    let bad = items.remove(1).expect_err("it is no picture");
    assert_eq!(bad.code, vw_protocol::ErrorCode::BadInput, "{bad:?}");
    let rest: Vec<_> = items.into_iter().map(|item| item.expect("it is a picture")).collect();
    for (found, wanted) in rest.iter().zip(&whole) {
        assert!(apart(&found.vector, &wanted.vector) <= BATCHED);
    }
}

#[test]
fn each_pack_passes_its_check_or_is_told_what_is_wrong() {
    for model in engine().models() {
        let pack = folder().join("packs").join(&model.id);
        let alone = Engine::of_packs(&[pack], &place("VW_ONNXRUNTIME"), Options::default());
        let report = check(&alone.unwrap_or_else(|failure| panic!("{failure}")));
        // Random weights need not find two alike inputs alike; all else must be in order.
        if let Err(failure) = report {
            assert!(failure.message.contains("inputs that are alike"), "{}: {failure}", model.id);
        }
    }
}

#[test]
fn unloaded_towers_come_back_and_keep_their_counts() {
    let packs = ["bert-mean", "bert-cls", "clip"].map(|name| folder().join("packs").join(name));
    let options = Options { memory_bytes: 1, ..Options::default() };
    let engine = Engine::of_packs(&packs, &place("VW_ONNXRUNTIME"), options).expect("the packs are in order");
    let alive: Alive = Arc::new(|| true);
    let ask = |model: &str| {
        let (_, mut outcomes) = engine.embed(Modality::Text, false, model, &[b"shoes".to_vec()], &alive).expect("loaded");
        outcomes.remove(0).expect("it is a text").vector
    };
    let first = ask("bert-mean");
    for model in ["bert-cls", "clip", "bert-cls"] {
        ask(model);
        let loaded: Vec<_> = engine.stats().into_iter().filter(|tower| tower.loaded).map(|tower| tower.model).collect();
        assert_eq!(loaded, [model], "one byte of memory holds no more than the tower at work");
    }
    assert_eq!(ask("bert-mean"), first);
    let inputs: Vec<_> = engine.stats().into_iter().map(|tower| (tower.model, tower.inputs)).collect();
    let wanted = [("bert-cls", 2), ("bert-mean", 2), ("clip", 1), ("clip", 0)];
    assert_eq!(inputs, wanted.map(|(model, count)| (model.to_owned(), count)));
}
