//! A small change of one page, logged as it is: a record of generic WAL, made by whoever knows what has changed. The server's
//! own maker of such records copies pages and compares them byte by byte, which takes longer than an insert.
//!
//! The record is what `GenericXLogFinish` would write: for each range that changed its offset on the page and its length, two
//! bytes each, and the bytes. Whether pages are new, and what is changed of several at once, is `store.rs`'s matter.

use super::page;
use pgrx::pg_sys;
use vw_ivf::{PAGE_BYTES, Patched};

/// The level of WAL from which on every change of a permanent relation is logged (`WAL_LEVEL_REPLICA`).
const REPLICA: i32 = 1;

/// Bytes of a record that change one field of the header: its place, its length, and two bytes.
const HEADER_FIELD: usize = 6;

/// Tell whether all changes of a relation are logged, whatever has made it. At the lowest level of WAL, those of a relation
/// that is new are not; that is left to the server.
///
/// # Safety
/// - `relation` is open.
pub unsafe fn is_logged(relation: pg_sys::Relation) -> bool {
    // SAFETY: open by our contract; the level is set once, when the server starts.
    unsafe {
        let permanent = (*(*relation).rd_rel).relpersistence as u8 == pg_sys::RELPERSISTENCE_PERMANENT;
        permanent && pg_sys::wal_level >= REPLICA
    }
}

/// Let `change` change a copy of a page's contents, and write what it says has changed to the page and the WAL, in one step.
/// Tells whether there was anything. An ERROR raised by `change` leaves the page as it was.
///
/// # Safety
/// - `buffer` is pinned and locked for writing. It holds page `number` of a relation of which [`is_logged`].
pub unsafe fn patch<E>(
    buffer: pg_sys::Buffer,
    number: u32,
    change: impl FnOnce(&mut [u8]) -> Result<Option<Patched>, E>,
) -> Result<bool, E> {
    let mut copy = [0; PAGE_BYTES];
    // SAFETY: by our contract nobody else writes the page; the slice is gone before we do.
    unsafe {
        let image = pg_sys::BufferGetPage(buffer);
        if let Err(fault) = page::check(image, number) {
            fault.raise();
        }
        copy.copy_from_slice(page::contents(image));
    }
    let Some(ranges) = change(&mut copy)? else { return Ok(false) };
    let end = ranges.iter().map(|range| range.end).max().unwrap_or_default();
    let mut record = Vec::with_capacity(PAGE_BYTES);
    for range in &ranges {
        fragment(&mut record, page::CONTENTS + range.start, copy.get(range.clone()).unwrap_or_default());
    }
    // For the header's field, below: nothing allocates there.
    record.reserve(HEADER_FIELD);
    // SAFETY: by our contract. Between the two counts nothing of ours allocates or raises; what the server raises there ends
    // it, and then the WAL is what holds.
    unsafe {
        pg_sys::CritSectionCount += 1;
        let image = pg_sys::BufferGetPage(buffer);
        if let Some((at, bytes)) = page::reach(image, end) {
            fragment(&mut record, at, &bytes);
        }
        let contents = page::contents_mut(image);
        for range in ranges {
            if let (Some(to), Some(from)) = (contents.get_mut(range.clone()), copy.get(range)) {
                to.copy_from_slice(from);
            }
        }
        pg_sys::MarkBufferDirty(buffer);
        pg_sys::XLogBeginInsert();
        pg_sys::XLogRegisterBuffer(0, buffer, pg_sys::REGBUF_STANDARD as u8);
        register(&mut record);
        let end = pg_sys::XLogInsert(pg_sys::RmgrIds::RM_GENERIC_ID as pg_sys::RmgrId, 0);
        (*image.cast::<pg_sys::PageHeaderData>()).pd_lsn =
            pg_sys::PageXLogRecPtr { xlogid: (end >> 32) as u32, xrecoff: end as u32 };
        pg_sys::CritSectionCount -= 1;
    }
    Ok(true)
}

/// Append bytes to a record, and where on the page they go.
fn fragment(record: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    // A page has 8,192 bytes.
    [at, bytes.len()].iter().for_each(|number| record.extend_from_slice(&(*number as u16).to_ne_bytes()));
    record.extend_from_slice(bytes);
}

/// Add a record's bytes to those of its page.
///
/// # Safety
/// - A record is being made, block 0 of it is registered, and the bytes stay where they are until it is inserted.
unsafe fn register(record: &mut [u8]) {
    // SAFETY: by our contract; the server only reads the bytes. A record is shorter than two pages.
    unsafe { pg_sys::XLogRegisterBufData(0, record.as_mut_ptr().cast(), record.len() as _) };
}
