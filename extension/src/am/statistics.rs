//! What scans did: counted in the server's statistics, and kept for whoever explains a statement.

use pgrx::pg_sys;
use std::cell::Cell;
use vw_ivf::Counters;

thread_local! {
    /// What all scans of this session have done that have ended.
    static DONE: Cell<(u64, Counters)> = const { Cell::new((0, Counters { lists: 0, scanned: 0, refined: 0, fetched: 0 })) };
}

/// Add what a scan did.
pub fn note(counters: Counters) {
    let (scans, done) = DONE.get();
    let sum = Counters {
        lists: done.lists.saturating_add(counters.lists),
        scanned: done.scanned.saturating_add(counters.scanned),
        refined: done.refined.saturating_add(counters.refined),
        fetched: done.fetched.saturating_add(counters.fetched),
    };
    DONE.set((scans.saturating_add(1), sum));
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
