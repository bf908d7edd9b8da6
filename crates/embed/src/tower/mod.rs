//! Loaded towers: what turns inputs of one modality into vectors. Inputs are tokenised or preprocessed by their
//! caller's thread and a crew, and then wait for the one thread that runs the graph.
//!
//! `tokens`, `words`, `crew` and `input` make inputs ready; `queue`, `batch`, `cost` and `crowd` decide who runs with whom
//! and when, in `runner`, under `watch`; `binding` and `graph` run them; a `job` answers when the last of its inputs was run,
//! and `lift` takes the vectors to the pack's space. What a pack is, `pack` knows.

mod admission;
mod batch;
mod binding;
mod cost;
mod counters;
mod crew;
mod crowd;
mod graph;
mod input;
mod job;
pub mod lift;
mod queue;
mod runner;
mod tokens;
mod usage;
mod watch;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use vw_protocol::Modality;

pub use counters::Counters;
pub use crew::Crew;
pub use graph::SharedSession;
pub use job::Alive;
pub use tokens::Tokens;

use crate::Failure;
use crate::pack::Part;
use admission::Budget;
use graph::Graph;
use input::Input;
use job::Ran;
use runner::Runner;
use tokens::TextTokenizer;
use usage::Usage;

/// Bytes of input that each lane of a tower holds at the most, from the door to the answer.
const LANE_BYTES: usize = 64 << 20;

/// Files of one request that are prepared before they are run; what bounds the memory of their features.
const FILES_AT_A_TIME: usize = 16;

/// A tower that can be asked.
pub struct Tower {
    ready: Ready,
    fixed: Option<usize>,
    runner: Runner<Graph>,
    counters: Arc<Counters>,
    single: Budget,
    bulk: Budget,
}

/// What makes inputs ready.
enum Ready {
    Text(Box<TextTokenizer>),
    Media { modality: Modality, folder: PathBuf, usage: Usage, crew: Arc<Crew> },
}

/// One input's vector as the graph gives it, and what was read of the input.
pub struct Read {
    pub tokens: usize,
    pub truncated: bool,
    pub vector: Vec<f32>,
}

impl Tower {
    /// Load a tower whose graph is in `session`.
    pub fn load(
        part: &Part,
        session: SharedSession,
        crew: &Arc<Crew>,
        counters: &Arc<Counters>,
    ) -> Result<Tower, Failure> {
        let place =
            |error: Failure| Failure { message: format!("{}: {}", part.graph.display(), error.message), ..error };
        let (modality, facts) = (part.modality, &part.facts);
        let mut tokenizer = (modality == Modality::Text).then(|| TextTokenizer::load(part)).transpose()?;
        let pad = tokenizer.as_ref().and_then(|tokenizer| tokenizer.id(facts.pad_token()?)).or(facts.pad_id());
        let longest = tokenizer.as_ref().map_or(0, TextTokenizer::max_tokens);
        let graph = Graph::new(part, session, longest, pad.unwrap_or(0)).map_err(place)?;
        let (fixed, measured) = (graph.fixed(), !graph.alone());
        if let (Some(tokenizer), Some(fixed)) = (&mut tokenizer, fixed) {
            tokenizer.shorten(fixed)?;
        }
        let ready = match tokenizer {
            Some(tokenizer) => Ready::Text(Box::new(tokenizer)),
            None => {
                let (folder, usage) = (part.folder.clone(), Usage::read(modality, facts));
                Ready::Media { modality, folder, usage, crew: Arc::clone(crew) }
            }
        };
        Ok(Tower {
            ready,
            fixed,
            runner: Runner::start(graph, Arc::clone(counters), measured)?,
            counters: Arc::clone(counters),
            single: Budget::new(LANE_BYTES),
            bulk: Budget::new(LANE_BYTES),
        })
    }

    /// Embed inputs and wait for what comes of each, in the order given; `alive` saying no ends the work.
    ///
    /// Each lane has a budget of its own, so that bulk work cannot shut single requests out.
    pub fn embed(&self, inputs: &[Vec<u8>], bulk: bool, alive: &Alive) -> Result<Vec<Result<Read, Failure>>, Failure> {
        let _ticket = self.budget(bulk).admit(inputs.iter().map(Vec::len).sum())?;
        let size = if matches!(self.ready, Ready::Text(_)) { inputs.len().max(1) } else { FILES_AT_A_TIME };
        let mut done = Vec::with_capacity(inputs.len());
        for some in inputs.chunks(size) {
            let ready = self.ready(some, bulk, alive)?;
            let (inputs, known) = self.sort_out(ready);
            done.extend(merge(known, self.runner.embed(inputs, bulk, Alive::clone(alive))?));
        }
        Ok(done)
    }

    /// Embed one input and give `then` what [`Tower::embed`] would return, on the thread that completes it: whoever runs its
    /// batch answers the caller, which saves waking a thread for that.
    pub fn embed_one(
        self: &Arc<Self>,
        input: &[Vec<u8>; 1],
        bulk: bool,
        alive: &Alive,
        then: impl FnOnce(Result<Vec<Result<Read, Failure>>, Failure>) + Send + 'static,
    ) {
        let [file] = input;
        let admitted = self.budget(bulk).admit(file.len());
        let begun = admitted.and_then(|ticket| Ok((ticket, self.ready(input, bulk, alive)?)));
        let (ticket, ready) = match begun {
            Ok(begun) => begun,
            Err(failure) => return then(Err(failure)),
        };
        let (inputs, known) = self.sort_out(ready);
        // A tower in use is not unloaded.
        let held = (ticket, Arc::clone(self));
        let answer = move |ran| {
            then(Ok(merge(known, ran)));
            drop(held);
        };
        self.runner.submit(inputs, bulk, Alive::clone(alive), Box::new(answer));
    }

    /// Give the tokens of one text.
    pub fn tokens(&self, text: &[u8], bulk: bool) -> Result<Tokens, Failure> {
        match &self.ready {
            Ready::Text(tokenizer) => tokenizer.encode(text, bulk),
            Ready::Media { .. } => Err(Failure::internal("only texts have tokens")),
        }
    }

    /// The inputs that wait for their batch.
    pub fn waiting(&self) -> usize {
        self.runner.waiting()
    }

    fn ready(&self, inputs: &[Vec<u8>], bulk: bool, alive: &Alive) -> Result<Vec<Result<Input, Failure>>, Failure> {
        match &self.ready {
            Ready::Text(tokenizer) => {
                let mut ready = Vec::with_capacity(inputs.len());
                for text in inputs {
                    if !alive() {
                        return Err(Failure::internal("the caller hung up"));
                    }
                    ready.push(tokenizer.encode(text, bulk).map(|tokens| Input::text(tokens, self.fixed)));
                }
                Ok(ready)
            }
            Ready::Media { modality, folder, usage, crew } => {
                let prepared = crew.prepare(*modality, folder, inputs, alive).into_iter();
                let input = |features| {
                    let tokens = usage.of(&features);
                    Input::media(features, tokens)
                };
                Ok(prepared.map(|one| one.map(input)).collect())
            }
        }
    }

    fn budget(&self, bulk: bool) -> &Budget {
        if bulk { &self.bulk } else { &self.single }
    }

    /// Part the inputs that are ready from what is known of each, which is all there is of one that is not.
    fn sort_out(&self, ready: Vec<Result<Input, Failure>>) -> (Vec<Input>, Vec<Known>) {
        let mut inputs = Vec::with_capacity(ready.len());
        let mut known = Vec::with_capacity(ready.len());
        for one in ready {
            known.push(one.map(|input| {
                let read = (input.tokens, input.truncated());
                inputs.push(input);
                read
            }));
        }
        let refused = known.iter().filter(|one| one.is_err()).count();
        (0..refused).for_each(|_| self.counters.failed());
        (inputs, known)
    }
}

/// The tokens of an input and whether it was truncated, or why it cannot be run.
type Known = Result<(usize, bool), Failure>;

/// Put what came of the inputs that were run among those that were not.
fn merge(known: Vec<Known>, ran: Vec<Ran>) -> Vec<Result<Read, Failure>> {
    let mut ran = ran.into_iter();
    let mut next = || ran.next().unwrap_or_else(|| Err(Failure::internal("an input has no result")));
    let mut outcome = |(tokens, truncated)| Ok(Read { tokens, truncated, vector: next()? });
    known.into_iter().map(|one| one.and_then(&mut outcome)).collect()
}
