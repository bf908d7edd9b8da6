//! Heap tuple ids, between the server's form and the index's.

use pgrx::pg_sys;
use vw_ivf::Tid;

/// Read the server's form.
pub fn from_server(pointer: pg_sys::ItemPointerData) -> Tid {
    let block = (u32::from(pointer.ip_blkid.bi_hi) << 16) | u32::from(pointer.ip_blkid.bi_lo);
    Tid { block, offset: pointer.ip_posid }
}

/// Write the server's form.
pub fn to_server(tid: Tid) -> pg_sys::ItemPointerData {
    let ip_blkid = pg_sys::BlockIdData { bi_hi: (tid.block >> 16) as u16, bi_lo: (tid.block & 0xffff) as u16 };
    pg_sys::ItemPointerData { ip_blkid, ip_posid: tid.offset }
}
