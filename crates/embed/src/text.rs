//! The text tower: tokenise, batch texts of like length, run, pool, lift to the pack's space, normalise.

use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;
use serde::Deserialize;
use tokenizers::{Encoding, Tokenizer, TruncationParams};
use vw_protocol::{Embedding, ErrorCode};

use crate::Failure;
use crate::pack::read_json;
use crate::pooling::Pooling;

/// Padded tokens of one batch at the most, which bounds how long a batch holds the runner.
const BATCH_TOKENS: usize = 512;

/// The share of padding that a batch may hold, in percent.
const PADDING_PERCENT: usize = 15;

/// A loaded text tower.
pub struct TextTower {
    tokenizer: Tokenizer,
    session: Session,
    pooling: Pooling,
    inputs: Vec<String>,
    dimensions: usize,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lengths {
    max_seq_length: Option<usize>,
    max_position_embeddings: Option<usize>,
}

/// The longest text that a tower reads, in tokens: sentence_bert_config.json, else config.json.
pub fn max_tokens(tower: &Path) -> Result<usize, Failure> {
    let path = tower.join("sentence_bert_config.json");
    let own: Lengths = if path.is_file() { read_json(&path)? } else { Lengths::default() };
    let config: Lengths = read_json(&tower.join("config.json"))?;
    let longest = own.max_seq_length.or(config.max_position_embeddings);
    longest.ok_or_else(|| Failure::pack(format!("{}: no maximum length is given", tower.display())))
}

impl TextTower {
    /// Load a tower whose output is padded to `dimensions`.
    pub fn load(tower: &Path, dimensions: u32, session: Session) -> Result<TextTower, Failure> {
        let broken = |error| Failure::pack(format!("{}: tokenizer.json: {error}", tower.display()));
        let mut tokenizer = Tokenizer::from_file(tower.join("tokenizer.json")).map_err(broken)?;
        let longest = TruncationParams { max_length: max_tokens(tower)?, ..TruncationParams::default() };
        tokenizer.with_padding(None);
        tokenizer.with_truncation(Some(longest)).map_err(broken)?;
        let inputs: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
        let known = ["input_ids", "attention_mask", "token_type_ids"];
        if let Some(other) = inputs.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Failure::pack(format!("{}: the graph wants {other}, which is not known", tower.display())));
        }
        Ok(TextTower { tokenizer, session, pooling: Pooling::read(tower)?, inputs, dimensions: dimensions as usize })
    }

    /// Embed every text, in the order given. `alive` is asked between batches; false ends the work.
    pub fn embed(&mut self, texts: &[Vec<u8>], alive: &dyn Fn() -> bool) -> Result<Vec<Embedding>, Failure> {
        let encodings = texts.iter().map(|text| self.encode(text)).collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<usize> = (0..encodings.len()).collect();
        order.sort_by_key(|at| encodings.get(*at).map(Encoding::len));
        let mut done: Vec<Option<Embedding>> = vec![None; encodings.len()];
        for batch in batches(&order, &encodings) {
            if !alive() {
                return Err(Failure::internal("the caller hung up"));
            }
            let members: Vec<&Encoding> = batch.iter().filter_map(|at| encodings.get(*at)).collect();
            for (at, embedding) in batch.iter().zip(self.run(&members)?) {
                done.iter_mut().skip(*at).take(1).for_each(|slot| *slot = Some(embedding.clone()));
            }
        }
        done.into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Failure::internal("a text was left out of its batch"))
    }

    /// Give the token ids of one text, special tokens included.
    pub fn token_ids(&self, text: &str) -> Result<Vec<u32>, Failure> {
        Ok(self.encode(text.as_bytes())?.get_ids().to_vec())
    }

    fn encode(&self, text: &[u8]) -> Result<Encoding, Failure> {
        let text = std::str::from_utf8(text).map_err(|_| Failure::new(ErrorCode::BadInput, "text is not UTF-8"))?;
        self.tokenizer.encode(text, true).map_err(|error| Failure::new(ErrorCode::BadInput, error.to_string()))
    }

    /// Run one batch; rows shorter than the longest are padded and masked.
    fn run(&mut self, batch: &[&Encoding]) -> Result<Vec<Embedding>, Failure> {
        let longest = batch.iter().map(|encoding| encoding.len()).max().unwrap_or(0);
        let mut feeds: Vec<(String, SessionInputValue<'_>)> = Vec::new();
        for name in &self.inputs {
            let column = |encoding: &Encoding| match name.as_str() {
                "input_ids" => encoding.get_ids().to_vec(),
                "attention_mask" => encoding.get_attention_mask().to_vec(),
                _ => encoding.get_type_ids().to_vec(),
            };
            let padded = |encoding: &&Encoding| {
                column(encoding)
                    .into_iter()
                    .map(i64::from)
                    .chain(std::iter::repeat(0))
                    .take(longest)
                    .collect::<Vec<_>>()
            };
            let values: Vec<i64> = batch.iter().flat_map(padded).collect();
            let tensor = Tensor::from_array(([batch.len(), longest], values)).map_err(Failure::internal)?;
            feeds.push((name.clone(), tensor.into()));
        }
        let outputs = self.session.run(feeds).map_err(Failure::internal)?;
        let states = outputs.get("last_hidden_state").or_else(|| outputs.get("token_embeddings"));
        let states = states.ok_or_else(|| Failure::pack("the graph has no output last_hidden_state"))?;
        let (shape, values) = states.try_extract_tensor::<f32>().map_err(Failure::internal)?;
        let width = shape.last().and_then(|width| usize::try_from(*width).ok()).unwrap_or(0);
        if width == 0 || width > self.dimensions || values.len() != batch.len() * longest * width {
            return Err(Failure::pack(format!("the graph's output has the shape {shape:?}")));
        }
        let rows = values.chunks_exact(longest * width).zip(batch);
        Ok(rows
            .map(|(row, encoding)| finish(self.pooling.pool(row, width, encoding.len()), self.dimensions, encoding))
            .collect())
    }
}

/// Cut `order` (indexes by rising length) into batches of bounded size and padding.
fn batches<'a>(order: &'a [usize], encodings: &[Encoding]) -> Vec<&'a [usize]> {
    let length = |at: &usize| encodings.get(*at).map_or(0, Encoding::len);
    let mut cut = Vec::new();
    let mut rest = order;
    while !rest.is_empty() {
        let mut tokens = 0;
        let fits = |(count, at): (usize, &usize)| {
            tokens += length(at);
            let padded = length(at) * (count + 1);
            count == 0 || padded <= BATCH_TOKENS && (padded - tokens) * 100 <= padded * PADDING_PERCENT
        };
        let taken = rest.iter().enumerate().map(fits).take_while(|fits| *fits).count();
        let (batch, tail) = rest.split_at(taken.max(1).min(rest.len()));
        cut.push(batch);
        rest = tail;
    }
    cut
}

/// Normalise to length one and pad to the pack's space.
fn finish(mut vector: Vec<f32>, dimensions: usize, encoding: &Encoding) -> Embedding {
    let norm = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    if norm > 0.0 {
        vector.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
    }
    vector.resize(dimensions, 0.0);
    let tokens = u32::try_from(encoding.len()).unwrap_or(u32::MAX);
    Embedding { tokens, truncated: !encoding.get_overflowing().is_empty(), vector }
}
