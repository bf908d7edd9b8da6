//! The server's functions that are called here, without the guard of pgrx's bindings: an ERROR jumps over our frames, which
//! own nothing. The calls of one value would else take longer in guards than in the server.

use pgrx::pg_sys;
use std::ffi::{c_int, c_void};

unsafe extern "C-unwind" {
    pub fn table_open(table: pg_sys::Oid, lock: c_int) -> pg_sys::Relation;
    pub fn table_close(table: pg_sys::Relation, lock: c_int);
    pub fn toast_open_indexes(
        table: pg_sys::Relation,
        lock: c_int,
        indexes: *mut *mut pg_sys::Relation,
        count: *mut c_int,
    ) -> c_int;
    pub fn toast_close_indexes(indexes: *mut pg_sys::Relation, count: c_int, lock: c_int);
    #[cfg(not(feature = "pg18"))]
    pub fn index_beginscan(
        table: pg_sys::Relation,
        index: pg_sys::Relation,
        snapshot: pg_sys::Snapshot,
        keys: c_int,
        orderings: c_int,
    ) -> pg_sys::IndexScanDesc;
    #[cfg(feature = "pg18")]
    pub fn index_beginscan(
        table: pg_sys::Relation,
        index: pg_sys::Relation,
        snapshot: pg_sys::Snapshot,
        instrument: *mut pg_sys::IndexScanInstrumentation,
        keys: c_int,
        orderings: c_int,
    ) -> pg_sys::IndexScanDesc;
    pub fn index_rescan(
        scan: pg_sys::IndexScanDesc,
        keys: pg_sys::ScanKey,
        key_count: c_int,
        orderings: pg_sys::ScanKey,
        ordering_count: c_int,
    );
    pub fn index_getnext_tid(
        scan: pg_sys::IndexScanDesc,
        direction: pg_sys::ScanDirection::Type,
    ) -> pg_sys::ItemPointer;
    pub fn index_endscan(scan: pg_sys::IndexScanDesc);
    pub fn ScanKeyInit(
        key: pg_sys::ScanKey,
        column: pg_sys::AttrNumber,
        strategy: pg_sys::StrategyNumber,
        procedure: pg_sys::RegProcedure,
        argument: pg_sys::Datum,
    );
    pub fn RelationGetNumberOfBlocksInFork(table: pg_sys::Relation, fork: pg_sys::ForkNumber::Type) -> u32;
    pub fn ReadBuffer(table: pg_sys::Relation, block: pg_sys::BlockNumber) -> pg_sys::Buffer;
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    pub fn ReadRecentBuffer(
        file: pg_sys::RelFileNode,
        fork: pg_sys::ForkNumber::Type,
        block: pg_sys::BlockNumber,
        buffer: pg_sys::Buffer,
    ) -> bool;
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    pub fn ReadRecentBuffer(
        file: pg_sys::RelFileLocator,
        fork: pg_sys::ForkNumber::Type,
        block: pg_sys::BlockNumber,
        buffer: pg_sys::Buffer,
    ) -> bool;
    pub fn LockBuffer(buffer: pg_sys::Buffer, mode: c_int);
    pub fn UnlockReleaseBuffer(buffer: pg_sys::Buffer);
    pub fn palloc(size: usize) -> *mut c_void;
    pub fn TransactionIdDidCommit(transaction: pg_sys::TransactionId) -> bool;
    pub fn TransactionIdIsCurrentTransactionId(transaction: pg_sys::TransactionId) -> bool;
}

/// The weakest lock of a relation: enough to read it, and to keep it from being truncated or dropped.
pub const READ: c_int = pg_sys::AccessShareLock as c_int;
/// Keeps the lock until the transaction ends, where a relation is closed with it.
pub const KEEP: c_int = pg_sys::NoLock as c_int;

/// Begin a scan of a TOAST table's index by the numbers of values, of whatever it holds.
///
/// # Safety
/// - Both are open and locked, until the scan ends.
pub unsafe fn begin(table: pg_sys::Relation, index: pg_sys::Relation) -> pg_sys::IndexScanDesc {
    // SAFETY: by our contract; the snapshot is a constant of the server.
    unsafe {
        let any = &raw mut pg_sys::SnapshotAnyData;
        #[cfg(not(feature = "pg18"))]
        return index_beginscan(table, index, any, 1, 0);
        #[cfg(feature = "pg18")]
        return index_beginscan(table, index, any, std::ptr::null_mut(), 1, 0);
    }
}
