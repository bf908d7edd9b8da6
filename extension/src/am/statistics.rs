//! What scans did: counted in the server's statistics, and kept for whoever explains a statement.

use pgrx::pg_sys;
use std::cell::Cell;
use vw_ivf::Counters;

/// What scans have done.
#[derive(Clone, Copy, Default)]
pub struct Done {
    pub scans: u64,
    pub counters: Counters,
}

impl Done {
    /// Combine two numbers of each kind.
    fn with(&self, other: &Done, number: impl Fn(u64, u64) -> u64) -> Done {
        let (own, their) = (&self.counters, &other.counters);
        let counters = Counters {
            lists: number(own.lists, their.lists),
            scanned: number(own.scanned, their.scanned),
            refined: number(own.refined, their.refined),
            fetched: number(own.fetched, their.fetched),
        };
        Done { scans: number(self.scans, other.scans), counters }
    }

    /// What was done beyond what was done before.
    pub fn since(&self, before: &Done) -> Done {
        self.with(before, u64::saturating_sub)
    }
}

thread_local! {
    /// What all scans of this session have done that have ended.
    static DONE: Cell<Done> = Cell::new(Done::default());
}

/// Add what a scan did.
pub fn note(counters: Counters) {
    DONE.set(done().with(&Done { scans: 1, counters }, u64::saturating_add));
}

/// What all scans of this session have done that have ended.
pub fn done() -> Done {
    DONE.get()
}

/// Count the scan in the server's statistics.
///
/// # Safety
/// - `scan` is a scan of an open index of ours.
pub unsafe fn count(scan: pg_sys::IndexScanDesc) {
    // SAFETY: the index is open; its statistics are there where the server counts.
    unsafe {
        let index = (*scan).indexRelation;
        #[cfg(not(feature = "pg14"))]
        if (*index).pgstat_info.is_null() && (*index).pgstat_enabled {
            pg_sys::pgstat_assoc_relation(index);
        }
        if let Some(statistics) = (*index).pgstat_info.as_mut() {
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            {
                statistics.t_counts.t_numscans += 1;
            }
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            {
                statistics.counts.numscans += 1;
            }
        }
        #[cfg(feature = "pg18")]
        if let Some(instrument) = (*scan).instrument.as_mut() {
            instrument.nsearches += 1;
        }
    }
}
