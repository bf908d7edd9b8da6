//! Where the server is installed and how it is starting: the folders are found at run time, so a server tree may be moved.

use pgrx::pg_sys;
use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The server's limit on path lengths, in bytes.
const MAX_PATH: usize = 1024;

/// Run one of the server's path functions on its own executable.
fn path_of(find: unsafe fn(*const c_char, *mut c_char)) -> PathBuf {
    let mut path = [0 as c_char; MAX_PATH];
    // SAFETY: these functions write a terminated string of at most MAX_PATH bytes, and `my_exec_path` is one.
    let found = unsafe {
        find(std::ptr::addr_of!(pg_sys::my_exec_path).cast(), path.as_mut_ptr());
        CStr::from_ptr(path.as_ptr())
    };
    PathBuf::from(OsStr::from_bytes(found.to_bytes()))
}

/// The folder of loadable libraries (`pg_config --pkglibdir`).
pub fn library_dir() -> PathBuf {
    path_of(pg_sys::get_pkglib_path)
}

/// The folder of shared files (`pg_config --sharedir`).
pub fn share_dir() -> PathBuf {
    path_of(pg_sys::get_share_path)
}

/// Tell whether the library is being loaded through `shared_preload_libraries`.
pub fn preloading() -> bool {
    // SAFETY: a plain flag that the server's single thread sets around preloading.
    unsafe { pg_sys::process_shared_preload_libraries_in_progress }
}

/// Refuse unknown settings under `prefix` from here on.
pub fn reserve_settings(prefix: &CStr) {
    // SAFETY: called from _PG_init, with a terminated string that the server copies.
    unsafe {
        #[cfg(feature = "pg14")]
        pg_sys::EmitWarningsOnPlaceholders(prefix.as_ptr());
        #[cfg(not(feature = "pg14"))]
        pg_sys::MarkGUCPrefixReserved(prefix.as_ptr());
    }
}
