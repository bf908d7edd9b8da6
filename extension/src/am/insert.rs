//! `aminsert`: a new row's tuple id goes into the index. NULLs are not indexed.

use super::store::Store;
use super::{error, tid};
use pgrx::pg_sys;
use vw_ivf::Index;

/// Insert one row. Nothing is unique here, so the answer is always false.
#[pgrx::pg_guard]
#[allow(clippy::too_many_arguments, reason = "the server's signature")]
pub unsafe extern "C-unwind" fn insert(
    index: pg_sys::Relation,
    _values: *mut pg_sys::Datum,
    nulls: *mut bool,
    pointer: pg_sys::ItemPointer,
    _heap: pg_sys::Relation,
    _unique: pg_sys::IndexUniqueCheck::Type,
    _unchanged: bool,
    _info: *mut pg_sys::IndexInfo,
) -> bool {
    // SAFETY: the server passes an open index, one NULL flag for each column, and a tuple id.
    let (store, null, tid) = unsafe { (Store::new(index), *nulls, tid::from_server(*pointer)) };
    if !null {
        error::done(Index::open(&store).and_then(|index| index.insert(tid)));
    }
    false
}
