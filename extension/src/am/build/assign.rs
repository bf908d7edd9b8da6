//! The table's rows, each with its code, put to the lists of the plan: what every process of a build does.

use super::spool::Spool;
use crate::am::kind::Kind;
use crate::am::memory::Scratch;
use crate::am::{error, heap, tid};
use crate::pg::error::Result;
use crate::pg::toast::Kept;
use pgrx::pg_sys;
use std::ffi::c_void;
use vw_ivf::Placer;

/// A table, its new index, and how that one is described.
#[derive(Clone, Copy)]
pub struct Job {
    pub table: pg_sys::Relation,
    pub index: pg_sys::Relation,
    pub info: *mut pg_sys::IndexInfo,
}

/// How many rows there were.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    /// In the table.
    pub table: f64,
    /// Put to lists.
    pub index: u64,
}

/// Rows on their way.
struct Assigning<'a> {
    kind: &'a Kind,
    placer: Placer,
    spool: &'a mut Spool,
    toast: Kept,
    scratch: Scratch,
    vector: Vec<f32>,
    row: Vec<u8>,
    rows: u64,
}

/// Put the rows of a scan to lists, or of the whole table where `scan` is null, and sort them.
///
/// # Safety
/// - The relations are open and locked; `info` is the index's.
/// - `scan` is null or a scan of the table that may show the rows of a new index; it is ended here.
pub unsafe fn assign(
    job: Job,
    scan: pg_sys::TableScanDesc,
    (kind, placer): (&Kind, Placer),
    spool: &mut Spool,
    report: bool,
) -> Result<Counts> {
    let (toast, scratch, vector, row) = (Kept::new(), Scratch::new(), Vec::new(), Vec::new());
    let mut assigning = Assigning { kind, placer, spool, toast, scratch, vector, row, rows: 0 };
    let state = (&raw mut assigning).cast::<c_void>();
    // SAFETY: by our contract; `add` takes an `Assigning`, and we leave it alone until the call is over.
    let table = unsafe { heap::all((job.table, job.index, job.info), Some(add), state, scan, report)? };
    let index = assigning.rows;
    spool.sort();
    Ok(Counts { table, index })
}

/// Take one row from the table's scan.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn add(
    _index: pg_sys::Relation,
    pointer: pg_sys::ItemPointer,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    _alive: bool,
    state: *mut c_void,
) {
    // SAFETY: the scan passes a tuple id, a value and a NULL flag for each column, and the state that `assign` gave it.
    let (assigning, null, tid) = unsafe { (&mut *state.cast::<Assigning>(), *nulls, tid::from_server(*pointer)) };
    if null {
        return;
    }
    let Assigning { kind, placer, spool, toast, scratch, vector, row, rows } = assigning;
    // SAFETY: not NULL, so a value of the column's type.
    error::done(scratch.within(|| unsafe { kind.vector_of_many(*values, toast, vector) }));
    scratch.reset();
    row.clear();
    let list = placer.place(vector, row);
    spool.put(list, tid, row);
    *rows += 1;
}
