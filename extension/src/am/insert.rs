//! `aminsert`: a new row's tuple id goes into the index. NULLs are not indexed.

use super::kind::Kind;
use super::store::{Store, interrupt};
use super::{error, kept, tid};
use crate::pg::error::Result;
use pgrx::pg_sys;
use vw_ivf::Tid;

/// Insert one row. Nothing is unique here, so the answer is always false.
#[pgrx::pg_guard]
#[allow(clippy::too_many_arguments, reason = "the server's signature")]
pub unsafe extern "C-unwind" fn insert(
    index: pg_sys::Relation,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    pointer: pg_sys::ItemPointer,
    _heap: pg_sys::Relation,
    _unique: pg_sys::IndexUniqueCheck::Type,
    _unchanged: bool,
    _info: *mut pg_sys::IndexInfo,
) -> bool {
    // SAFETY: the server passes an open index, a value and a NULL flag for each column, and a tuple id.
    unsafe {
        if !*nulls {
            error::done(add(index, *values, tid::from_server(*pointer)));
        }
    }
    false
}

/// Insert a value.
///
/// # Safety
/// - `index` is open, and `value` is one of its column, not NULL.
unsafe fn add(index: pg_sys::Relation, value: pg_sys::Datum, tid: Tid) -> Result<()> {
    // SAFETY: by our contract.
    let (store, kind) = unsafe { (Store::new(index), Kind::of(index)) };
    let mut vector = Vec::new();
    // SAFETY: by our contract.
    unsafe { kind.vector(value, &mut vector)? };
    Ok(kept::open(&store)?.insert(tid, &vector, &mut interrupt)?)
}
