//! What a call remembers of the one before: a value that was fetched from a TOAST table, should it be asked for again,
//! and where it was, should the next one lie behind it.
//!
//! `ORDER BY v <-> (SELECT v FROM t WHERE ...)` passes the same pointer into the TOAST table for every row, and to fetch
//! what it points to takes a hundred times as long as a distance. A value in a TOAST table is never changed in place and
//! its number is not given again while a transaction that can see it runs, so equal pointers are equal values.

use super::toast::{self, Hint, POINTER, Stored};
use pgrx::pg_sys;
use pgrx::varlena::varsize_4b;

/// The arguments of a call that are remembered.
const ARGUMENTS: usize = 2;
/// The longest value that is read into memory of the call's own.
const MOST: usize = 256 << 10;

unsafe extern "C-unwind" {
    // The server's functions, without the guard of pgrx's bindings: an ERROR jumps over our frames, which own nothing.
    fn pg_detoast_datum(value: *mut pg_sys::varlena) -> *mut pg_sys::varlena;
    fn MemoryContextAlloc(context: pg_sys::MemoryContext, size: usize) -> *mut std::ffi::c_void;
    fn MemoryContextAllocZero(context: pg_sys::MemoryContext, size: usize) -> *mut std::ffi::c_void;
    fn pfree(pointer: *mut std::ffi::c_void);
}

/// What is remembered, in memory that lives as long as the call's `FmgrInfo`. All zeros remember nothing.
struct Memo {
    /// The transaction of the calls; another one may see another value behind the same pointer.
    transaction: u32,
    arguments: [Remembered; ARGUMENTS],
}

/// The pointer that an argument was last; the value, which is kept from the second time on, or from the first where we
/// have read it ourselves; and where it was.
struct Remembered {
    pointer: [u8; POINTER],
    /// Whether the room has the value.
    kept: bool,
    room: *mut pg_sys::varlena,
    size: usize,
    hint: Hint,
}

/// Detoast an argument of a call, from memory where it is the same value as in the call before. The value must not be
/// changed or freed, and lives until the next call.
///
/// # Safety
/// - The frame is live, and `value` is its argument `index`, which is not NULL and of a variable-length type.
/// - The function leaves `fn_extra` to us.
/// - No frame between this and the server owns anything that has to be dropped.
pub(super) unsafe fn detoast(
    fcinfo: pg_sys::FunctionCallInfo,
    index: usize,
    value: *mut pg_sys::varlena,
) -> *mut pg_sys::varlena {
    // SAFETY: by our contract; a pointer into a TOAST table is `POINTER` bytes long.
    unsafe {
        let function = (*fcinfo).flinfo;
        if function.is_null() || !toast::is_stored(value) {
            return pg_detoast_datum(value);
        }
        let pointer = value.cast::<[u8; POINTER]>().read();
        let memo = memo(function);
        let Some(remembered) = memo.arguments.get_mut(index) else { return pg_detoast_datum(value) };
        if remembered.pointer != pointer {
            return another(remembered, (*function).fn_mcxt, memo.transaction, (&pointer, value));
        }
        if !remembered.kept {
            let fetched = pg_detoast_datum(value);
            let size = varsize_4b(fetched);
            make_room(remembered, (*function).fn_mcxt, size);
            remembered.room.cast::<u8>().copy_from_nonoverlapping(fetched.cast(), size);
            remembered.kept = true;
            pfree(fetched.cast());
        }
        remembered.room
    }
}

/// Detoast a value that is not the last one.
///
/// # Safety
/// - As for [`detoast`]; the pointer is the value's.
unsafe fn another(
    remembered: &mut Remembered,
    context: pg_sys::MemoryContext,
    transaction: u32,
    (pointer, value): (&[u8; POINTER], *mut pg_sys::varlena),
) -> *mut pg_sys::varlena {
    // An ERROR from here on leaves nothing remembered.
    remembered.pointer = [0; POINTER];
    remembered.kept = false;
    // SAFETY: by our contract; the room is as large as the value.
    unsafe {
        if let Some(stored) = Stored::new(pointer).filter(|stored| stored.size <= MOST) {
            make_room(remembered, context, stored.size);
            remembered.kept = toast::fetch(&stored, &mut remembered.hint, transaction, remembered.room);
        }
        remembered.pointer = *pointer;
        if remembered.kept { remembered.room } else { pg_detoast_datum(value) }
    }
}

/// The memo of a function, without what it remembers of another transaction.
///
/// # Safety
/// - `function` is the live `FmgrInfo` of a call, whose `fn_extra` is ours.
unsafe fn memo<'a>(function: *mut pg_sys::FmgrInfo) -> &'a mut Memo {
    // SAFETY: by our contract; memory of zeros is a memo, and nothing else refers to it during a call.
    unsafe {
        if (*function).fn_extra.is_null() {
            (*function).fn_extra = MemoryContextAllocZero((*function).fn_mcxt, size_of::<Memo>());
        }
        let memo = &mut *(*function).fn_extra.cast::<Memo>();
        let transaction = transaction();
        if memo.transaction != transaction {
            memo.transaction = transaction;
            for remembered in &mut memo.arguments {
                remembered.pointer = [0; POINTER];
                remembered.kept = false;
            }
        }
        memo
    }
}

/// Have room for a value of so many bytes.
///
/// # Safety
/// - `context` lives as long as the memo, and what is in the room is in use no more.
unsafe fn make_room(remembered: &mut Remembered, context: pg_sys::MemoryContext, size: usize) {
    if remembered.size >= size {
        return;
    }
    remembered.kept = false;
    remembered.size = 0;
    let room = std::mem::replace(&mut remembered.room, std::ptr::null_mut());
    // SAFETY: by our contract; the room was allocated here, and nothing refers to it any more.
    unsafe {
        if !room.is_null() {
            pfree(room.cast());
        }
        remembered.room = MemoryContextAlloc(context, size).cast();
    }
    remembered.size = size;
}

/// The number of the transaction among those of this process.
fn transaction() -> u32 {
    // SAFETY: a process that calls functions of types has an entry, which it alone changes.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
        return (*pg_sys::MyProc).lxid;
        #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
        return (*pg_sys::MyProc).vxid.lxid;
    }
}
