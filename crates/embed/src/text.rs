//! The text tower: its tokenizer, its graph behind a runner, and the lift of what comes out to the pack's space.

use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;
use vw_protocol::Embedding;

use crate::Failure;
use crate::admission::Budget;
use crate::pooling::Pooling;
use crate::runner::{Alive, Runner, Tower};
use crate::tokens::{TextTokenizer, Tokens};

/// Bytes of text that each lane of a tower holds at the most, from the door to the answer.
const LANE_BYTES: usize = 64 << 20;

/// A loaded text tower.
pub struct TextTower {
    tokenizer: TextTokenizer,
    runner: Runner<Tokens>,
    single: Budget,
    bulk: Budget,
}

impl TextTower {
    /// Load a tower whose output is padded with zeros to `dimensions`.
    pub fn load(tower: &Path, dimensions: u32, session: Session) -> Result<TextTower, Failure> {
        let runner = Runner::start(Graph::new(tower, dimensions, session)?)?;
        let tokenizer = TextTokenizer::load(tower)?;
        Ok(TextTower { tokenizer, runner, single: Budget::new(LANE_BYTES), bulk: Budget::new(LANE_BYTES) })
    }

    /// Embed UTF-8 texts and wait for the result, in the order given; `alive` saying no ends the work.
    ///
    /// Each lane has a budget of its own, so that bulk work cannot shut single requests out.
    pub fn embed(&self, texts: &[Vec<u8>], bulk: bool, alive: &Alive) -> Result<Vec<Embedding>, Failure> {
        let budget = if bulk { &self.bulk } else { &self.single };
        let _ticket = budget.admit(texts.iter().map(Vec::len).sum())?;
        let mut inputs = Vec::with_capacity(texts.len());
        for text in texts {
            if !alive() {
                return Err(Failure::internal("the caller hung up"));
            }
            inputs.push(self.tokenizer.encode(text)?);
        }
        self.runner.embed(inputs, Graph::length, bulk, Alive::clone(alive))
    }

    /// Give the tokens of one text.
    pub fn tokens(&self, text: &[u8]) -> Result<Tokens, Failure> {
        self.tokenizer.encode(text)
    }

    /// The texts that wait for their batch.
    pub fn waiting(&self) -> usize {
        self.runner.waiting()
    }

    /// The texts that were run since the tower was loaded.
    pub fn finished(&self) -> u64 {
        self.runner.finished()
    }
}

/// The graph, on its runner's thread.
struct Graph {
    session: Session,
    pooling: Pooling,
    inputs: Vec<String>,
    dimensions: usize,
}

impl Graph {
    fn new(tower: &Path, dimensions: u32, session: Session) -> Result<Graph, Failure> {
        let inputs: Vec<String> = session.inputs().iter().map(|input| input.name().to_owned()).collect();
        let known = ["input_ids", "attention_mask", "token_type_ids"];
        if let Some(other) = inputs.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(Failure::pack(format!("{}: the graph wants {other}, which is not known", tower.display())));
        }
        Ok(Graph { session, pooling: Pooling::read(tower)?, inputs, dimensions: dimensions as usize })
    }

    /// Lay a batch out as the graph's inputs, int64 `[batch, longest]`, short rows padded and masked.
    fn feeds(&self, batch: &[&Tokens], longest: usize) -> Result<Vec<(String, SessionInputValue<'static>)>, Failure> {
        let mut feeds = Vec::with_capacity(self.inputs.len());
        for name in &self.inputs {
            let mut values = Vec::with_capacity(batch.len() * longest);
            for tokens in batch {
                match name.as_str() {
                    "input_ids" => values.extend(tokens.ids.iter().map(|id| i64::from(*id))),
                    "attention_mask" => values.extend(tokens.ids.iter().map(|_| 1)),
                    _ => values.extend(tokens.types.iter().map(|kind| i64::from(*kind))),
                }
                values.resize(values.len() + longest - tokens.ids.len(), 0i64);
            }
            let tensor = Tensor::from_array(([batch.len(), longest], values)).map_err(Failure::internal)?;
            feeds.push((name.clone(), tensor.into()));
        }
        Ok(feeds)
    }
}

impl Tower for Graph {
    type Input = Tokens;

    fn length(tokens: &Tokens) -> usize {
        tokens.ids.len()
    }

    fn run(&mut self, batch: &[&Tokens]) -> Result<Vec<Embedding>, Failure> {
        let longest = batch.iter().map(|tokens| tokens.ids.len()).max().unwrap_or(0);
        let feeds = self.feeds(batch, longest)?;
        let outputs = self.session.run(feeds).map_err(Failure::internal)?;
        let states = outputs.get("last_hidden_state").or_else(|| outputs.get("token_embeddings"));
        let states = states.ok_or_else(|| Failure::pack("the graph has no output last_hidden_state"))?;
        let (shape, values) = states.try_extract_tensor::<f32>().map_err(Failure::internal)?;
        let width = shape.last().and_then(|width| usize::try_from(*width).ok()).unwrap_or(0);
        if width == 0 || width > self.dimensions || values.len() != batch.len() * longest * width {
            return Err(Failure::pack(format!("the graph's output has the shape {shape:?}")));
        }
        let rows = values.chunks_exact(longest * width).zip(batch);
        rows.map(|(row, tokens)| finish(self.pooling.pool(row, width, tokens.ids.len()), self.dimensions, tokens))
            .collect()
    }
}

/// Normalise to length one and pad with zeros to the pack's space.
fn finish(mut vector: Vec<f32>, dimensions: usize, tokens: &Tokens) -> Result<Embedding, Failure> {
    let norm = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    if !norm.is_finite() || norm == 0.0 {
        return Err(Failure::internal(format!("the model gave a vector of length {norm}")));
    }
    vector.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
    vector.resize(dimensions, 0.0);
    let count = u32::try_from(tokens.ids.len()).unwrap_or(u32::MAX);
    Ok(Embedding { tokens: count, truncated: tokens.truncated, vector })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_lifted_to_unit_length_and_nonsense_is_refused() {
        let tokens = Tokens { ids: vec![101, 102], types: vec![0, 0], truncated: true };
        let lifted = finish(vec![3.0, 4.0], 4, &tokens).expect("it has a length");
        assert_eq!(lifted, Embedding { tokens: 2, truncated: true, vector: vec![0.6, 0.8, 0.0, 0.0] });
        for bad in [vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY, 1.0]] {
            assert!(finish(bad, 4, &tokens).is_err());
        }
    }
}
