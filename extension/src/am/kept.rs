//! Indexes that this process has opened before: what of them never changes is kept, for a few of them.

use crate::pg::error::Result;
use pgrx::pg_sys;
use std::cell::RefCell;
use vw_ivf::{Index, Kept};

use super::store::Store;

/// Indexes that are kept; of more, those that were used last.
const MOST: usize = 8;

thread_local! {
    /// The tablespace and file of each, and what is kept of it. The last one was used last.
    static KEPT: RefCell<Vec<((pg_sys::Oid, pg_sys::Oid), Kept)>> = const { RefCell::new(Vec::new()) };
}

/// Open an index for a search or an insert.
pub fn open(store: &Store) -> Result<Index<'_, Store>> {
    let file = store.file();
    let found = KEPT.with_borrow_mut(|kept| {
        let at = kept.iter().position(|(of, _)| *of == file);
        at.map(|at| kept.remove(at).1)
    });
    let mut kept = found.unwrap_or_default();
    // An ERROR in here leaves it out.
    let index = Index::open_again(store, &mut kept)?;
    KEPT.with_borrow_mut(|all| {
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push((file, kept));
    });
    Ok(index)
}
