//! `ambuild` and `ambuildempty`: the index of the rows that a table has, and the empty one that an unlogged table's
//! index becomes after a crash.

use super::options::IndexOptions;
use super::store::Store;
use super::{error, heap, tid};
use crate::pg::error::{Code, Result};
use pgrx::pg_sys;
use std::ffi::c_void;
use vw_ivf::{Loader, Options};

/// Build.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn build(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    info: *mut pg_sys::IndexInfo,
) -> *mut pg_sys::IndexBuildResult {
    // SAFETY: the server passes an open table, its new index, and that one's description.
    error::done(unsafe { load(table, index, info) })
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
    error::done(unsafe { load(table, index, info) })
}

/// Make the empty index of an unlogged table, in the fork that a crash leaves.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn build_empty(index: pg_sys::Relation) {
    // SAFETY: the server passes an open index.
    let (store, options) = unsafe { (Store::init_fork(index), options(index)) };
    error::done(vw_ivf::create(&store, &options));
    store.log_pages();
}

/// What the meta page keeps of the index's declaration. A column without dimensions takes any.
///
/// # Safety
/// - `index` is an open index of ours.
unsafe fn options(index: pg_sys::Relation) -> Options {
    let (mut kind, mut declared, mut collation) = (pg_sys::InvalidOid, -1, pg_sys::InvalidOid);
    // SAFETY: open by our contract, and every index has a first column; the places are ours.
    let lists = unsafe {
        pg_sys::get_atttypetypmodcoll((*index).rd_id, 1, &mut kind, &mut declared, &mut collation);
        IndexOptions::of(index).lists()
    };
    Options { dimensions: u32::try_from(declared).unwrap_or(0), lists }
}

/// Rows on their way into the index.
struct Loading<'s> {
    loader: Loader<'s, Store>,
    rows: f64,
}

/// Load every row of the table.
///
/// # Safety
/// - As for [`build`].
unsafe fn load(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    info: *mut pg_sys::IndexInfo,
) -> Result<*mut pg_sys::IndexBuildResult> {
    // SAFETY: by our contract.
    let (store, options) = unsafe { (Store::new(index), options(index)) };
    let mut loading = Loading { loader: Loader::new(&store, &options)?, rows: 0.0 };
    let state = (&raw mut loading).cast::<c_void>();
    // SAFETY: by our contract; `add` takes a `Loading`, and we leave it alone until the call is over.
    let heap_tuples = unsafe { heap::each((table, index, info), Some(add), state, std::ptr::null_mut())? };
    loading.loader.finish()?;
    // SAFETY: palloc0 gives room for the result or raises.
    unsafe {
        let result = pg_sys::palloc0(size_of::<pg_sys::IndexBuildResult>()).cast::<pg_sys::IndexBuildResult>();
        *result = pg_sys::IndexBuildResult { heap_tuples, index_tuples: loading.rows };
        Ok(result)
    }
}

/// Take one row from the table's scan.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn add(
    _index: pg_sys::Relation,
    pointer: pg_sys::ItemPointer,
    _values: *mut pg_sys::Datum,
    nulls: *mut bool,
    _alive: bool,
    state: *mut c_void,
) {
    // SAFETY: the scan passes a tuple id, one NULL flag for each column, and the state that `load` gave it.
    let (loading, null, tid) = unsafe { (&mut *state.cast::<Loading>(), *nulls, tid::from_server(*pointer)) };
    if null {
        return;
    }
    pgrx::check_for_interrupts!();
    error::done(loading.loader.push(tid));
    loading.rows += 1.0;
}
