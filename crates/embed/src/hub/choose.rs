//! Which files of a repository a pack is made of: the engine's own rules, applied to names.
//!
//! Repositories hold a model several times over, for other frameworks and at other precisions. A pack needs one graph
//! for each modality, the weights that lie beside it, and the JSON files that say how inputs are prepared.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::glob::matches;
use super::listing::{Entry, Listing};
use crate::pack::{FILE, external};

/// The precisions of graphs by the ends of their files' names, the most exact one first.
pub const VARIANTS: &[(&str, &str)] = &[
    ("fp32", ""),
    ("fp16", "_fp16"),
    ("quantized", "_quantized"),
    ("int8", "_int8"),
    ("uint8", "_uint8"),
    ("q4f16", "_q4f16"),
    ("q4", "_q4"),
    ("bnb4", "_bnb4"),
];

/// The beginnings of the names of graphs for one modality, and of one that may be for all.
const TOWERS: &[&str] = &["text_model", "vision_model", "audio_model", "encoder_model"];
const WHOLE: &str = "model";

/// The JSON files of the hub that say how a model's inputs are prepared and its outputs pooled.
const SETTINGS: &[&str] = &[
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "preprocessor_config.json",
    "processor_config.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
];

/// Ends of files that no pack needs: other frameworks' weights, and what is for people.
const OTHERS: &[&str] =
    &[".bin", ".h5", ".msgpack", ".ot", ".pt", ".pth", ".ckpt", ".gguf", ".tflite", ".md", ".png", ".jpg"];

/// The files to fetch.
#[derive(Debug)]
pub struct Choice {
    pub files: Vec<Entry>,
}

/// Choose the files of a pack, in the order of their sizes, so that small ones tell early what is wrong.
pub fn choose(listing: &Listing, variant: Option<&str>, include: &[String]) -> Result<Choice> {
    let mut wanted: Vec<&Entry> = if listing.find(FILE).is_some() {
        listing.files.iter().filter(|entry| of_own_pack(&entry.path)).collect()
    } else {
        let settings = listing.files.iter().filter(|entry| is_setting(&entry.path));
        settings.chain(graphs(listing, variant)?).collect()
    };
    for pattern in include {
        let before = wanted.len();
        wanted.extend(listing.files.iter().filter(|entry| matches(pattern, &entry.path)));
        if wanted.len() == before {
            bail!("{} has no file that matches {pattern}", listing.id);
        }
    }
    wanted.sort_by(|a, b| (a.size, &a.path).cmp(&(b.size, &b.path)));
    wanted.dedup();
    Ok(Choice { files: wanted.into_iter().cloned().collect() })
}

/// Files that the chosen graphs name as their weights; `folder` holds the graphs.
pub fn weights<'a>(listing: &'a Listing, chosen: &[Entry], folder: &Path) -> Result<Vec<&'a Entry>> {
    let mut found: Vec<&Entry> = Vec::new();
    for graph in chosen.iter().filter(|entry| entry.path.ends_with(".onnx")) {
        for name in external(&folder.join(&graph.path))? {
            let beside = graph.path.rsplit_once('/').map_or(name.clone(), |(place, _)| format!("{place}/{name}"));
            let missing = || {
                format!(
                    "{}: its weights are in \"{}\", which {} does not have",
                    graph.path,
                    name.escape_debug(),
                    listing.id
                )
            };
            let entry = listing.find(&beside).with_context(missing)?;
            if !chosen.contains(entry) && !found.contains(&entry) {
                found.push(entry);
            }
        }
    }
    Ok(found)
}

/// Whether a repository that is a pack by its own word needs this file.
fn of_own_pack(path: &str) -> bool {
    let hidden = path.split('/').any(|name| name.starts_with('.'));
    !hidden && !OTHERS.iter().any(|end| path.to_lowercase().ends_with(end))
}

fn is_setting(path: &str) -> bool {
    match path.rsplit_once('/') {
        None => SETTINGS.contains(&path),
        // The modules of sentence-transformers: 1_Pooling/config.json, 2_Dense/config.json.
        Some((folder, name)) => {
            name == "config.json"
                && folder.split_once('_').is_some_and(|(number, kind)| {
                    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !kind.contains('/')
                })
        }
    }
}

/// The graphs of the wanted variant, or of the most exact one that each has: one for each modality, or one for all.
fn graphs<'a>(listing: &'a Listing, variant: Option<&str>) -> Result<Vec<&'a Entry>> {
    let of = |name: &str, end: &str| {
        ["onnx/", ""].iter().find_map(|place| listing.find(&format!("{place}{name}{end}.onnx")))
    };
    let known: Vec<&str> = VARIANTS.iter().map(|(name, _)| *name).collect();
    if let Some(variant) = variant.filter(|variant| !known.contains(variant)) {
        bail!("no variant is called {variant}; known are {}", known.join(", "));
    }
    let ends = || VARIANTS.iter().filter(|(name, _)| variant.is_none_or(|wanted| wanted == *name));
    let one = |name: &str| ends().find_map(|(_, end)| of(name, end));
    let towers: Vec<&Entry> = TOWERS.iter().filter_map(|name| one(name)).collect();
    let found = if towers.is_empty() { one(WHOLE).into_iter().collect() } else { towers };
    if found.is_empty() {
        bail!("{}", no_graph(listing, variant));
    }
    Ok(found)
}

fn no_graph(listing: &Listing, variant: Option<&str>) -> String {
    let there: Vec<&str> =
        listing.files.iter().map(|entry| entry.path.as_str()).filter(|path| path.ends_with(".onnx")).collect();
    match (variant, there.as_slice()) {
        (_, []) => format!(
            "{} has no ONNX graphs; look for an export of the model, such as one of onnx-community or Xenova",
            listing.id
        ),
        (Some(variant), _) => format!("{} has no {variant} graph; it has {}", listing.id, there.join(", ")),
        (None, _) => format!(
            "{} has no graph with a usual name, such as onnx/model.onnx; it has {}, which --include would fetch",
            listing.id,
            there.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(paths: &[&str]) -> Listing {
        let entry = |path: &&str| Entry { path: (*path).to_owned(), size: Some(1), hash: None };
        Listing { id: "a/b".to_owned(), commit: "0".repeat(40), files: paths.iter().map(entry).collect() }
    }

    fn chosen(paths: &[&str], variant: Option<&str>, include: &[&str]) -> Result<Vec<String>> {
        let include: Vec<String> = include.iter().map(|pattern| (*pattern).to_owned()).collect();
        let choice = choose(&listing(paths), variant, &include)?;
        Ok(choice.files.into_iter().map(|entry| entry.path).collect())
    }

    const CLIP: &[&str] = &[
        ".gitattributes",
        "README.md",
        "config.json",
        "merges.txt",
        "onnx/model.onnx",
        "onnx/model_fp16.onnx",
        "onnx/text_model.onnx",
        "onnx/text_model_fp16.onnx",
        "onnx/text_model_q4.onnx",
        "onnx/vision_model.onnx",
        "onnx/vision_model_fp16.onnx",
        "preprocessor_config.json",
        "pytorch_model.bin",
        "tokenizer.json",
    ];

    #[test]
    fn one_graph_for_each_modality_and_the_settings_are_chosen() {
        let exact = chosen(CLIP, None, &[]).expect("there are graphs");
        assert_eq!(
            exact,
            [
                "config.json",
                "onnx/text_model.onnx",
                "onnx/vision_model.onnx",
                "preprocessor_config.json",
                "tokenizer.json"
            ]
        );
        let half = chosen(CLIP, Some("fp16"), &[]).expect("there are graphs");
        assert!(half.contains(&"onnx/text_model_fp16.onnx".to_owned()) && half.len() == 5, "{half:?}");
        let more = chosen(CLIP, None, &["*.md", "merges*"]).expect("there are graphs");
        assert_eq!(more.len(), 7);
    }

    #[test]
    fn a_text_model_comes_with_its_pooling() {
        let paths = [
            "1_Pooling/config.json",
            "config.json",
            "docs/config.json",
            "model.onnx",
            "modules.json",
            "openvino/model.bin",
        ];
        let found = chosen(&paths, None, &[]).expect("there are graphs");
        assert_eq!(found, ["1_Pooling/config.json", "config.json", "model.onnx", "modules.json"]);
    }

    #[test]
    fn a_repository_that_is_a_pack_is_taken_whole_but_for_what_no_pack_needs() {
        let paths = [
            ".gitattributes",
            "README.md",
            "audio/model.onnx",
            "maps/a.safetensors",
            "pytorch_model.bin",
            "text/x.bin",
            "vw-pack.json",
        ];
        let found = chosen(&paths, None, &[]).expect("it is a pack");
        assert_eq!(found, ["audio/model.onnx", "maps/a.safetensors", "vw-pack.json"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let says = |paths: &[&str], variant, include: &[&str]| {
            chosen(paths, variant, include).expect_err("it is missing").to_string()
        };
        assert!(says(&["pytorch_model.bin"], None, &[]).contains("no ONNX graphs"));
        assert!(says(CLIP, Some("bnb4"), &[]).contains("has no bnb4 graph; it has onnx/model.onnx"));
        assert!(says(CLIP, Some("fp8"), &[]).contains("known are fp32, fp16"));
        assert!(says(&["onnx/decoder.onnx"], None, &[]).contains("--include"));
        assert!(says(CLIP, None, &["*.tiff"]).contains("matches *.tiff"));
    }
}
