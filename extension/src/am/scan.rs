//! `ambeginscan` to `amendscan`: rows in the order of their distance, as many as the executor asks for.
//!
//! The search is vw-ivf's. It asks for the distances of the few rows whose turn may come; they are read here, under the
//! scan's snapshot.

use super::distance::Distance;
use super::heap::Reader;
use super::kind::Kind;
use super::memory::{self, Scratch};
use super::store::Store;
use super::{error, kept, options, statistics, tid};
use crate::pg::error::{Code, Fault, Result};
use pgrx::pg_sys;
use std::mem::ManuallyDrop;
use std::ptr::null_mut;
use vw_ivf::{Found, Search};

/// A scan under way.
struct State {
    /// The index's pages; they live as long as the scan does.
    store: *const Store,
    /// Where the scan was begun, which is where everything lives that a search needs.
    context: pg_sys::MemoryContext,
    /// `None` before the first row was asked for.
    running: Option<Running>,
}

/// A search, and what reads rows for it.
struct Running {
    search: Search<'static, Store>,
    distance: Distance,
    /// Holds pins and slots. It is let go of where the scan ends; where the transaction does, the server has them back
    /// already, and nothing may be done about them.
    reader: ManuallyDrop<Reader>,
    scratch: ManuallyDrop<Scratch>,
}

impl State {
    /// End the search.
    fn finish(&mut self) {
        if let Some(running) = self.running.take() {
            statistics::note(running.search.counters());
            drop(ManuallyDrop::into_inner(running.reader));
            drop(ManuallyDrop::into_inner(running.scratch));
        }
    }
}

/// Begin a scan.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin(index: pg_sys::Relation, keys: i32, orderings: i32) -> pg_sys::IndexScanDesc {
    // SAFETY: the server passes an open index that stays open while the scan lives. Store and state live as long as the
    // scan does, or longer, and the state goes first.
    unsafe {
        let scan = pg_sys::RelationGetIndexScan(index, keys, orderings);
        let store = memory::keep(Store::new(index));
        let state = State { store, context: pg_sys::CurrentMemoryContext, running: None };
        (*scan).opaque = memory::keep(state).cast();
        scan
    }
}

/// Begin anew, maybe with another query.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn rescan(
    scan: pg_sys::IndexScanDesc,
    keys: pg_sys::ScanKey,
    key_count: i32,
    orderings: pg_sys::ScanKey,
    ordering_count: i32,
) {
    // SAFETY: the server passes a scan of ours, and as many keys as it was begun with; they may be the scan's own.
    unsafe {
        state(scan).finish();
        if !keys.is_null() && key_count > 0 {
            std::ptr::copy(keys, (*scan).keyData, key_count as usize);
        }
        if !orderings.is_null() && ordering_count > 0 {
            std::ptr::copy(orderings, (*scan).orderByData, ordering_count as usize);
        }
    }
}

/// Give the next row's tuple id; false after the last.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn next(scan: pg_sys::IndexScanDesc, direction: pg_sys::ScanDirection::Type) -> bool {
    // SAFETY: the server passes a scan of ours, and nobody else uses its state meanwhile.
    unsafe {
        let state = state(scan);
        let running = match &mut state.running {
            Some(running) => running,
            none => none.insert(error::done(start(scan, state.store, state.context, direction))),
        };
        let Some(found) = error::done(running.next()) else { return false };
        (*scan).xs_heaptid = tid::to_server(found.tid);
        (*scan).xs_recheck = false;
        (*scan).xs_recheckorderby = false;
        true
    }
}

impl Running {
    /// Find the next row.
    fn next(&mut self) -> Result<Option<Found>> {
        let Running { search, distance, reader, .. } = self;
        search.next(&mut |tid| {
            pgrx::check_for_interrupts!();
            reader.read(tid, |value| distance.measure(value))
        })
    }
}

/// End the scan, and give back what it holds.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn end(scan: pg_sys::IndexScanDesc) {
    // SAFETY: the server passes a scan of ours. What is left of the state goes with its memory context.
    unsafe {
        state(scan).finish();
        (*scan).opaque = null_mut();
    }
}

/// The state that `begin` made.
///
/// # Safety
/// - `scan` is a scan of ours that has not ended, and nobody else refers to its state.
unsafe fn state<'a>(scan: pg_sys::IndexScanDesc) -> &'a mut State {
    // SAFETY: by our contract.
    unsafe { &mut *(*scan).opaque.cast::<State>() }
}

/// Check that the scan is one that the index can do, and begin to search.
///
/// # Safety
/// - As for [`state`]; the scan has its table and its snapshot; store and context are its own.
unsafe fn start(
    scan: pg_sys::IndexScanDesc,
    store: *const Store,
    context: pg_sys::MemoryContext,
    direction: pg_sys::ScanDirection::Type,
) -> Result<Running> {
    let refuse = |message| Err(Fault::new(Code::ERRCODE_FEATURE_NOT_SUPPORTED, message));
    // SAFETY: by our contract; a scan that has a snapshot has a live one.
    unsafe {
        let snapshot = (*scan).xs_snapshot.as_ref().map(|snapshot| snapshot.snapshot_type);
        let mvcc = [pg_sys::SnapshotType::SNAPSHOT_MVCC, pg_sys::SnapshotType::SNAPSHOT_HISTORIC_MVCC];
        if (*scan).numberOfOrderBys != 1 || (*scan).numberOfKeys != 0 {
            return refuse("an inverted file is scanned in the order of one distance");
        }
        if direction != pg_sys::ScanDirection::ForwardScanDirection {
            return refuse("an inverted file is scanned forward only");
        }
        if (*scan).heapRelation.is_null() || !snapshot.is_some_and(|kind| mvcc.contains(&kind)) {
            return refuse("an inverted file is scanned under an MVCC snapshot only");
        }
        statistics::count(scan);
        let previous = pg_sys::MemoryContextSwitchTo(context);
        let running = search(scan, store);
        pg_sys::MemoryContextSwitchTo(previous);
        running
    }
}

/// Begin to search, in the memory context of the scan.
///
/// # Safety
/// - As for [`start`].
unsafe fn search(scan: pg_sys::IndexScanDesc, store: *const Store) -> Result<Running> {
    let scratch = Scratch::new();
    // SAFETY: by our contract. The store outlives the search, whatever the search's type says of it.
    unsafe {
        let index = (*scan).indexRelation;
        let distance = scratch.within(|| Distance::of(scan));
        let mut vector = Vec::new();
        // A query that is NULL is as far from every row: all come, in the order of the table.
        if let Some(query) = distance.query() {
            Kind::of(index).vector(query, &mut vector)?;
        }
        let effort = options::effort(index);
        let search = kept::open(&*store)?.search(&vector, &effort)?;
        let reader = ManuallyDrop::new(Reader::new((*scan).heapRelation, index, (*scan).xs_snapshot)?);
        Ok(Running { search, distance, reader, scratch: ManuallyDrop::new(scratch) })
    }
}
