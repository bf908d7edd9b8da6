//! What a call remembers of the one before: a value that was fetched from a TOAST table, should it be asked for again.
//!
//! `ORDER BY v <-> (SELECT v FROM t WHERE ...)` passes the same pointer into the TOAST table for every row, and to fetch
//! what it points to takes a hundred times as long as a distance. A value in a TOAST table is never changed in place and
//! its number is not given again while a transaction that can see it runs, so equal pointers are equal values.

use pgrx::pg_sys;
use pgrx::varlena::{varatt_is_1b_e, varsize_4b};

/// The length of a pointer into a TOAST table with its header and tag.
const POINTER: usize = 18;
/// The tag of such a pointer; others point into memory.
const ON_DISK: u8 = 18;
/// The arguments of a call that are remembered.
const ARGUMENTS: usize = 2;

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

/// The pointer that an argument was last, and the value, which is kept from the second time on.
struct Remembered {
    pointer: [u8; POINTER],
    value: *mut pg_sys::varlena,
}

/// Detoast an argument of a call, from memory where it is the same value as in the call before. The value must not be
/// changed or freed.
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
    // SAFETY: by our contract; a pointer into a TOAST table has a tag and is `POINTER` bytes long.
    unsafe {
        let function = (*fcinfo).flinfo;
        if function.is_null() || !varatt_is_1b_e(value) || value.cast::<u8>().add(1).read() != ON_DISK {
            return pg_detoast_datum(value);
        }
        let pointer = value.cast::<[u8; POINTER]>().read();
        let memo = memo(function);
        let Some(remembered) = memo.arguments.get_mut(index) else { return pg_detoast_datum(value) };
        if remembered.pointer != pointer {
            remembered.pointer = pointer;
            forget(remembered);
            return pg_detoast_datum(value);
        }
        if remembered.value.is_null() {
            let fetched = pg_detoast_datum(value);
            let size = varsize_4b(fetched);
            let kept = MemoryContextAlloc((*function).fn_mcxt, size).cast::<u8>();
            kept.copy_from_nonoverlapping(fetched.cast(), size);
            remembered.value = kept.cast();
            pfree(fetched.cast());
        }
        remembered.value
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
                forget(remembered);
            }
        }
        memo
    }
}

/// Free what is kept.
///
/// # Safety
/// - The value is null or was allocated for the memo.
unsafe fn forget(remembered: &mut Remembered) {
    let value = std::mem::replace(&mut remembered.value, std::ptr::null_mut());
    if !value.is_null() {
        // SAFETY: by our contract, and nothing refers to it any more.
        unsafe { pfree(value.cast()) };
    }
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
