//! What a tower did since the engine started; kept while its graph is loaded, unloaded and loaded again.

use std::sync::atomic::{AtomicU64, Ordering};

use vw_protocol::{Modality, TowerStats};

/// Sums that only grow.
#[derive(Debug, Default)]
pub struct Counters {
    inputs: AtomicU64,
    failed: AtomicU64,
    batches: AtomicU64,
    tokens: AtomicU64,
    padding: AtomicU64,
    run_micros: AtomicU64,
    wait_micros: AtomicU64,
}

impl Counters {
    /// Count a run of the graph.
    pub fn ran(&self, padding: usize, micros: u64) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.padding.fetch_add(padding as u64, Ordering::Relaxed);
        self.run_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Count an input that came through.
    pub fn embedded(&self, tokens: usize) {
        self.inputs.fetch_add(1, Ordering::Relaxed);
        self.tokens.fetch_add(tokens as u64, Ordering::Relaxed);
    }

    /// Count an input that did not.
    pub fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Count what an input waited for its batch.
    pub fn waited(&self, micros: u64) {
        self.wait_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// The sums as the protocol has them.
    pub fn stats(&self, model: &str, modality: Modality, loaded: bool, waiting: usize) -> TowerStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TowerStats {
            model: model.to_owned(),
            modality,
            loaded,
            waiting: waiting as u64,
            inputs: read(&self.inputs),
            failed: read(&self.failed),
            batches: read(&self.batches),
            tokens: read(&self.tokens),
            padding: read(&self.padding),
            run_micros: read(&self.run_micros),
            wait_micros: read(&self.wait_micros),
        }
    }
}
