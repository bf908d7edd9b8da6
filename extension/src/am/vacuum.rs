//! `ambulkdelete` and `amvacuumcleanup`: dead rows leave the index, and the server learns what is in it.

use super::error;
use super::store::Store;
use crate::pg::error::Result;
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use std::ffi::c_void;
use vw_ivf::{Index, Tid};

/// Take out what the callback calls dead. The callback sees every member, as CREATE INDEX CONCURRENTLY needs it to.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn bulk_delete(
    info: *mut pg_sys::IndexVacuumInfo,
    result: *mut pg_sys::IndexBulkDeleteResult,
    callback: pg_sys::IndexBulkDeleteCallback,
    state: *mut c_void,
) -> *mut pg_sys::IndexBulkDeleteResult {
    let Some(callback) = callback else { return result };
    let mut dead = |tid: Tid| {
        let mut pointer = super::tid::to_server(tid);
        // SAFETY: the callback takes a tuple id and its own state; the closure holds nothing to drop.
        unsafe { pg_guard_ffi_boundary(|| callback(&mut pointer, state)) }
    };
    // SAFETY: the server passes an open index, and the result of an earlier call or null.
    error::done(unsafe { delete(&*info, ensure(result), &mut dead) })
}

/// Delete and count.
///
/// # Safety
/// - `info` names an open index; `result` is ours to write.
unsafe fn delete(
    info: &pg_sys::IndexVacuumInfo,
    result: *mut pg_sys::IndexBulkDeleteResult,
    dead: &mut dyn FnMut(Tid) -> bool,
) -> Result<*mut pg_sys::IndexBulkDeleteResult> {
    // SAFETY: by our contract.
    let (store, counts) = unsafe { (Store::with_strategy(info.index, info.strategy), &mut *result) };
    let index = Index::open(&store)?;
    let deleted = index.delete(dead, &mut pause)?;
    let free = index.estimate()?.free_pages;
    counts.num_pages = deleted.pages;
    counts.num_index_tuples = deleted.kept as f64;
    counts.tuples_removed += deleted.removed as f64;
    counts.pages_newly_deleted += deleted.freed;
    (counts.pages_deleted, counts.pages_free) = (free, free);
    Ok(result)
}

/// Finish a vacuum: where nothing was deleted, count what there is. ANALYZE asks for nothing.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn cleanup(
    info: *mut pg_sys::IndexVacuumInfo,
    result: *mut pg_sys::IndexBulkDeleteResult,
) -> *mut pg_sys::IndexBulkDeleteResult {
    // SAFETY: the server passes an open index, and the result of the deletion or null.
    let info = unsafe { &*info };
    if info.analyze_only {
        return result;
    }
    let result = if result.is_null() {
        // SAFETY: as above.
        error::done(unsafe { count(info) })
    } else {
        result
    };
    // SAFETY: not null by now, and the index is open. What is written here is what searches read next, so it goes where any
    // split goes: the few buffers of a vacuum would have the WAL flushed for each of them.
    let (counts, store) = unsafe { (&mut *result, Store::new(info.index)) };
    error::done(tend(&store));
    if !info.estimated_count {
        counts.num_index_tuples = counts.num_index_tuples.min(info.num_heap_tuples);
    }
    result
}

/// Do what is due, whether anything was dead or not: the server asks for no deletion where few rows are.
fn tend(store: &Store) -> Result<()> {
    Ok(Index::open(store)?.tend(&mut pause)?)
}

/// Count members and pages.
///
/// # Safety
/// - `info` names an open index.
unsafe fn count(info: &pg_sys::IndexVacuumInfo) -> Result<*mut pg_sys::IndexBulkDeleteResult> {
    // SAFETY: by our contract.
    let store = unsafe { Store::with_strategy(info.index, info.strategy) };
    let stats = Index::open(&store)?.stats(&mut pause)?;
    let result = ensure(std::ptr::null_mut());
    // SAFETY: just made.
    let counts = unsafe { &mut *result };
    counts.num_pages = stats.pages;
    counts.num_index_tuples = stats.members as f64;
    (counts.pages_deleted, counts.pages_free) = (stats.free_pages, stats.free_pages);
    Ok(result)
}

/// The result, or a new one.
fn ensure(result: *mut pg_sys::IndexBulkDeleteResult) -> *mut pg_sys::IndexBulkDeleteResult {
    if result.is_null() {
        // SAFETY: zero is a valid value of every field, and palloc0 gives room for them or raises.
        unsafe { pg_sys::palloc0(size_of::<pg_sys::IndexBulkDeleteResult>()).cast() }
    } else {
        result
    }
}

/// Serve interrupts, and sleep as long as vacuum's cost limit asks for.
fn pause() {
    // SAFETY: no page is locked here, by the contract of `Index::delete`.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        pg_sys::vacuum_delay_point();
        #[cfg(feature = "pg18")]
        pg_sys::vacuum_delay_point(false);
    }
}
