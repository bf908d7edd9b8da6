//! Values that are fetched call by call, with a hint of where the next one is.
//!
//! The table is opened for every value, since a call site may outlive whatever could hold it open. Its lock is kept until
//! the transaction ends from a few values on, as that of a table in a query is; to take it again is then cheap.

use super::chunk::Value;
use super::probe::{key, probe};
use super::trail::Trail;
use super::{Place, Stored, is_allowed, is_plain, server};
use pgrx::pg_sys;
use std::ffi::c_int;
use std::ptr::null_mut;

/// Values of a call site from which the lock is kept.
const MANY: u32 = 8;

/// What a call site remembers of the last value that it fetched. All zeros remember nothing.
pub struct Hint {
    /// The table that it was in.
    table: pg_sys::Oid,
    trail: Trail,
    /// Values that were fetched, and the transaction that has kept the lock.
    count: u32,
    kept: u32,
}

/// Fetch a value into `target`, or tell that the server has to. `transaction` is the number of the current one.
///
/// # Safety
/// - `target` has room for as many bytes as the value has, and is aligned for four-byte numbers.
/// - `stored` is of a value that the caller may see.
/// - No frame between this and the server owns anything that has to be dropped.
pub unsafe fn fetch(stored: &Stored, hint: &mut Hint, transaction: u32, target: *mut pg_sys::varlena) -> bool {
    if !is_allowed() {
        return false;
    }
    // SAFETY: by our contract; the table is open and locked in between.
    unsafe {
        let table = server::table_open(stored.table, server::READ);
        let fetched = is_plain(table) && read(table, stored, hint, target);
        hint.count = hint.count.saturating_add(1);
        let keep = hint.count > MANY && hint.kept != transaction;
        if keep {
            hint.kept = transaction;
        }
        server::table_close(table, if keep { server::KEEP } else { server::READ });
        fetched
    }
}

/// Read a value where the hint says, or by the index.
///
/// # Safety
/// - As for [`fetch`], and the table is open and locked.
unsafe fn read(table: pg_sys::Relation, stored: &Stored, hint: &mut Hint, target: *mut pg_sys::varlena) -> bool {
    if hint.table != stored.table {
        hint.table = stored.table;
        hint.trail = Trail::default();
    }
    // SAFETY: by our contract.
    unsafe { hint.trail.read(table, stored, target, |value| search(table, stored, value)) }
}

/// Read a value by the table's index.
///
/// # Safety
/// - As for [`read`].
unsafe fn search(table: pg_sys::Relation, stored: &Stored, value: &mut Value) -> Option<(pg_sys::BlockNumber, Place)> {
    let (mut indexes, mut count): (*mut pg_sys::Relation, c_int) = (null_mut(), 0);
    // SAFETY: by our contract; the server gives so many indexes and the number of the one that is valid.
    unsafe {
        let valid = server::toast_open_indexes(table, server::READ, &mut indexes, &mut count);
        let scan = server::begin(table, *indexes.add(valid as usize));
        server::index_rescan(scan, &mut key(stored), 1, null_mut(), 0);
        let found = probe(table, scan, value);
        server::index_endscan(scan);
        server::toast_close_indexes(indexes, count, server::READ);
        found
    }
}
