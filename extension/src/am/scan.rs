//! `ambeginscan` to `amendscan`: rows in the order of their distance. How the distances are had is in `gather`.
//!
//! The first row asked for measures all of them, under the scan's snapshot; the others come off a heap.

use super::gather::{self, Place};
use super::{error, memory, tid};
use crate::pg::error::{Code, Fault, Result};
use pgrx::pg_sys;
use std::collections::BinaryHeap;
use std::ptr::null_mut;

/// A scan under way.
#[derive(Default)]
struct State {
    /// What is left to hand out; `None` before the first row was asked for.
    places: Option<BinaryHeap<Place>>,
}

/// Begin a scan.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn begin(index: pg_sys::Relation, keys: i32, orderings: i32) -> pg_sys::IndexScanDesc {
    // SAFETY: the server passes an open index; the state lives as long as the scan does, or longer.
    unsafe {
        let scan = pg_sys::RelationGetIndexScan(index, keys, orderings);
        (*scan).opaque = memory::keep(State::default()).cast();
        scan
    }
}

/// Begin anew, maybe with another query.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn rescan(
    scan: pg_sys::IndexScanDesc,
    keys: pg_sys::ScanKey,
    key_count: i32,
    orderings: pg_sys::ScanKey,
    ordering_count: i32,
) {
    // SAFETY: the server passes a scan of ours, and as many keys as it was begun with; they may be the scan's own.
    unsafe {
        *state(scan) = State::default();
        if !keys.is_null() && key_count > 0 {
            std::ptr::copy(keys, (*scan).keyData, key_count as usize);
        }
        if !orderings.is_null() && ordering_count > 0 {
            std::ptr::copy(orderings, (*scan).orderByData, ordering_count as usize);
        }
    }
}

/// Give the next row's tuple id; false after the last.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn next(scan: pg_sys::IndexScanDesc, direction: pg_sys::ScanDirection::Type) -> bool {
    // SAFETY: the server passes a scan of ours, and nobody else uses its state meanwhile.
    unsafe {
        let state = state(scan);
        let places = match &mut state.places {
            Some(places) => places,
            none => none.insert(error::done(first(scan, direction))),
        };
        let Some(place) = places.pop() else { return false };
        (*scan).xs_heaptid = tid::to_server(place.tid());
        (*scan).xs_recheck = false;
        (*scan).xs_recheckorderby = false;
        true
    }
}

/// End the scan, and give back what it holds.
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn end(scan: pg_sys::IndexScanDesc) {
    // SAFETY: the server passes a scan of ours. What is left of the state goes with its memory context.
    unsafe {
        *state(scan) = State::default();
        (*scan).opaque = null_mut();
    }
}

/// The state that `begin` made.
///
/// # Safety
/// - `scan` is a scan of ours that has not ended, and nobody else refers to its state.
unsafe fn state<'a>(scan: pg_sys::IndexScanDesc) -> &'a mut State {
    // SAFETY: by our contract.
    unsafe { &mut *(*scan).opaque.cast::<State>() }
}

/// Check that the scan is one that the index can do, and measure all rows.
///
/// # Safety
/// - As for [`state`]; the scan has its table and its snapshot.
unsafe fn first(scan: pg_sys::IndexScanDesc, direction: pg_sys::ScanDirection::Type) -> Result<BinaryHeap<Place>> {
    let refuse = |message| Err(Fault::new(Code::ERRCODE_FEATURE_NOT_SUPPORTED, message));
    // SAFETY: by our contract; a scan that has a snapshot has a live one.
    unsafe {
        let snapshot = (*scan).xs_snapshot.as_ref().map(|snapshot| snapshot.snapshot_type);
        let mvcc = [pg_sys::SnapshotType::SNAPSHOT_MVCC, pg_sys::SnapshotType::SNAPSHOT_HISTORIC_MVCC];
        if (*scan).numberOfOrderBys != 1 || (*scan).numberOfKeys != 0 {
            return refuse("an inverted file is scanned in the order of one distance");
        }
        if direction != pg_sys::ScanDirection::ForwardScanDirection {
            return refuse("an inverted file is scanned forward only");
        }
        if (*scan).heapRelation.is_null() || !snapshot.is_some_and(|kind| mvcc.contains(&kind)) {
            return refuse("an inverted file is scanned under an MVCC snapshot only");
        }
        count(scan);
        gather::all(scan)
    }
}

/// Count the scan in the server's statistics.
///
/// # Safety
/// - As for [`state`].
unsafe fn count(scan: pg_sys::IndexScanDesc) {
    // SAFETY: the index is open; its statistics are there where the server counts.
    unsafe {
        let index = (*scan).indexRelation;
        #[cfg(not(feature = "pg14"))]
        if (*index).pgstat_info.is_null() && (*index).pgstat_enabled {
            pg_sys::pgstat_assoc_relation(index);
        }
        if let Some(statistics) = (*index).pgstat_info.as_mut() {
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            {
                statistics.t_counts.t_numscans += 1;
            }
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            {
                statistics.counts.numscans += 1;
            }
        }
        #[cfg(feature = "pg18")]
        if let Some(instrument) = (*scan).instrument.as_mut() {
            instrument.nsearches += 1;
        }
    }
}
