//! The table below an index: its rows by tuple id, and all of them in turn. What is done with their values is not here.

use super::memory::Scratch;
use super::tid;
use crate::pg::error::{Fault, Result};
use crate::pg::toast::Kept;
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use std::ffi::c_void;
use std::ptr::null_mut;
use vw_ivf::Tid;

/// Reads the indexed column or expression of rows, as far as a snapshot shows them.
pub struct Reader {
    routine: pg_sys::TableAmRoutine,
    fetch: *mut pg_sys::IndexFetchTableData,
    snapshot: pg_sys::Snapshot,
    info: *mut pg_sys::IndexInfo,
    estate: *mut pg_sys::EState,
    slot: *mut pg_sys::TupleTableSlot,
    toast: Kept,
    /// Holds what is above, and goes last.
    scratch: Scratch,
}

impl Reader {
    /// Begin to read.
    ///
    /// # Safety
    /// - The table and its index are open and locked, and the snapshot is registered or active, for as long as the
    ///   reader lives.
    pub unsafe fn new(heap: pg_sys::Relation, index: pg_sys::Relation, snapshot: pg_sys::Snapshot) -> Result<Reader> {
        let scratch = Scratch::new();
        // SAFETY: the table is open; its access method is in place as long as it is.
        let routine = unsafe { *(*heap).rd_tableam };
        let begin = routine.index_fetch_begin.ok_or_else(incomplete)?;
        // SAFETY: the relations are open, by our contract, and everything made here is in our own memory context.
        let (fetch, info, estate, slot) = scratch.within(|| unsafe {
            let info = pg_sys::BuildIndexInfo(index);
            let estate = pg_sys::CreateExecutorState();
            let slot = pg_sys::table_slot_create(heap, null_mut());
            (*context(estate)).ecxt_scantuple = slot;
            (pg_guard_ffi_boundary(|| begin(heap)), info, estate, slot)
        });
        let toast = scratch.within(Kept::new);
        Ok(Reader { routine, fetch, snapshot, info, estate, slot, toast, scratch })
    }

    /// Give the row's value to `use_value`, in a memory context that is reset before the next row; `None` where the
    /// snapshot shows no such row or the value is NULL.
    pub fn read<T>(&mut self, tid: Tid, use_value: impl FnOnce(pg_sys::Datum) -> T) -> Result<Option<T>> {
        let fetch_tuple = self.routine.index_fetch_tuple.ok_or_else(incomplete)?;
        let mut pointer = tid::to_server(tid);
        let (fetch, snapshot, slot) = (self.fetch, self.snapshot, self.slot);
        let (mut again, mut values, mut nulls) = (false, [pg_sys::Datum::from(0); COLUMNS], [true; COLUMNS]);
        // SAFETY: all of this was made by `new`; the two arrays hold as many entries as an index can have columns. The
        // closure holds nothing to drop. The previous row's memory is in use no more.
        unsafe {
            let memory = (*context(self.estate)).ecxt_per_tuple_memory;
            pg_sys::MemoryContextReset(memory);
            let found =
                pg_guard_ffi_boundary(|| fetch_tuple(fetch, &mut pointer, snapshot, slot, &mut again, null_mut()));
            if !found {
                return Ok(None);
            }
            let previous = pg_sys::MemoryContextSwitchTo(memory);
            pg_sys::FormIndexDatum(self.info, slot, self.estate, values.as_mut_ptr(), nulls.as_mut_ptr());
            let [value, ..] = values;
            let [null, ..] = nulls;
            let result = if null { None } else { Some(use_value(self.toast.flat(value))) };
            pg_sys::MemoryContextSwitchTo(previous);
            Ok(result)
        }
    }
}

/// Columns that an index can have.
const COLUMNS: usize = pg_sys::INDEX_MAX_KEYS as usize;

impl Drop for Reader {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // SAFETY: all of this was made by `new`, and is released in the order that unpins pages first.
        unsafe {
            if let Some(end) = self.routine.index_fetch_end {
                let fetch = self.fetch;
                pg_guard_ffi_boundary(|| end(fetch));
            }
            pg_sys::ExecDropSingleTupleTableSlot(self.slot);
            self.scratch.within(|| pg_sys::FreeExecutorState(self.estate));
        }
    }
}

/// The state's one context for expressions.
///
/// # Safety
/// - `estate` is live.
unsafe fn context(estate: *mut pg_sys::EState) -> *mut pg_sys::ExprContext {
    // SAFETY: live by our contract; the server makes the context on the first call.
    unsafe {
        if (*estate).es_per_tuple_exprcontext.is_null() {
            pg_sys::MakePerTupleExprContext(estate)
        } else {
            (*estate).es_per_tuple_exprcontext
        }
    }
}

/// A table, an index of it, and how that one is described.
pub type Described = (pg_sys::Relation, pg_sys::Relation, *mut pg_sys::IndexInfo);

/// Call `callback` with every row that an index of the table holds, and give the number of rows in the table.
///
/// With a `scan` of an MVCC snapshot, those that it shows; without one, those that a new index has to hold. The blocks
/// that are read are reported as progress of CREATE INDEX where `report` says so.
///
/// # Safety
/// - Table and index are open and locked; `info` is the index's own.
/// - `state` is what the callback takes, and nothing else refers to it meanwhile.
/// - `scan` is null or a scan of the table; it is ended here.
pub unsafe fn all(
    (heap, index, info): Described,
    callback: pg_sys::IndexBuildCallback,
    state: *mut c_void,
    scan: pg_sys::TableScanDesc,
    report: bool,
) -> Result<f64> {
    // SAFETY: the table is open; its access method is in place as long as it is.
    let build = unsafe { (*(*heap).rd_tableam).index_build_range_scan }.ok_or_else(incomplete)?;
    let all = pg_sys::InvalidBlockNumber;
    // SAFETY: by our contract; the closure holds nothing to drop.
    Ok(unsafe {
        pg_guard_ffi_boundary(|| build(heap, index, info, true, false, report, 0, all, callback, state, scan))
    })
}

/// Call `callback` with the rows of `count` blocks from `first` on, of those that a new index has to hold.
///
/// # Safety
/// - As for [`all`].
pub unsafe fn blocks(
    (heap, index, info): Described,
    callback: pg_sys::IndexBuildCallback,
    state: *mut c_void,
    (first, count): (u32, u32),
) -> Result<()> {
    // SAFETY: the table is open; its access method is in place as long as it is.
    let build = unsafe { (*(*heap).rd_tableam).index_build_range_scan }.ok_or_else(incomplete)?;
    // SAFETY: by our contract; the closure holds nothing to drop.
    unsafe {
        pg_guard_ffi_boundary(|| {
            build(heap, index, info, false, false, false, first, count, callback, state, null_mut())
        });
    }
    Ok(())
}

/// Begin a scan of the table that [`all`] ends.
///
/// # Safety
/// - The table is open and locked, and the snapshot is registered, until the scan ends.
pub unsafe fn scan(heap: pg_sys::Relation, snapshot: pg_sys::Snapshot) -> Result<pg_sys::TableScanDesc> {
    let kind = pg_sys::ScanOptions::SO_TYPE_SEQSCAN;
    let flags = kind | pg_sys::ScanOptions::SO_ALLOW_STRAT | pg_sys::ScanOptions::SO_ALLOW_PAGEMODE;
    // SAFETY: the table is open; its access method is in place as long as it is.
    let begin = unsafe { (*(*heap).rd_tableam).scan_begin }.ok_or_else(incomplete)?;
    // SAFETY: by our contract; the closure holds nothing to drop.
    Ok(unsafe { pg_guard_ffi_boundary(|| begin(heap, snapshot, 0, null_mut(), null_mut(), flags)) })
}

fn incomplete() -> Fault {
    Fault::internal("the table's access method does not read rows by tuple id")
}
