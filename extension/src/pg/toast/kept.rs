//! Values that are fetched while one scan or build goes on, which holds their table and its index open.

use super::chunk::Value;
use super::probe::{key, probe};
use super::trail::Trail;
use super::{POINTER, Stored, is_allowed, is_plain, is_stored, server};
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use std::ffi::c_int;
use std::ptr::null_mut;

/// A TOAST table that is open, once a value of it was asked for. It has to be dropped under the resource owner that was
/// current then; after an ERROR the server closes everything itself.
pub struct Kept {
    /// Where its parts live, as long as it does.
    context: pg_sys::MemoryContext,
    open: Option<Open>,
}

/// The table, its indexes, and a scan of the one that is valid.
#[derive(Clone, Copy)]
struct Open {
    table: pg_sys::Relation,
    indexes: *mut pg_sys::Relation,
    count: c_int,
    scan: pg_sys::IndexScanDesc,
    trail: Trail,
}

impl Kept {
    /// Begin with nothing, in the current memory context.
    pub fn new() -> Kept {
        // SAFETY: reads a variable of this process.
        Kept { context: unsafe { pg_sys::CurrentMemoryContext }, open: None }
    }

    /// A value as it is used: read from its table into the current memory context, where it lies there as it is, or as it
    /// was passed.
    ///
    /// # Safety
    /// - `value` is of a variable-length type and not NULL; our memory context is live.
    pub unsafe fn flat(&mut self, value: pg_sys::Datum) -> pg_sys::Datum {
        let pointer: *const pg_sys::varlena = value.cast_mut_ptr();
        // SAFETY: by our contract; a pointer into a TOAST table is so long.
        let stored = unsafe {
            if !is_stored(pointer) {
                return value;
            }
            Stored::new(&pointer.cast::<[u8; POINTER]>().read())
        };
        let Some(stored) = stored.filter(|_| is_allowed()) else { return value };
        let (context, open) = (self.context, self.open.take());
        // SAFETY: by our contract; what runs within owns nothing that has to be dropped.
        let (open, fetched) = unsafe { pg_guard_ffi_boundary(|| fetch(open, context, &stored)) };
        self.open = open;
        fetched.unwrap_or(value)
    }
}

/// Open the value's table, if it is not the one that is open, and read the value.
///
/// # Safety
/// - As for [`Kept::flat`]; no frame between this and the server owns anything that has to be dropped.
unsafe fn fetch(
    open: Option<Open>,
    context: pg_sys::MemoryContext,
    stored: &Stored,
) -> (Option<Open>, Option<pg_sys::Datum>) {
    // SAFETY: by our contract.
    unsafe {
        let mut open = match open {
            Some(open) if (*open.table).rd_id == stored.table => open,
            other => {
                if let Some(other) = other {
                    close(other);
                }
                let previous = pg_sys::MemoryContextSwitchTo(context);
                let open = begin(stored);
                pg_sys::MemoryContextSwitchTo(previous);
                open
            }
        };
        let found = is_plain(open.table).then(|| read(&mut open, stored)).flatten();
        (Some(open), found)
    }
}

/// Open a value's table, in the current memory context.
///
/// # Safety
/// - As for [`fetch`].
unsafe fn begin(stored: &Stored) -> Open {
    let (mut indexes, mut count): (*mut pg_sys::Relation, c_int) = (null_mut(), 0);
    // SAFETY: by our contract; the server gives so many indexes and the number of the one that is valid.
    unsafe {
        let table = server::table_open(stored.table, server::READ);
        let valid = server::toast_open_indexes(table, server::READ, &mut indexes, &mut count);
        let scan = server::begin(table, *indexes.add(valid as usize));
        Open { table, indexes, count, scan, trail: Trail::default() }
    }
}

/// Close the table. Its locks stay until the transaction ends, as those of a table in a query do.
///
/// # Safety
/// - Nobody uses what is closed any more; no frame between this and the server owns anything that has to be dropped.
unsafe fn close(open: Open) {
    // SAFETY: opened by `begin`.
    unsafe {
        server::index_endscan(open.scan);
        server::toast_close_indexes(open.indexes, open.count, server::KEEP);
        server::table_close(open.table, server::KEEP);
    }
}

/// Read a value behind the last one, or by the index.
///
/// # Safety
/// - As for [`fetch`].
unsafe fn read(open: &mut Open, stored: &Stored) -> Option<pg_sys::Datum> {
    // SAFETY: by our contract; palloc gives as many bytes as the value has, or raises. After the search the scan has
    // no page of the index pinned, for which a vacuum would have to wait.
    unsafe {
        let target = server::palloc(stored.size).cast::<pg_sys::varlena>();
        let (table, scan) = (open.table, open.scan);
        let search = |value: &mut Value| {
            server::index_rescan(scan, &mut key(stored), 1, null_mut(), 0);
            let found = probe(table, scan, value);
            server::index_rescan(scan, null_mut(), 1, null_mut(), 0);
            found
        };
        open.trail.read(table, stored, target, search).then(|| pg_sys::Datum::from(target))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(open) = self.open.take().filter(|_| !std::thread::panicking()) {
            // SAFETY: nobody has it but us; what runs within owns nothing that has to be dropped.
            unsafe { pg_guard_ffi_boundary(|| close(open)) };
        }
    }
}
