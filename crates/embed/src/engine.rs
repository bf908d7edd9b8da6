//! The packs of a folder and their loaded towers; answers requests from any number of threads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ort::environment::Environment;
use ort::session::Session;
use vw_protocol::{ErrorCode, MAX_FRAME, Modality, Model, Reply, Request};

use crate::pack::Pack;
use crate::runner::Alive;
use crate::text::TextTower;
use crate::{Failure, lock};

/// The model that an empty name means.
const DEFAULT: &str = "multimodal-embedding-v1";

/// Every pack below one folder, and the runtime.
pub struct Engine {
    environment: Environment,
    threads: usize,
    packs: BTreeMap<String, Entry>,
}

/// A pack, or why it cannot be read; its tower once it was used.
struct Entry {
    pack: Result<Pack, Failure>,
    text: Mutex<Option<Arc<TextTower>>>,
}

impl Engine {
    /// Load the runtime library and read the manifests of the packs in `folder`; `threads` 0 means all cores.
    pub fn open(folder: &Path, library: &Path, threads: usize) -> Result<Engine, Failure> {
        let unreadable = |error| Failure::internal(format!("cannot read the packs of {}: {error}", folder.display()));
        let entries = std::fs::read_dir(folder).map_err(unreadable)?;
        let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        folders.retain(|path| path.join("vw-pack.json").is_file());
        folders.sort();
        Engine::of_packs(&folders, library, threads)
    }

    /// Load the runtime library and read the manifest of each pack.
    pub fn of_packs(folders: &[PathBuf], library: &Path, threads: usize) -> Result<Engine, Failure> {
        // A path that is not absolute would be looked for next to the program and in the system's folders.
        let library = std::path::absolute(library).unwrap_or_else(|_| library.to_owned());
        let no_runtime = |error| Failure::internal(format!("cannot load {}: {error}", library.display()));
        let runtime = ort::init_from(&library).map_err(no_runtime)?;
        let environment = runtime.with_name("vw-engine").build().map_err(Failure::internal)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut packs = BTreeMap::new();
        for path in folders {
            let mut pack = Pack::open(path);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let id = pack.as_ref().map_or(name, |pack| pack.model.id.clone());
            if packs.contains_key(&id) {
                pack = Err(Failure::pack(format!("{}: another pack has the id {id}, too", path.display())));
            }
            packs.insert(id, Entry { pack, text: Mutex::new(None) });
        }
        Ok(Engine { environment, threads: if threads == 0 { cores } else { threads }, packs })
    }

    /// Answer one request; `alive` tells whether the caller still waits.
    pub fn answer(&self, request: &Request, alive: &Alive) -> Reply {
        match request {
            Request::Ping => Reply::Pong,
            Request::Models => Reply::Models(self.models()),
            Request::Stats => Reply::Stats(Vec::new()),
            Request::Embed { modality, bulk, model, inputs } => {
                self.embed(*modality, *bulk, model, inputs, alive).unwrap_or_else(Reply::from)
            }
        }
    }

    /// The models whose packs are whole.
    pub fn models(&self) -> Vec<Model> {
        self.packs.values().filter_map(|entry| Some(entry.pack.as_ref().ok()?.model.clone())).collect()
    }

    /// What is wrong with the packs that are not.
    pub fn broken(&self) -> impl Iterator<Item = &Failure> {
        self.packs.values().filter_map(|entry| entry.pack.as_ref().err())
    }

    fn embed(
        &self,
        modality: Modality,
        bulk: bool,
        model: &str,
        inputs: &[Vec<u8>],
        alive: &Alive,
    ) -> Result<Reply, Failure> {
        let (pack, entry) = self.find(model)?;
        let refuse = || {
            let message = format!("model \"{}\" cannot embed {}", pack.model.id, modality.name());
            Failure::new(ErrorCode::UnsupportedModality, message).hint("vw_models() tells what each model embeds.")
        };
        let folder = pack.text.as_deref().filter(|_| modality == Modality::Text).ok_or_else(refuse)?;
        check_count(inputs.len(), pack.model.dimensions)?;
        let items = self.tower(entry, folder, pack.model.dimensions)?.embed(inputs, bulk, alive)?;
        Ok(Reply::Embeddings { dimensions: pack.model.dimensions, items: items.into_iter().map(Ok).collect() })
    }

    /// Give a model's text tower, loaded if need be.
    pub fn text_tower(&self, model: &str) -> Result<Arc<TextTower>, Failure> {
        let (pack, entry) = self.find(model)?;
        let missing = || Failure::new(ErrorCode::UnsupportedModality, format!("{} has no text tower", pack.model.id));
        self.tower(entry, pack.text.as_deref().ok_or_else(missing)?, pack.model.dimensions)
    }

    fn find(&self, model: &str) -> Result<(&Pack, &Entry), Failure> {
        let only = || self.packs.keys().next().filter(|_| self.packs.len() == 1).map(String::as_str);
        let (model, sha256) = model.split_once('@').map_or((model, None), |(id, sha256)| (id, Some(sha256)));
        let id = match model {
            "" if self.packs.contains_key(DEFAULT) => DEFAULT,
            "" => only().unwrap_or(DEFAULT),
            named => named,
        };
        let known = self.packs.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let unknown = || {
            Failure::new(ErrorCode::UnknownModel, format!("unknown model \"{id}\""))
                .hint(format!("Installed: {known}."))
        };
        let entry = self.packs.get(id).ok_or_else(unknown)?;
        let pack = entry.pack.as_ref().map_err(Clone::clone)?;
        if let Some(asked) = sha256.filter(|asked| *asked != pack.model.sha256) {
            let message = format!("the pack of model \"{id}\" has the hash {}, not {asked}", pack.model.sha256);
            return Err(Failure::new(ErrorCode::ChangedPack, message));
        }
        Ok((pack, entry))
    }

    fn tower(&self, entry: &Entry, folder: &Path, dimensions: u32) -> Result<Arc<TextTower>, Failure> {
        let mut slot = lock(&entry.text);
        if let Some(tower) = slot.as_ref() {
            return Ok(Arc::clone(tower));
        }
        let tower = Arc::new(TextTower::load(folder, dimensions, self.session(folder)?)?);
        *slot = Some(Arc::clone(&tower));
        Ok(tower)
    }

    /// Open a tower's graph: no spinning threads and no memory patterns, since lengths vary.
    fn session(&self, folder: &Path) -> Result<Session, Failure> {
        let places = [folder.join("onnx/model.onnx"), folder.join("model.onnx")];
        let missing = || Failure::pack(format!("{}: no onnx/model.onnx", folder.display()));
        let graph = places.iter().find(|path| path.is_file()).ok_or_else(missing)?;
        let builder = Session::builder(&self.environment).map_err(Failure::internal)?;
        let builder = builder.with_intra_threads(self.threads).map_err(Failure::internal)?;
        let builder = builder.with_intra_op_spinning(false).map_err(Failure::internal)?;
        let mut builder = builder.with_memory_pattern(false).map_err(Failure::internal)?;
        builder.commit_from_file(graph).map_err(|error| Failure::pack(format!("{}: {error}", graph.display())))
    }
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
    use vw_protocol::Embedding;

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
