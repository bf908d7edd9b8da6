//! `ambuild` and `ambuildempty`: the index of the rows that a table has, and the empty one that an unlogged table's
//! index becomes after a crash.
//!
//! A build takes a sample of the table (`sample`), plans lists with it, puts each row to a list, in several processes
//! (`assign`, `parallel`, `worker`) that sort codes and not floats (`spool`), and writes the lists one after another.

mod assign;
mod load;
mod parallel;
mod progress;
mod sample;
mod shared;
mod spool;
mod worker;

use super::error;
use super::kind::Kind;
use super::options::IndexOptions;
use super::store::Store;
use crate::pg::error::Code;
use assign::Job;
use pgrx::pg_sys;

pub use progress::phase_name;

/// Build.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn build(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    info: *mut pg_sys::IndexInfo,
) -> *mut pg_sys::IndexBuildResult {
    // SAFETY: the server passes an open table, its new index, and that one's description.
    let counts = error::done(unsafe { load::load(Job { table, index, info }) });
    // SAFETY: palloc0 gives room for the result or raises.
    unsafe {
        let result = pg_sys::palloc0(size_of::<pg_sys::IndexBuildResult>()).cast::<pg_sys::IndexBuildResult>();
        *result = pg_sys::IndexBuildResult { heap_tuples: counts.table, index_tuples: counts.index as f64 };
        result
    }
}

/// Build under the name `hnsw`, and say what it is.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn build_hnsw(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    info: *mut pg_sys::IndexInfo,
) -> *mut pg_sys::IndexBuildResult {
    // SAFETY: as in `build`; the index is one of ours.
    error::done(unsafe { IndexOptions::of(index).check() });
    let mut report = pgrx::pg_sys::panic::ErrorReport::new(
        Code::ERRCODE_SUCCESSFUL_COMPLETION,
        "hnsw is served by the inverted-file index",
        "vw",
    );
    report = report.set_detail("Its options m and ef_construction are accepted and make no difference.");
    report.report(pgrx::PgLogLevel::NOTICE);
    // SAFETY: as in `build`.
    unsafe { build(table, index, info) }
}

/// Make the empty index of an unlogged table, in the fork that a crash leaves.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn build_empty(index: pg_sys::Relation) {
    // SAFETY: the server passes an open index.
    let (store, kind) = unsafe { (Store::init_fork(index), Kind::of(index)) };
    error::done(kind.check());
    error::done(vw_ivf::create(&store, &kind.options()));
    store.log_pages();
}
