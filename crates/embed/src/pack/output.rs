//! Which of a graph's outputs is the embedding, and whether it is still one vector per token.

use vw_protocol::Modality;

use super::facts::Facts;
use super::onnx::{Outline, Slot};
use crate::Failure;

/// An output, and whether a pooling has to follow.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    pub name: String,
    pub per_token: bool,
    /// Components of a vector, where the graph fixes them.
    pub width: Option<usize>,
}

/// Names of one vector an input, best first: normalised in the graph, projected, pooled.
fn whole(modality: Modality) -> &'static [&'static str] {
    match modality {
        Modality::Text => &["l2norm_text_embeddings", "text_embeds", "text_embeddings", "sentence_embedding"],
        Modality::Image => &["l2norm_image_embeddings", "image_embeds", "image_embeddings", "sentence_embedding"],
        Modality::Audio => &["l2norm_audio_embeddings", "audio_embeds", "audio_embeddings", "sentence_embedding"],
    }
}

/// Names of one vector a token.
const PER_TOKEN: &[&str] = &["last_hidden_state", "token_embeddings"];

/// Families whose pooler_output is the embedding; in others it is a leftover of pre-training.
const POOLER: &[&str] =
    &["siglip", "siglip2", "siglip_text_model", "siglip_vision_model", "audio-spectrogram-transformer"];

/// Choose the output: the one that is asked for, else by name, else the only one.
pub fn choose(outline: &Outline, modality: Modality, facts: &Facts, asked: Option<&str>) -> Result<Output, Failure> {
    let find = |name: &str| outline.outputs.iter().find(|slot| slot.name == name);
    let known = || outline.outputs.iter().map(|slot| slot.name.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(name) = asked {
        let missing = || Failure::pack(format!("output: the graph has no \"{name}\", but {}", known()));
        return Ok(output(find(name).ok_or_else(missing)?));
    }
    let pooler = POOLER.contains(&facts.family()).then_some("pooler_output");
    let names = whole(modality).iter().copied().chain(pooler).chain(PER_TOKEN.iter().copied());
    if let Some(slot) = names.into_iter().find_map(find) {
        return Ok(output(slot));
    }
    match outline.outputs.as_slice() {
        [only] => Ok(output(only)),
        _ => Err(Failure::pack(format!("none of the graph's outputs is known to be the embedding: {}", known()))
            .hint("Say which with output in vw-pack.json.")),
    }
}

fn output(slot: &Slot) -> Output {
    let per_token = slot.extents.len() == 3 || slot.extents.is_empty() && PER_TOKEN.contains(&slot.name.as_str());
    Output { name: slot.name.clone(), per_token, width: slot.extents.last().copied().flatten() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(outputs: &[(&str, usize)], family: &str, modality: Modality, asked: Option<&str>) -> Option<Output> {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let config = format!(r#"{{"model_type": "{family}"}}"#);
        std::fs::write(folder.path().join("config.json"), config).expect("it can be written");
        let facts = Facts::read(folder.path()).expect("it can be read");
        let slot = |(name, rank): &(&str, usize)| Slot { name: (*name).to_owned(), extents: vec![Some(8); *rank] };
        let outline = Outline { outputs: outputs.iter().map(slot).collect(), ..Outline::default() };
        choose(&outline, modality, &facts, asked).ok()
    }

    #[test]
    fn the_best_output_is_chosen_and_a_leftover_pooler_is_not() {
        let name = |outputs: &[(&str, usize)], family| {
            chosen(outputs, family, Modality::Text, None).map(|output| (output.name, output.per_token))
        };
        let some = |name: &str, per_token| Some((name.to_owned(), per_token));
        let states = ("last_hidden_state", 3);
        assert_eq!(name(&[states, ("pooler_output", 2)], "bert"), some("last_hidden_state", true));
        assert_eq!(name(&[states, ("pooler_output", 2)], "siglip"), some("pooler_output", false));
        assert_eq!(name(&[states, ("text_embeds", 2)], "clip"), some("text_embeds", false));
        let jina = [("text_embeddings", 2), ("image_embeddings", 2), ("l2norm_text_embeddings", 2)];
        assert_eq!(name(&jina, "jina_clip"), some("l2norm_text_embeddings", false));
        assert_eq!(
            name(&[("token_embeddings", 3), ("sentence_embedding", 2)], "bert"),
            some("sentence_embedding", false)
        );
        assert_eq!(name(&[("anything", 2)], ""), some("anything", false));
        assert_eq!(name(&[("a", 2), ("b", 2)], ""), None);
        assert_eq!(
            chosen(&[("a", 2), ("b", 3)], "", Modality::Text, Some("b")).map(|output| output.per_token),
            Some(true)
        );
        assert_eq!(chosen(&[("a", 2)], "", Modality::Text, Some("c")), None);
    }
}
