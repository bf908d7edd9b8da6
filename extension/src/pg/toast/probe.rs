//! A value whose chunks are found by the index, one after the other.

use super::chunk::{Line, Value};
use super::{Place, Stored, page, server};
use pgrx::pg_sys;

/// The key of a scan: the number of the value.
///
/// # Safety
/// - Runs in a process of the server.
pub unsafe fn key(stored: &Stored) -> pg_sys::ScanKeyData {
    // SAFETY: zero is a valid value of every field, and the server fills them.
    unsafe {
        let mut key: pg_sys::ScanKeyData = std::mem::zeroed();
        let equal = pg_sys::Oid::from(pg_sys::F_OIDEQ);
        let number = pg_sys::Datum::from(pg_sys::Oid::from(stored.number));
        server::ScanKeyInit(&mut key, 1, pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber, equal, number);
        key
    }
}

/// Read a value by a scan of the index that has just begun. Gives the block of its first chunk, and the place behind the
/// one that lies last.
///
/// # Safety
/// - `table` is an open and locked TOAST table, and the scan is one of its index by the number of the value.
pub unsafe fn probe(
    table: pg_sys::Relation,
    scan: pg_sys::IndexScanDesc,
    value: &mut Value,
) -> Option<(pg_sys::BlockNumber, Place)> {
    let (mut first, mut last): (Option<pg_sys::BlockNumber>, Place) = (None, Place::default());
    // SAFETY: by our contract. No page is locked while the index is searched, since the server locks those of an index
    // first.
    unsafe {
        while !value.is_whole() {
            let tid = server::index_getnext_tid(scan, FORWARD).as_ref()?;
            let block = (u32::from(tid.ip_blkid.bi_hi) << 16) | u32::from(tid.ip_blkid.bi_lo);
            let recent = if last.block == block { last.buffer } else { 0 };
            let page = page::read(table, block, recent)?;
            let taken = tid.ip_posid <= page.lines() && value.take(&page, tid.ip_posid) == Line::Next;
            page::release(page);
            if !taken {
                return None;
            }
            let behind = Place { block, offset: tid.ip_posid.saturating_add(1), buffer: page.buffer, ..last };
            if last.is_before(&behind) {
                last = behind;
            }
            first.get_or_insert(block);
        }
    }
    first.map(|first| (first, last))
}

const FORWARD: pg_sys::ScanDirection::Type = pg_sys::ScanDirection::ForwardScanDirection;
