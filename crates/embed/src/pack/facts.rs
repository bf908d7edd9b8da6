//! What the configuration files of a tower's folder say: the family of the model, lengths, padding, prompts.
//!
//! Files: config.json, tokenizer_config.json, sentence_bert_config.json, config_sentence_transformers.json,
//! modules.json, as `transformers` and `sentence-transformers` write them. All but those that a rule asks for may be
//! missing.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::place::read_optional;
use crate::Failure;

/// A length above this in tokenizer_config.json means that there is none; transformers writes 1e30.
const NO_LENGTH: f64 = 1e7;

/// The configuration files of one folder.
#[derive(Clone, Debug)]
pub struct Facts {
    folder: PathBuf,
    config: Value,
    tokenizer: Value,
}

impl Facts {
    /// Read the files of a tower's folder.
    pub fn read(folder: &Path) -> Result<Facts, Failure> {
        let config = read_optional(&folder.join("config.json"))?;
        let tokenizer = read_optional(&folder.join("tokenizer_config.json"))?;
        Ok(Facts { folder: folder.to_owned(), config, tokenizer })
    }

    /// config.json's model_type, empty where there is none.
    pub fn family(&self) -> &str {
        self.config.get("model_type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the model is one of the SigLIP family, whose texts are padded to one length and pooled in the graph.
    pub fn siglip(&self) -> bool {
        self.family().starts_with("siglip")
    }

    /// A whole number of config.json, looked for in the part for a modality before the file's top level.
    pub fn number(&self, part: &str, key: &str) -> Option<usize> {
        let places = [self.config.get(part).and_then(|part| part.get(key)), self.config.get(key)];
        places.into_iter().flatten().find_map(|value| usize::try_from(value.as_u64()?).ok())
    }

    /// A number, or the first of a pair, of config.json's part for a modality or its top level.
    pub fn extent(&self, part: &str, key: &str) -> Option<usize> {
        let places = [self.config.get(part).and_then(|part| part.get(key)), self.config.get(key)];
        let whole = |value: &Value| usize::try_from(value.as_u64()?).ok();
        places.into_iter().flatten().find_map(|value| whole(value).or_else(|| whole(value.as_array()?.first()?)))
    }

    /// The longest text that is read, in tokens: sentence_bert_config.json, else tokenizer_config.json, else the
    /// table of positions; never more than that table has.
    pub fn max_tokens(&self) -> Result<usize, Failure> {
        let own: Value = read_optional(&self.folder.join("sentence_bert_config.json"))?;
        let own = own.get("max_seq_length").and_then(Value::as_u64);
        let tokenizer = self.tokenizer.get("model_max_length").and_then(Value::as_f64);
        let tokenizer = tokenizer.filter(|length| (1.0..NO_LENGTH).contains(length)).map(|length| length as u64);
        let named = own.or(tokenizer).and_then(|length| usize::try_from(length).ok());
        let longest = match (named, self.positions()) {
            (Some(named), Some(positions)) => named.min(positions),
            (named, positions) => named.or(positions).ok_or_else(|| {
                let message = format!("{}: no file gives the longest text", self.folder.display());
                Failure::pack(message).hint("Say max_tokens in vw-pack.json.")
            })?,
        };
        if longest == 0 {
            return Err(Failure::pack(format!("{}: the longest text has 0 tokens", self.folder.display())));
        }
        Ok(longest)
    }

    /// The rows of the table of positions that texts may use. Models after RoBERTa leave out the rows up to the
    /// padding token's (create_position_ids_from_input_ids of `transformers`).
    fn positions(&self) -> Option<usize> {
        let family = match self.family() {
            "clap" => "roberta",
            family => family,
        };
        let default = match family {
            "clip" => Some(77),
            _ if self.siglip() => Some(64),
            _ => None,
        };
        let rows = self.number("text_config", "max_position_embeddings").or(default)?;
        let after_roberta = ["roberta", "xlm-roberta", "camembert", "mpnet", "xlm-roberta-xl"].contains(&family);
        let skipped = self.number("text_config", "pad_token_id").unwrap_or(1) + 1;
        Some(if after_roberta { rows.saturating_sub(skipped) } else { rows })
    }

    /// The name of the padding token.
    pub fn pad_token(&self) -> Option<&str> {
        let token = self.tokenizer.get("pad_token")?;
        token.as_str().or_else(|| token.get("content")?.as_str())
    }

    /// The padding token's id as config.json says.
    pub fn pad_id(&self) -> Option<u32> {
        self.number("text_config", "pad_token_id").and_then(|id| u32::try_from(id).ok())
    }

    /// Whether texts of one length are padded in front: tokenizer_config.json's padding_side, else its class's.
    pub fn pads_left(&self) -> bool {
        match self.tokenizer.get("padding_side").and_then(Value::as_str) {
            Some(side) => side == "left",
            None => self.tokenizer.get("tokenizer_class").and_then(Value::as_str) == Some("Siglip2Tokenizer"),
        }
    }

    /// Whether the tokenizer's class lower-cases what its tokenizer.json might not.
    pub fn lower_cases(&self) -> bool {
        self.tokenizer.get("tokenizer_class").and_then(Value::as_str) == Some("Siglip2Tokenizer")
    }

    /// The prompts before queries and before documents, as config_sentence_transformers.json says: of the names
    /// that encode_query and encode_document of sentence-transformers look for, else the default prompt.
    pub fn prompts(&self) -> Result<(String, String), Failure> {
        let file: Value = read_optional(&self.folder.join("config_sentence_transformers.json"))?;
        let named = |name: &str| file.get("prompts")?.get(name)?.as_str().map(str::to_owned);
        let default = file.get("default_prompt_name").and_then(Value::as_str).and_then(named).unwrap_or_default();
        let query = named("query").unwrap_or_else(|| default.clone());
        let document = ["document", "passage", "corpus"].into_iter().find_map(named).unwrap_or(default);
        Ok((query, document))
    }

    /// The layers after the pooling that sentence-transformers would run and a graph may not have in it.
    pub fn other_modules(&self) -> Result<Vec<String>, Failure> {
        let modules: Value = read_optional(&self.folder.join("modules.json"))?;
        let types = modules.as_array().into_iter().flatten().filter_map(|module| module.get("type")?.as_str());
        let known =
            |kind: &&str| !["Transformer", "Pooling", "Normalize"].contains(&kind.rsplit('.').next().unwrap_or(kind));
        Ok(types.filter(known).map(str::to_owned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(files: &[(&str, &str)]) -> Facts {
        let folder = tempfile::tempdir().expect("a folder can be made").keep();
        files.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).expect("it can be written"));
        Facts::read(&folder).expect("they can be read")
    }

    #[test]
    fn the_longest_text_is_the_first_that_is_named_and_fits_the_positions() {
        let longest = |files: &[(&str, &str)]| facts(files).max_tokens().ok();
        let bert = ("config.json", r#"{"model_type": "bert", "max_position_embeddings": 512}"#);
        let roberta = r#"{"model_type": "xlm-roberta", "max_position_embeddings": 514, "pad_token_id": 1}"#;
        let endless = ("tokenizer_config.json", r#"{"model_max_length": 1000000000000000019884624838656}"#);
        assert_eq!(longest(&[bert]), Some(512));
        assert_eq!(longest(&[bert, endless]), Some(512));
        assert_eq!(longest(&[bert, ("sentence_bert_config.json", r#"{"max_seq_length": 256}"#)]), Some(256));
        assert_eq!(longest(&[("config.json", roberta), endless]), Some(512));
        assert_eq!(longest(&[bert, ("tokenizer_config.json", r#"{"model_max_length": 8192}"#)]), Some(512));
        assert_eq!(longest(&[("config.json", r#"{"model_type": "clip", "text_config": {}}"#)]), Some(77));
        assert_eq!(longest(&[("config.json", r#"{"model_type": "siglip2"}"#)]), Some(64));
        assert_eq!(longest(&[("config.json", r#"{"model_type": "other"}"#)]), None);
    }

    #[test]
    fn prompts_are_those_that_sentence_transformers_takes() {
        let prompts = |text: &str| facts(&[("config_sentence_transformers.json", text)]).prompts().expect("in order");
        let both = |query: &str, document: &str| (query.to_owned(), document.to_owned());
        assert_eq!(prompts(r#"{"prompts": {"query": "q: ", "passage": "p: "}}"#), both("q: ", "p: "));
        assert_eq!(prompts(r#"{"prompts": {"a": "A "}, "default_prompt_name": "a"}"#), both("A ", "A "));
        assert_eq!(prompts(r#"{"prompts": {"a": "A "}, "default_prompt_name": null}"#), both("", ""));
    }

    #[test]
    fn layers_that_are_not_in_the_graph_are_noticed() {
        let text =
            r#"[{"type": "sentence_transformers.models.Transformer"}, {"type": "sentence_transformers.models.Dense"}]"#;
        assert_eq!(facts(&[("modules.json", text)]).other_modules().expect("in order").len(), 1);
    }
}
