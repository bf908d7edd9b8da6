//! Guards against packs that are taken for something else than they are: the wrong graph, the wrong space, towers in
//! each other's place. Graphs here are outlines without operators, written by hand; nothing is run.

use super::*;

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

/// An ONNX file with inputs, and one output of `[batch, width]`.
fn graph(inputs: &[&str], output: &str, width: u8) -> Vec<u8> {
    let dims = [field(1, &field(2, b"b")), field(1, &[8, width])].concat();
    let shape = |name: &str| [field(1, name.as_bytes()), field(2, &field(1, &field(2, &dims)))].concat();
    let inputs = inputs.iter().flat_map(|name| field(11, &shape(name))).collect::<Vec<_>>();
    field(7, &[inputs, field(12, &shape(output))].concat())
}

/// A folder with files in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder can be made"))
    }

    fn with(self, name: &str, bytes: impl AsRef<[u8]>) -> Folder {
        let path = self.0.path().join("pack").join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        std::fs::write(path, bytes).expect("it can be written");
        self
    }

    fn clip(self) -> Folder {
        self.with("config.json", r#"{"model_type": "clip"}"#)
            .with("onnx/text_model.onnx", graph(&["input_ids"], "text_embeds", 8))
            .with("onnx/vision_model.onnx", graph(&["pixel_values"], "image_embeds", 8))
            .with("onnx/vision_model_quantized.onnx", graph(&["pixel_values"], "image_embeds", 8))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("pack")
    }

    fn open(&self) -> Result<Pack, String> {
        Pack::open(&self.path()).map_err(|failure| failure.message)
    }

    fn graph(&self, modality: Modality) -> String {
        let pack = self.open().expect("it is in order");
        let part = pack.parts.iter().find(|part| part.modality == modality).expect("it has such a tower");
        part.graph.file_name().expect("it is a file").to_string_lossy().into_owned()
    }
}

#[test]
fn a_folder_of_packs_and_one_that_is_not_there_are_named_as_such() {
    let folder = Folder::new().clip();
    let Err(failure) = Pack::open(folder.0.path()) else { panic!("it has no graph") };
    assert!(failure.told().contains(&format!("say {}", folder.path().display())), "{failure}");
    let Err(failure) = Pack::open(&folder.path().join("nowhere")) else { panic!("it is not there") };
    assert!(failure.message.contains("nowhere") && failure.message.contains("cannot be read"), "{failure}");
}

#[test]
fn a_folder_as_the_hub_has_it_is_a_pack() {
    let pack = Folder::new().clip().open().expect("it is in order");
    let Model { id, name, types, dimensions, max_tokens, .. } = pack.model;
    assert_eq!((id.as_str(), name.as_str(), types, dimensions, max_tokens), ("pack", "pack", 3, 8, 77));
}

#[test]
fn one_graph_with_both_inputs_is_two_towers() {
    let both = graph(&["input_ids", "pixel_values"], "embeds", 8);
    let folder = Folder::new().with("config.json", r#"{"model_type": "clip"}"#).with("onnx/model.onnx", both);
    assert_eq!(
        (folder.graph(Modality::Text), folder.graph(Modality::Image)),
        ("model.onnx".to_owned(), "model.onnx".to_owned())
    );
}

#[test]
fn the_variant_is_the_most_exact_or_the_one_that_is_asked_for() {
    let folder = Folder::new().clip();
    assert_eq!(folder.graph(Modality::Image), "vision_model.onnx");
    let quantized = r#"{"towers": {"image": {"variant": "quantized"}, "text": {}}}"#;
    let folder = folder.with("vw-pack.json", quantized);
    assert_eq!(folder.graph(Modality::Image), "vision_model_quantized.onnx");
    let missing = folder.with("vw-pack.json", r#"{"towers": {"image": {"variant": "q4"}}}"#).open();
    assert!(missing.expect_err("there is none").contains("no graph for image"));
}

#[test]
fn towers_of_different_spaces_are_not_one_pack_by_themselves() {
    let narrow = graph(&["pixel_values"], "image_embeds", 4);
    let folder = Folder::new().clip().with("onnx/vision_model.onnx", narrow);
    assert!(folder.open().expect_err("8 and 4").contains("4 dimensions"));
    let padded = folder.with("vw-pack.json", r#"{"dimensions": 16}"#).open().expect("zeros make it one");
    assert_eq!(padded.model.dimensions, 16);
}

#[test]
fn towers_keep_out_of_each_others_components() {
    let text = |at: usize| format!(r#"{{"dimensions": 16, "towers": {{"text": [{{}}, {{"at": {at}}}]}}}}"#);
    let folder = Folder::new().clip();
    let folder = folder.with("vw-pack.json", text(8));
    assert_eq!(folder.open().expect("side by side").parts.len(), 2);
    let folder = folder.with("vw-pack.json", text(7));
    assert!(folder.open().expect_err("they meet").contains("same components"));
    let folder = folder.with("vw-pack.json", text(9));
    assert!(folder.open().expect_err("it reaches beyond").contains("9 to 17 of 16"));
}

#[test]
fn a_map_and_a_mean_must_fit_the_vector() {
    let manifest = |shape: &str, mean: &str| {
        format!(
            r#"{{"towers": {{"text": {{"map": {{"file": "map.f32", "shape": {shape}}},
                "mean": {{"file": "mean.f32", "shape": {mean}}}}}}}}}"#
        )
    };
    let folder = Folder::new().clip().with("map.f32", [0; 4 * 24]).with("mean.f32", [0; 4 * 8]);
    let folder = folder.with("vw-pack.json", manifest("[3, 8]", "[8]"));
    let pack = folder.open().expect("it fits");
    assert_eq!((pack.model.dimensions, pack.model.types), (3, 1));
    let folder = folder.with("vw-pack.json", manifest("[8, 3]", "[8]"));
    assert!(folder.open().expect_err("turned").contains("rows of 8 numbers"));
    let folder = folder.with("vw-pack.json", manifest("[3, 8]", "[2, 4]"));
    assert!(folder.open().expect_err("two axes").contains("mean"));
}

#[test]
fn ids_that_cannot_be_named_are_refused() {
    for id in ["", "a@b", "a b", "a\\u0000"] {
        let folder = Folder::new().clip().with("vw-pack.json", format!(r#"{{"id": "{id}"}}"#));
        assert!(folder.open().expect_err(id).contains("cannot be an id"));
    }
}

#[test]
fn tokens_with_no_pooling_named_are_refused() {
    let dims = [field(1, &field(2, b"b")), field(1, &field(2, b"s")), field(1, &[8, 4])].concat();
    let output = [field(1, b"last_hidden_state"), field(2, &field(1, &field(2, &dims)))].concat();
    let input = [field(1, b"input_ids"), field(2, &field(1, &[8, 7]))].concat();
    let bert = r#"{"model_type": "bert", "max_position_embeddings": 512}"#;
    let folder = Folder::new().with("config.json", bert);
    let folder = folder.with("model.onnx", field(7, &[field(11, &input), field(12, &output)].concat()));
    assert!(folder.open().expect_err("unknown").contains("how to pool"));
    let pooled = folder.with("vw-pack.json", r#"{"towers": {"text": {"pooling": "cls"}}}"#);
    assert_eq!(pooled.open().expect("it says so").model.max_tokens, 512);
}
