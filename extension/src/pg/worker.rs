//! What background workers need beyond pgrx's own builder. What a worker does is in `engine`.

use pgrx::pg_sys;

/// Read the configuration files again, in a worker that got SIGHUP.
pub fn reload_settings() {
    // SAFETY: called from a background worker's main loop, outside any transaction.
    unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
}

/// The supervisor's entry point, by the name it is registered under.
///
/// Status 1 asks the postmaster to start the worker again (the builder's restart time), 0 to forget it.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub extern "C-unwind" fn vw_supervisor_main(_argument: pg_sys::Datum) {
    let status = crate::engine::supervisor::run();
    // SAFETY: runs in a background worker, whose exit hooks expect exactly this.
    unsafe { pg_sys::proc_exit(status) }
}
