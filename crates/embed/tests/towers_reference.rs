//! Guards against vectors that are not those of the original models: every family, pooling, prompt and form of graph
//! that the engine runs, held to `transformers` on the same weights; and against vectors that depend on their batch.
//!
//! Runs with `--features with-reference` and needs VW_ONNXRUNTIME (the path of libonnxruntime.so) and VW_REFERENCE (the
//! folder that tests/parity/towers_reference.py wrote to, which has the subfolder `towers`); it fails without them.

mod cases;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use cases::{apart, cases, place};
use vw_embed::Alive;
use vw_embed::check::check;
use vw_embed::engine::{Engine, Options};
use vw_protocol::Modality;

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

#[test]
fn vectors_are_those_of_the_reference_alone_and_in_batches() {
    let wrong: Vec<String> = cases(&folder()).iter().filter_map(|case| case.hold(engine(), &folder()).err()).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn tokens_are_those_of_the_reference() {
    let count: usize = cases(&folder()).iter().map(|case| case.hold_tokens(engine())).sum();
    assert!(count > 500, "{count} texts");
}

#[test]
fn a_bad_file_fails_alone() {
    let case = cases(&folder())
        .into_iter()
        .find(|case| case.pack == "clip" && case.modality() == Modality::Image)
        .expect("it is there");
    let mut inputs = case.bytes(&folder());
    let whole = case.embed(engine(), &inputs);
    inputs.insert(1, b"no picture".to_vec());
    let alive = Arc::new(|| true) as Alive;
    let (_, mut items) =
        engine().embed(Modality::Image, true, &case.pack, &inputs, &alive).expect("the request is in order");
    let bad = items.remove(1).expect_err("it is no picture");
    assert_eq!(bad.code, vw_protocol::ErrorCode::BadInput, "{bad:?}");
    let rest: Vec<_> = items.into_iter().map(|item| item.expect("it is a picture")).collect();
    for (found, wanted) in rest.iter().zip(&whole) {
        assert!(apart(&found.vector, &wanted.vector) <= case.batched);
    }
}

#[test]
fn each_pack_passes_its_check() {
    for model in engine().models() {
        let pack = folder().join("packs").join(&model.id);
        let alone = Engine::of_packs(&[pack], &place("VW_ONNXRUNTIME"), Options::default());
        let report = check(&alone.unwrap_or_else(|failure| panic!("{failure}")));
        let report = report.unwrap_or_else(|failure| panic!("{}: {failure}", model.id));
        assert_eq!(report.model, model);
    }
}

#[test]
fn unloaded_towers_come_back_and_keep_their_counts() {
    let packs = ["bert-mean", "bert-cls", "clip"].map(|name| folder().join("packs").join(name));
    let options = Options { memory_bytes: 1, ..Options::default() };
    let engine = Engine::of_packs(&packs, &place("VW_ONNXRUNTIME"), options).expect("the packs are in order");
    let alive: Alive = Arc::new(|| true);
    let ask = |model: &str| {
        let (_, mut outcomes) =
            engine.embed(Modality::Text, false, model, &[b"shoes".to_vec()], &alive).expect("loaded");
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
