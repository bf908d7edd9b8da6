//! The packs of a folder and their loaded towers; answers one request at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ort::environment::Environment;
use ort::session::Session;
use vw_protocol::{Embedding, ErrorCode, Modality, Model, Reply, Request};

use crate::Failure;
use crate::pack::Pack;
use crate::text::TextTower;

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
    text: Mutex<Option<Arc<Mutex<TextTower>>>>,
}

impl Engine {
    /// Load the runtime library and read the manifests of the packs in `folder`; `threads` 0 means all cores.
    pub fn open(folder: &Path, library: &Path, threads: usize) -> Result<Engine, Failure> {
        let runtime = ort::init_from(library).map_err(Failure::internal)?;
        let environment = runtime.with_name("vw-engine").build().map_err(Failure::internal)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut packs = BTreeMap::new();
        let entries = std::fs::read_dir(folder).map_err(|e| Failure::internal(format!("{}: {e}", folder.display())))?;
        let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.join("vw-pack.json").is_file());
        for path in folders.collect::<Vec<PathBuf>>() {
            let pack = Pack::open(&path);
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let id = pack.as_ref().map_or(name, |pack| pack.model.id.clone());
            packs.insert(id, Entry { pack, text: Mutex::new(None) });
        }
        Ok(Engine { environment, threads: if threads == 0 { cores } else { threads }, packs })
    }

    /// Answer one request; `alive` tells whether the caller still waits.
    pub fn answer(&self, request: &Request, alive: &dyn Fn() -> bool) -> Reply {
        match request {
            Request::Ping => Reply::Pong,
            Request::Models => Reply::Models(self.models()),
            Request::Embed { modality, model, inputs, .. } => {
                self.embed(*modality, model, inputs, alive).unwrap_or_else(Reply::from)
            }
        }
    }

    /// The models whose packs are whole.
    pub fn models(&self) -> Vec<Model> {
        self.packs.values().filter_map(|entry| Some(entry.pack.as_ref().ok()?.model.clone())).collect()
    }

    fn embed(
        &self,
        modality: Modality,
        model: &str,
        inputs: &[Vec<u8>],
        alive: &dyn Fn() -> bool,
    ) -> Result<Reply, Failure> {
        let (pack, entry) = self.find(model)?;
        let refuse = || {
            let message = format!("model \"{}\" cannot embed {}", pack.model.id, modality.name());
            Failure::new(ErrorCode::UnsupportedModality, message).hint("vw_models() tells what each model embeds.")
        };
        let folder = pack.text.as_deref().filter(|_| modality == Modality::Text).ok_or_else(refuse)?;
        let tower = self.tower(entry, folder, pack.model.dimensions)?;
        let mut tower = tower.lock().map_err(Failure::internal)?;
        let items: Vec<Embedding> = tower.embed(inputs, alive)?;
        Ok(Reply::Embeddings { dimensions: pack.model.dimensions, items })
    }

    /// Give a model's text tower, loaded if need be.
    pub fn text_tower(&self, model: &str) -> Result<Arc<Mutex<TextTower>>, Failure> {
        let (pack, entry) = self.find(model)?;
        let folder = pack.text.as_deref().ok_or_else(|| Failure::pack("the pack has no text tower"))?;
        self.tower(entry, folder, pack.model.dimensions)
    }

    fn find(&self, model: &str) -> Result<(&Pack, &Entry), Failure> {
        let only = || self.packs.keys().next().filter(|_| self.packs.len() == 1).map(String::as_str);
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
        Ok((entry.pack.as_ref().map_err(Clone::clone)?, entry))
    }

    fn tower(&self, entry: &Entry, folder: &Path, dimensions: u32) -> Result<Arc<Mutex<TextTower>>, Failure> {
        let mut slot = entry.text.lock().map_err(Failure::internal)?;
        if let Some(tower) = slot.as_ref() {
            return Ok(Arc::clone(tower));
        }
        let tower = Arc::new(Mutex::new(TextTower::load(folder, dimensions, self.session(folder)?)?));
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
