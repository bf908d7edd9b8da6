//! The packs of a folder and their towers; answers requests from any number of threads.

mod name;
mod shelf;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vw_protocol::{Embedding, ErrorCode, MAX_FRAME, Modality, Model, Outcome, Reply, Request, TowerStats};

use crate::Failure;
use crate::media::{Inline, Prepare};
use crate::pack::{Pack, Part};
use crate::tower::{Alive, Read, Tokens, lift};
use name::Name;
use shelf::{Shelf, Slot};

/// The model that an empty name means.
const DEFAULT: &str = "multimodal-embedding-v1";

/// How an engine works.
#[derive(Clone)]
pub struct Options {
    /// Threads of each graph, and files that are prepared at a time; 0 means all cores.
    pub threads: usize,
    /// Bytes of graphs that are kept loaded, by the size of their files; the graph in use may be larger. 0 means that
    /// none is unloaded.
    pub memory_bytes: u64,
    /// Who decodes files.
    pub prepare: Arc<dyn Prepare>,
}

impl Default for Options {
    fn default() -> Self {
        Options { threads: 0, memory_bytes: 0, prepare: Arc::new(Inline) }
    }
}

/// Every pack below one folder, and the runtime.
pub struct Engine {
    shelf: Shelf,
    packs: BTreeMap<String, Result<Entry, Failure>>,
}

/// A pack, and its towers in the pack's order.
struct Entry {
    model: Model,
    slots: Vec<Slot>,
}

impl Engine {
    /// Load the runtime library and read the packs in `folder`.
    pub fn open(folder: &Path, library: &Path, options: Options) -> Result<Engine, Failure> {
        let unreadable = |error| Failure::internal(format!("cannot read the packs of {}: {error}", folder.display()));
        let entries = std::fs::read_dir(folder).map_err(unreadable)?;
        let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        folders.retain(|path| Pack::is_at(path));
        folders.sort();
        Engine::of_packs(&folders, library, options)
    }

    /// Load the runtime library and read each pack.
    pub fn of_packs(folders: &[PathBuf], library: &Path, options: Options) -> Result<Engine, Failure> {
        let shelf = Shelf::new(library, &options)?;
        let mut packs = BTreeMap::new();
        for path in folders {
            let pack = Pack::open(path);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let id = pack.as_ref().map_or(name, |pack| pack.model.id.clone());
            let entry =
                pack.map(|pack| Entry { model: pack.model, slots: pack.parts.into_iter().map(Slot::new).collect() });
            let entry = match packs.contains_key(&id) {
                true => Err(Failure::pack(format!("{}: another pack has the id {id}, too", path.display()))),
                false => entry,
            };
            packs.insert(id, entry);
        }
        Ok(Engine { shelf, packs })
    }

    /// Answer one request; `alive` tells whether the caller still waits. `then` is given the reply, on this thread or
    /// later on the one that completes it, and is dropped uncalled where the caller hung up.
    pub fn answer(&self, request: &Request, alive: &Alive, then: impl FnOnce(Reply) + Send + 'static) {
        match request {
            Request::Ping => then(Reply::Pong),
            Request::Models => then(Reply::Models(self.models())),
            Request::Stats => then(Reply::Stats(self.stats())),
            Request::Embed { modality, bulk, model, inputs } => {
                let reply = |embedded: Result<(u32, Vec<Outcome>), Failure>| {
                    embedded.map_or_else(Reply::from, |(dimensions, items)| Reply::Embeddings { dimensions, items })
                };
                match inputs.as_array() {
                    Some(input) => {
                        self.embed_one(*modality, *bulk, model, input, alive, move |one| then(reply(one)));
                    }
                    None => then(reply(self.embed(*modality, *bulk, model, inputs, alive))),
                }
            }
        }
    }

    /// The models whose packs are whole.
    pub fn models(&self) -> Vec<Model> {
        self.packs.values().flatten().map(|entry| entry.model.clone()).collect()
    }

    /// What is wrong with the packs that are not.
    pub fn broken(&self) -> impl Iterator<Item = &Failure> {
        self.packs.values().filter_map(|entry| entry.as_ref().err())
    }

    /// What every tower did since the start.
    pub fn stats(&self) -> Vec<TowerStats> {
        let entries = self.packs.values().flatten();
        entries.flat_map(|entry| entry.slots.iter().map(|slot| slot.stats(&entry.model.id))).collect()
    }

    /// Embed inputs of one modality; gives the dimensions and what came of each input, in the order given.
    ///
    /// A single request is a query, and bulk work is documents: where a model wants a prompt before each, it gets its
    /// own. An error is the request's: an unknown model, a tower that cannot be loaded, or a caller that hung up.
    pub fn embed(
        &self,
        modality: Modality,
        bulk: bool,
        model: &str,
        inputs: &[Vec<u8>],
        alive: &Alive,
    ) -> Result<(u32, Vec<Outcome>), Failure> {
        let (dimensions, slots) = self.slots_for(modality, model)?;
        check_count(inputs.len(), dimensions)?;
        let mut sums: Vec<Result<Embedding, Failure>> = inputs.iter().map(|_| Ok(empty(dimensions))).collect();
        for slot in slots {
            let reads = self.shelf.tower(slot, self.slots())?.embed(inputs, bulk, alive)?;
            for (sum, read) in sums.iter_mut().zip(reads) {
                let whole = std::mem::replace(sum, Ok(empty(0)));
                *sum = whole.and_then(|whole| gather(whole, read?, &slot.part));
            }
        }
        Ok((dimensions, sums.into_iter().map(finish).collect()))
    }

    /// Embed one input; `then` is given what [`Engine::embed`] would return.
    fn embed_one(
        &self,
        modality: Modality,
        bulk: bool,
        model: &str,
        input: &[Vec<u8>; 1],
        alive: &Alive,
        then: impl FnOnce(Result<(u32, Vec<Outcome>), Failure>) + Send + 'static,
    ) {
        let lone = self.slots_for(modality, model).and_then(|(dimensions, slots)| {
            check_count(1, dimensions)?;
            let [slot] = *slots else { return Ok(None) };
            Ok(Some((dimensions, slot, self.shelf.tower(slot, self.slots())?)))
        });
        let (dimensions, slot, tower) = match lone {
            Ok(Some(lone)) => lone,
            Ok(None) => return then(self.embed(modality, bulk, model, input, alive)),
            Err(failure) => return then(Err(failure)),
        };
        let part = Arc::clone(&slot.part);
        tower.embed_one(input, bulk, alive, move |reads| {
            let whole = |read: Result<Read, Failure>| finish(gather(empty(dimensions), read?, &part));
            then(reads.map(|reads| (dimensions, reads.into_iter().map(whole).collect())));
        });
    }

    /// Give the tokens that a model reads of a text, as a query or, with `bulk`, as a document.
    pub fn tokens(&self, model: &str, text: &[u8], bulk: bool) -> Result<Tokens, Failure> {
        let entry = self.find(model)?;
        let missing = || Failure::new(ErrorCode::UnsupportedModality, format!("{} has no text tower", entry.model.id));
        let slot = entry.of(Modality::Text).next().ok_or_else(missing)?;
        self.shelf.tower(slot, self.slots())?.tokens(text, bulk)
    }

    /// Find a model by its id, or by its id and the beginning of its hash.
    fn find(&self, model: &str) -> Result<&Entry, Failure> {
        let name = Name::parse(model)?;
        let only = || self.packs.keys().next().filter(|_| self.packs.len() == 1).map(String::as_str);
        let id = match name.id {
            "" if self.packs.contains_key(DEFAULT) => DEFAULT,
            "" => only().unwrap_or(DEFAULT),
            named => named,
        };
        let known = self.packs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let unknown = || {
            Failure::new(ErrorCode::UnknownModel, format!("unknown model \"{id}\""))
                .hint(format!("Installed: {known}."))
        };
        let entry = self.packs.get(id).ok_or_else(unknown)?.as_ref().map_err(Clone::clone)?;
        name.check(&entry.model)?;
        Ok(entry)
    }

    /// The dimensions of a model and the towers that embed `modality`, at least one.
    fn slots_for(&self, modality: Modality, model: &str) -> Result<(u32, Vec<&Slot>), Failure> {
        let entry = self.find(model)?;
        let slots: Vec<&Slot> = entry.of(modality).collect();
        if slots.is_empty() {
            let message = format!("model \"{}\" cannot embed {}", entry.model.id, modality.name());
            let refused = Failure::new(ErrorCode::UnsupportedModality, message);
            return Err(refused.hint("vw_models() tells what each model embeds."));
        }
        Ok((entry.model.dimensions, slots))
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.packs.values().flatten().flat_map(|entry| &entry.slots)
    }
}

impl Entry {
    fn of(&self, modality: Modality) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.part.modality == modality)
    }
}

/// A vector that no tower has added to yet.
fn empty(dimensions: u32) -> Embedding {
    Embedding { tokens: 0, truncated: false, vector: vec![0.0; dimensions as usize] }
}

/// Scale to length one what the towers gave together.
fn finish(sum: Result<Embedding, Failure>) -> Outcome {
    let scaled = sum.and_then(|mut whole| lift::unit(&mut whole.vector).map(|()| whole));
    scaled.map_err(Failure::into)
}

/// Put what a tower read into its place among what the others did.
fn gather(mut whole: Embedding, read: Read, part: &Part) -> Result<Embedding, Failure> {
    lift::add(read.vector, &part.lift(), &mut whole.vector)?;
    whole.tokens = whole.tokens.saturating_add(u32::try_from(read.tokens).unwrap_or(u32::MAX));
    whole.truncated |= read.truncated;
    Ok(whole)
}

/// Refuse requests whose reply would not fit a frame, before any work is done.
fn check_count(inputs: usize, dimensions: u32) -> Result<(), Failure> {
    let room = MAX_FRAME - 64;
    let most = room / (dimensions as usize).saturating_mul(4).saturating_add(6);
    if inputs > most {
        let message = format!("{inputs} inputs in one request; the reply has room for {most}");
        return Err(Failure::new(ErrorCode::BadInput, message).hint("Split the request."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_let_in_has_a_reply_that_fits() {
        let size = |count: usize| {
            let item = Embedding { tokens: 1, truncated: false, vector: vec![0.0; 1024] };
            Reply::Embeddings { dimensions: 1024, items: vec![Ok(item); count] }.encode().len() - 4
        };
        let most = (0..20_000).rfind(|count| check_count(*count, 1024).is_ok()).expect("some count is allowed");
        assert!(size(most) <= MAX_FRAME && size(most + 1) > MAX_FRAME, "{most} inputs are the most");
        assert!(check_count(0, u32::MAX).is_ok() && check_count(1, u32::MAX).is_err());
    }
}
