//! Guards against a default pack whose vectors are not those of the weights that it was made of.
//!
//! Runs with `--features with-reference` and needs VW_ONNXRUNTIME (the path of libonnxruntime.so), VW_MODELS (a folder
//! with the default pack) and VW_REFERENCE (the folder that tests/parity/text_reference.py wrote to, which has the
//! subfolder `text`); it fails without them.

mod cases;

use cases::{cases, place};
use vw_embed::engine::{Engine, Options};

#[test]
fn the_default_pack_gives_the_tokens_and_vectors_of_its_weights() {
    let (folder, library) = (place("VW_REFERENCE").join("text"), place("VW_ONNXRUNTIME"));
    let engine = Engine::open(&place("VW_MODELS"), &library, Options::default()).expect("the pack is there");
    let cases = cases(&folder);
    assert_eq!(cases.iter().map(|case| case.hold_tokens(&engine)).sum::<usize>(), 500);
    for case in cases {
        assert_eq!(case.hold(&engine, &folder), Ok(()));
    }
}
