//! Which graphs a folder of the hub offers, by the names of their files, and what each of them embeds.

use std::path::{Path, PathBuf};

use vw_protocol::Modality;

use super::manifest::Variant;
use super::onnx::{Outline, Slot};
use crate::Failure;

/// The variants in the order that they are preferred in, with the ends of their files' names.
const VARIANTS: &[(Variant, &str)] = &[
    (Variant::Fp32, ""),
    (Variant::Fp16, "_fp16"),
    (Variant::Quantized, "_quantized"),
    (Variant::Int8, "_int8"),
    (Variant::Uint8, "_uint8"),
    (Variant::Q4f16, "_q4f16"),
    (Variant::Q4, "_q4"),
    (Variant::Bnb4, "_bnb4"),
];

/// The beginnings of the graphs' names for a modality; a graph for several has the common name.
fn names(modality: Modality) -> &'static [&'static str] {
    match modality {
        Modality::Text => &["text_model", "model"],
        Modality::Image => &["vision_model", "model"],
        Modality::Audio => &["audio_model", "encoder_model", "model"],
    }
}

/// Find the graph for a modality in a folder of the hub's layout: below `onnx` or in the folder itself, the variant
/// that is asked for, or else the most exact one; none where no file has such a name or none of them takes the input.
pub fn graph(
    folder: &Path,
    modality: Modality,
    variant: Option<Variant>,
) -> Result<Option<(PathBuf, Outline)>, Failure> {
    for name in names(modality) {
        let asked = VARIANTS.iter().filter(|(known, _)| variant.is_none_or(|wanted| wanted == *known));
        for (_, end) in asked {
            for place in ["onnx", "."] {
                let path =
                    if place == "." { folder.to_owned() } else { folder.join(place) }.join(format!("{name}{end}.onnx"));
                if path.is_file() {
                    let outline = Outline::read(&path)?;
                    if embeds(&outline, modality, *name == "model") {
                        return Ok(Some((path, outline)));
                    }
                }
            }
        }
    }
    Ok(None)
}

/// Tell whether a graph takes inputs of a modality. A name that says so is believed where the input's is unusual.
fn embeds(outline: &Outline, modality: Modality, common: bool) -> bool {
    outline.inputs.iter().any(|input| input_modality(input) == Some(modality))
        || !common && outline.inputs.iter().all(|input| input_modality(input).is_none())
}

/// The modality that the name of a graph's input speaks of.
pub fn input_modality(input: &Slot) -> Option<Modality> {
    match input.name.as_str() {
        "input_ids" => Some(Modality::Text),
        "pixel_values" => Some(Modality::Image),
        "input_features" | "input_values" => Some(Modality::Audio),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(inputs: &[&str]) -> Outline {
        let slot = |name: &&str| Slot { name: (*name).to_owned(), extents: Vec::new() };
        Outline { inputs: inputs.iter().map(slot).collect(), ..Outline::default() }
    }

    #[test]
    fn a_graph_embeds_what_its_inputs_or_else_its_name_say() {
        let both = outline(&["input_ids", "pixel_values", "attention_mask"]);
        assert!(embeds(&both, Modality::Text, true) && embeds(&both, Modality::Image, true));
        assert!(!embeds(&both, Modality::Audio, true));
        let unusual = outline(&["x"]);
        assert!(embeds(&unusual, Modality::Audio, false) && !embeds(&unusual, Modality::Audio, true));
    }
}
