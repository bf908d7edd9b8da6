//! Which towers are in memory: loaded when they are first asked, and unloaded, the longest idle first, when the graphs
//! together are larger than the memory that they may have.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use ort::environment::Environment;
use ort::ep::CUDA;
use ort::session::Session;
use vw_protocol::TowerStats;

use super::Options;
use crate::pack::{Device, Part};
use crate::tower::{Counters, Crew, SharedSession, Tower};
use crate::{Failure, lock};

/// How long a thread of the runtime looks for the next operator's work before it sleeps, in microseconds.
///
/// The operators of a short text follow each other within so much. Waking a thread takes as long, so that threads which
/// sleep at once make a text of 20 tokens a third slower and use more of the processor, not less. The runtime's own
/// choice, hundreds of times as much, takes the processor away from the server's processes.
const SPIN_MICROS: &str = "50";

/// The runtime and what is loaded into it.
pub struct Shelf {
    environment: Environment,
    threads: usize,
    memory: u64,
    crew: Arc<Crew>,
    clock: AtomicU64,
    /// The sessions that are open; towers of one graph share one. Held while a graph is loaded, so that the memory
    /// is counted by one at a time.
    sessions: Mutex<Sessions>,
}

/// Sessions by their graph and the device that runs it.
type Sessions = HashMap<(PathBuf, Device), Weak<Mutex<Session>>>;

/// The place of one tower.
pub struct Slot {
    pub part: Arc<Part>,
    tower: Mutex<Option<Arc<Tower>>>,
    counters: Arc<Counters>,
    /// When it was last asked for, by the shelf's clock.
    used: AtomicU64,
    /// Whether it is loaded, without waiting for one who loads it.
    loaded: AtomicU64,
}

impl Slot {
    pub fn new(part: Part) -> Slot {
        let (counters, used, loaded) = (Arc::default(), AtomicU64::new(0), AtomicU64::new(0));
        Slot { part: Arc::new(part), tower: Mutex::new(None), counters, used, loaded }
    }

    /// What the tower did.
    pub fn stats(&self, model: &str) -> TowerStats {
        // A tower that is being loaded has nothing waiting, and its lock is held for seconds.
        let tower = self.tower.try_lock().ok().and_then(|slot| slot.clone());
        let waiting = tower.as_ref().map_or(0, |tower| tower.waiting());
        self.counters.stats(model, self.part.modality, self.bytes() > 0, waiting)
    }

    /// Bytes of its graph, or 0 where it is not loaded.
    fn bytes(&self) -> u64 {
        self.loaded.load(Ordering::Relaxed)
    }

    /// Unload the tower unless somebody uses it.
    fn unload(&self) -> bool {
        let Ok(mut slot) = self.tower.try_lock() else { return false };
        if slot.as_ref().is_none_or(|tower| Arc::strong_count(tower) > 1) {
            return false;
        }
        self.loaded.store(0, Ordering::Relaxed);
        slot.take().is_some()
    }
}

impl Shelf {
    /// Load the runtime library.
    pub fn new(library: &Path, options: &Options) -> Result<Shelf, Failure> {
        let environment = environment(library)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if options.threads == 0 { cores } else { options.threads };
        Ok(Shelf {
            environment,
            threads,
            memory: options.memory_bytes,
            crew: Arc::new(Crew::new(Arc::clone(&options.prepare), threads)),
            clock: AtomicU64::new(0),
            sessions: Mutex::default(),
        })
    }

    /// Give a slot's tower, loaded if need be; some of `others` may be unloaded for it.
    pub fn tower<'a>(&self, slot: &Slot, others: impl Iterator<Item = &'a Slot>) -> Result<Arc<Tower>, Failure> {
        slot.used.store(self.clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let mut place = lock(&slot.tower);
        if let Some(tower) = place.as_ref() {
            return Ok(Arc::clone(tower));
        }
        let mut sessions = lock(&self.sessions);
        self.make_room(&slot.part, &others.collect::<Vec<_>>());
        let session = self.session(&slot.part, &mut sessions)?;
        drop(sessions);
        let tower = Arc::new(Tower::load(&slot.part, session, &self.crew, &slot.counters)?);
        slot.loaded.store(slot.part.bytes.max(1), Ordering::Relaxed);
        *place = Some(Arc::clone(&tower));
        Ok(tower)
    }

    /// Unload towers until the graph of `part` fits, or only those in use are left.
    fn make_room(&self, part: &Part, others: &[&Slot]) {
        if self.memory == 0 {
            return;
        }
        let mut loaded: Vec<&&Slot> = others.iter().filter(|slot| slot.bytes() > 0).collect();
        loaded.sort_by_key(|slot| slot.used.load(Ordering::Relaxed));
        let mut candidates = loaded.into_iter();
        while total(others, part) > self.memory {
            let Some(oldest) = candidates.next() else { return };
            oldest.unload();
        }
    }

    /// Open a graph, or give the session that is open already: no memory patterns, since lengths vary.
    ///
    /// Its threads look for more work for [`SPIN_MICROS`] before they sleep, and not at all between runs.
    fn session(&self, part: &Part, sessions: &mut Sessions) -> Result<SharedSession, Failure> {
        let key = (part.graph.clone(), part.device);
        if let Some(session) = sessions.get(&key).and_then(Weak::upgrade) {
            return Ok(session);
        }
        let broken = |error: &dyn std::fmt::Display| Failure::pack(format!("{}: {error}", part.graph.display()));
        let builder = Session::builder(&self.environment).map_err(Failure::internal)?;
        let builder = builder.with_intra_threads(self.threads).map_err(Failure::internal)?;
        let spinning = [("session.intra_op.spin_duration_us", SPIN_MICROS), ("session.force_spinning_stop", "1")];
        let builder = spinning.iter().try_fold(builder, |builder, (key, value)| {
            builder.with_config_entry(key, value).map_err(Failure::internal)
        })?;
        let mut builder = builder.with_memory_pattern(false).map_err(Failure::internal)?;
        if part.device == Device::Cuda {
            // Without TF32, whose products have ten bits: a vector would change by 2e-4, and with its batch.
            let provider = CUDA::default().with_tf32(false).build().error_on_failure();
            builder = builder.with_execution_providers([provider]).map_err(|error| {
                broken(&error).hint("Its device is cuda: ONNX Runtime must be a build for CUDA, with its libraries.")
            })?;
        }
        let session = builder.commit_from_file(&part.graph).map_err(|error| broken(&error))?;
        let session = Arc::new(Mutex::new(session));
        sessions.insert(key, Arc::downgrade(&session));
        Ok(session)
    }
}

/// Load the runtime library, or give the one that is loaded: a process has no more than one.
fn environment(library: &Path) -> Result<Environment, Failure> {
    static LOADED: Mutex<Option<Environment>> = Mutex::new(None);
    let mut loaded = lock(&LOADED);
    if let Some(environment) = loaded.as_ref() {
        return Ok(environment.clone());
    }
    // A path that is not absolute would be looked for next to the program and in the system's folders.
    let library = std::path::absolute(library).unwrap_or_else(|_| library.to_owned());
    let no_runtime = |error| Failure::internal(format!("cannot load {}: {error}", library.display()));
    let runtime = ort::init_from(&library).map_err(no_runtime)?;
    let environment = runtime.with_name("vw-engine").build().map_err(Failure::internal)?;
    *loaded = Some(environment.clone());
    Ok(environment)
}

/// Bytes of the loaded graphs and of one more, each counted once.
fn total(slots: &[&Slot], wanted: &Part) -> u64 {
    let mut graphs: HashMap<&Path, u64> = HashMap::from([(wanted.graph.as_path(), wanted.bytes)]);
    graphs.extend(slots.iter().filter(|slot| slot.bytes() > 0).map(|slot| (slot.part.graph.as_path(), slot.bytes())));
    graphs.values().sum()
}
