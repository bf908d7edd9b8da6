//! A tower's graph: batches are laid out as its inputs, it is run, and one vector for each input is taken out.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};

use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, TensorElementType};
use vw_protocol::Modality;

use super::binding::{Binding, Role, bind};
use super::input::{Body, Input};
use super::runner::Run;
use super::tokens::Tokens;
use super::watch::Stop;
use crate::media::Features;
use crate::pack::pooling::Pooling;
use crate::pack::{Facts, Part, Side};
use crate::{Failure, lock};

/// A session; a graph of two modalities has one, and a tower for each.
pub type SharedSession = Arc<Mutex<Session>>;

/// Padded tokens of a batch of texts, at the most.
const BATCH_TOKENS: usize = 16_384;

/// Bytes of features of a batch, at the most.
const BATCH_BYTES: usize = 64 << 20;

/// The graph of one tower, for its runner's thread.
pub struct Graph {
    session: SharedSession,
    bindings: Vec<Binding>,
    output: String,
    pooling: Option<Pooling>,
    facts: Facts,
    text: bool,
    pad: u32,
    side: Side,
    /// The one length of all texts, where there is one.
    fixed: Option<usize>,
    alone: bool,
    /// Rows that inputs of the other modality are fed with when texts are run: none, where the graph takes that.
    idle: usize,
}

type Feeds = Vec<(String, SessionInputValue<'static>)>;

impl Graph {
    /// Bind a tower to its session; `longest` text in tokens, padded with the token `pad`.
    pub fn new(part: &Part, session: SharedSession, longest: usize, pad: u32) -> Result<Graph, Failure> {
        let bindings = bind(&lock(&session), part.modality)?;
        let text = part.modality == Modality::Text;
        let ids = bindings.iter().find(|binding| binding.role == Role::Ids);
        let fixed = ids.and_then(|ids| ids.fixed(1)).or((text && part.facts.siglip()).then_some(longest));
        let rows = bindings.iter().filter(|binding| binding.role != Role::Idle).find_map(|binding| binding.fixed(0));
        if let Some(rows) = rows.filter(|rows| *rows != 1) {
            return Err(Failure::pack(format!("the graph takes batches of {rows} only; any, or one, is wanted")));
        }
        let mut graph = Graph {
            bindings,
            output: part.output.name.clone(),
            pooling: part.pooling,
            facts: part.facts.clone(),
            text,
            pad,
            side: part.padding,
            fixed,
            alone: part.alone || rows.is_some(),
            idle: 0,
            session,
        };
        graph.try_idle()?;
        Ok(graph)
    }

    /// The one length that all texts have, where there is one.
    pub fn fixed(&self) -> Option<usize> {
        self.fixed
    }

    /// Whether each input is run alone.
    pub fn alone(&self) -> bool {
        self.alone
    }

    /// Find out whether texts can be run without pictures, which would cost more than the texts themselves.
    fn try_idle(&mut self) -> Result<(), Failure> {
        if !self.text || self.bindings.iter().all(|binding| binding.role != Role::Idle) {
            return Ok(());
        }
        let probe = Tokens { ids: vec![self.pad; 2], types: vec![0; 2], truncated: false };
        if self
            .texts(&[&probe], &Stop::default())
            .is_ok_and(|rows| rows.iter().flatten().all(|value| value.is_finite()))
        {
            return Ok(());
        }
        self.idle = 1;
        self.texts(&[&probe], &Stop::default()).map(drop)
    }

    /// Run texts, padded to one length.
    fn texts(&self, batch: &[&Tokens], stop: &Stop) -> Result<Vec<Vec<f32>>, Failure> {
        let longest = self.fixed.or_else(|| batch.iter().map(|tokens| tokens.ids.len()).max()).unwrap_or(0);
        let mut feeds = Feeds::with_capacity(self.bindings.len());
        for binding in &self.bindings {
            let value = match binding.role {
                Role::Idle => binding.idle(self.idle, &self.facts)?,
                role => binding.whole(&[batch.len(), longest], self.lay_out(batch, longest, role))?,
            };
            feeds.push((binding.name.clone(), value));
        }
        let spans = batch.iter().map(|tokens| {
            let start = if self.side == Side::Left { longest.saturating_sub(tokens.ids.len()) } else { 0 };
            (start, tokens.ids.len())
        });
        self.forward(feeds, &spans.collect::<Vec<_>>(), stop)
    }

    /// Lay a batch out row by row, `[batch, longest]`.
    fn lay_out(&self, batch: &[&Tokens], longest: usize, role: Role) -> Vec<i64> {
        let mut values = Vec::with_capacity(batch.len().saturating_mul(longest));
        for tokens in batch {
            let filler = if role == Role::Ids { i64::from(self.pad) } else { 0 };
            let padding = std::iter::repeat_n(filler, longest.saturating_sub(tokens.ids.len()));
            if self.side == Side::Left {
                values.extend(padding.clone());
            }
            match role {
                Role::Ids => values.extend(tokens.ids.iter().map(|id| i64::from(*id))),
                Role::Types => values.extend(tokens.types.iter().map(|kind| i64::from(*kind))),
                Role::Positions => values.extend((0i64..).take(tokens.ids.len())),
                _ => values.extend(tokens.ids.iter().map(|_| 1)),
            }
            if self.side == Side::Right {
                values.extend(padding);
            }
        }
        values
    }

    /// Run pictures or sounds of one shape; each gives the mean over its clips.
    fn media(&self, batch: &[&Features], stop: &Stop) -> Result<Vec<Vec<f32>>, Failure> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let rows: usize = batch.iter().map(|features| features.clips).sum();
        let mut feeds = Feeds::with_capacity(self.bindings.len());
        for binding in &self.bindings {
            let value = match binding.role {
                Role::Features => {
                    let shape = shape(binding, rows, &first.shape)?;
                    let values = batch.iter().flat_map(|features| features.values.iter().copied()).collect::<Vec<_>>();
                    if shape.iter().product::<usize>() != values.len() {
                        return Err(Failure::internal(format!(
                            "{} numbers do not have the shape {shape:?}",
                            values.len()
                        )));
                    }
                    binding.real(&shape, values)?
                }
                Role::Longer => {
                    // `transformers` sets it for one sound at random where none of a batch is longer, so for every
                    // sound that comes alone; exported graphs fail on batches without it.
                    let shape: &[usize] = if binding.shape.len() == 1 { &[rows] } else { &[rows, 1] };
                    binding.whole(shape, vec![1; rows])?
                }
                _ => binding.idle(rows, &self.facts)?,
            };
            feeds.push((binding.name.clone(), value));
        }
        let vectors = self.forward(feeds, &vec![(0, usize::MAX); rows], stop)?;
        let mut vectors = vectors.into_iter();
        batch.iter().map(|features| mean(vectors.by_ref().take(features.clips))).collect()
    }

    /// Run the graph and take a vector out for each row; `spans` are the tokens of a row that are not padding, as
    /// first and count.
    fn forward(&self, feeds: Feeds, spans: &[(usize, usize)], stop: &Stop) -> Result<Vec<Vec<f32>>, Failure> {
        let mut session = lock(&self.session);
        let options = stop.options()?;
        let outputs = session.run_with_options(feeds, &options).map_err(Failure::internal)?;
        let missing = || Failure::pack(format!("the graph has no output {}", self.output));
        let (shape, values) = numbers(outputs.get(&self.output).ok_or_else(missing)?)?;
        let odd = || Failure::pack(format!("the graph's output {} has the shape {shape:?}", self.output));
        let pooled = |row: &[f32], width: usize, (start, count): (usize, usize)| match self.pooling {
            Some(pooling) => Ok(pooling.pool(row, width, start, count.min(row.len() / width))),
            None => Err(odd().hint("It has one vector per token; say pooling in vw-pack.json.")),
        };
        match *shape.as_slice() {
            [rows, width] if rows == spans.len() && width > 0 => {
                Ok(values.chunks_exact(width).map(<[f32]>::to_vec).collect())
            }
            [rows, length, width] if rows == spans.len() && length > 0 && width > 0 => {
                let rows = values.chunks_exact(length.saturating_mul(width)).zip(spans);
                rows.map(|(row, span)| pooled(row, width, *span)).collect()
            }
            _ => Err(odd()),
        }
    }
}

impl Run for Graph {
    type Input = Input;

    fn length(input: &Input) -> usize {
        input.length
    }

    fn tokens(input: &Input) -> usize {
        input.tokens
    }

    fn most(&self, length: usize) -> usize {
        match (self.alone, self.text) {
            (true, _) => 1,
            (false, true) => BATCH_TOKENS / length.max(1),
            (false, false) => BATCH_BYTES / length.saturating_mul(4).max(1),
        }
    }

    fn run(&mut self, batch: &[&Input], stop: &Stop) -> Result<Vec<Vec<f32>>, Failure> {
        let texts: Vec<&Tokens> = batch.iter().filter_map(|input| input.text_body()).collect();
        if texts.len() == batch.len() {
            return self.texts(&texts, stop);
        }
        let media: Vec<&Features> = batch.iter().filter_map(|input| input.media_body()).collect();
        let groups = media.chunk_by(|one, next| one.shape == next.shape);
        let vectors = groups.map(|group| self.media(group, stop)).collect::<Result<Vec<_>, _>>()?;
        Ok(vectors.into_iter().flatten().collect())
    }
}

impl Input {
    fn text_body(&self) -> Option<&Tokens> {
        if let Body::Text(tokens) = &self.body { Some(tokens) } else { None }
    }

    fn media_body(&self) -> Option<&Features> {
        if let Body::Media(features) = &self.body { Some(features) } else { None }
    }
}

/// The shape of a batch: as the features have it, but for an axis of one that one side has and the other has not.
fn shape(binding: &Binding, rows: usize, clip: &[usize]) -> Result<Vec<usize>, Failure> {
    let wanted = binding.shape.len().saturating_sub(1);
    let clip = match clip {
        [1, rest @ ..] if rest.len() == wanted => rest.to_vec(),
        clip if clip.len() + 1 == wanted => [&[1], clip].concat(),
        clip => clip.to_vec(),
    };
    let fits = |(axis, extent): (usize, &usize)| binding.fixed(axis + 1).is_none_or(|fixed| fixed == *extent);
    if clip.len() != wanted || !clip.iter().enumerate().all(fits) {
        let message =
            format!("preprocessing gives {clip:?}; the graph's input {} is {:?}", binding.name, binding.shape);
        return Err(Failure::pack(message).hint("Do preprocessor_config.json and the graph belong together?"));
    }
    Ok([&[rows], clip.as_slice()].concat())
}

/// The mean of an input's clips.
fn mean(rows: impl Iterator<Item = Vec<f32>>) -> Result<Vec<f32>, Failure> {
    let mut count = 0;
    let sum = rows.inspect(|_| count += 1).reduce(|mut sum, row| {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        sum
    });
    let sum = sum.ok_or_else(|| Failure::internal("an input has no clips"))?;
    Ok(sum.into_iter().map(|value| value / count as f32).collect())
}

/// The extents and numbers of an output, as float32.
fn numbers(value: &DynValue) -> Result<(Vec<usize>, Cow<'_, [f32]>), Failure> {
    let extents = |shape: &[i64]| shape.iter().map(|extent| usize::try_from(*extent).unwrap_or(0)).collect();
    if value.dtype().tensor_type() == Some(TensorElementType::Float16) {
        let (shape, values) = value.try_extract_tensor::<half::f16>().map_err(Failure::internal)?;
        return Ok((extents(shape), values.iter().map(|value| value.to_f32()).collect()));
    }
    let (shape, values) = value.try_extract_tensor::<f32>().map_err(Failure::internal)?;
    Ok((extents(shape), Cow::Borrowed(values)))
}
