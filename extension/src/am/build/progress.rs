//! What a build is at, for `pg_stat_progress_create_index`.

use pgrx::pg_sys;
use std::ffi::{CStr, c_char};

/// The parts of a build, in their order.
#[derive(Clone, Copy)]
pub enum Phase {
    /// What the server itself has set when it calls us.
    Initializing = pg_sys::PROGRESS_CREATEIDX_SUBPHASE_INITIALIZE as isize,
    Sampling,
    Centroids,
    Sorting,
    Writing,
    Measuring,
}

impl Phase {
    /// What users read.
    fn name(self) -> &'static CStr {
        match self {
            Phase::Initializing => c"initializing",
            Phase::Sampling => c"sampling the table",
            Phase::Centroids => c"finding centroids",
            Phase::Sorting => c"sorting codes by list",
            Phase::Writing => c"writing lists",
            Phase::Measuring => c"measuring recall",
        }
    }
}

const PHASES: [Phase; 6] =
    [Phase::Initializing, Phase::Sampling, Phase::Centroids, Phase::Sorting, Phase::Writing, Phase::Measuring];

/// `ambuildphasename`: the name of a phase by its number; null for numbers that are none.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn phase_name(number: i64) -> *mut c_char {
    let phase = PHASES.iter().find(|phase| **phase as i64 == number);
    phase.map_or(std::ptr::null_mut(), |phase| phase.name().as_ptr().cast_mut())
}

/// Begin a phase: nothing of it is done yet.
pub fn begin(phase: Phase) {
    set(pg_sys::PROGRESS_CREATEIDX_SUBPHASE, phase as i64);
    blocks(0, 0);
    tuples(0, 0);
}

/// Report table blocks: how many are read, of how many.
pub fn blocks(done: u32, total: u32) {
    set(pg_sys::PROGRESS_SCAN_BLOCKS_TOTAL, total.into());
    set(pg_sys::PROGRESS_SCAN_BLOCKS_DONE, done.into());
}

/// Report rows: how many are done, of how many.
pub fn tuples(done: u64, total: u64) {
    set(pg_sys::PROGRESS_CREATEIDX_TUPLES_TOTAL, i64::try_from(total).unwrap_or(i64::MAX));
    set(pg_sys::PROGRESS_CREATEIDX_TUPLES_DONE, i64::try_from(done).unwrap_or(i64::MAX));
}

fn set(parameter: u32, value: i64) {
    // SAFETY: the parameter is one of the command's, and the call writes this process's own entry, if there is one.
    unsafe { pg_sys::pgstat_progress_update_param(parameter as i32, value) };
}
