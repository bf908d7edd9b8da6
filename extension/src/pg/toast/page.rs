//! A page of a TOAST table, pinned and locked for as long as it is read. What lies on it is in `chunk`.
//!
//! No guard holds a page, for an ERROR would jump over it; the server itself lets go of pins and locks then.

use super::server;
use pgrx::pg_sys;

pub const BLOCK: usize = pg_sys::BLCKSZ as usize;
const MAIN: pg_sys::ForkNumber::Type = pg_sys::ForkNumber::MAIN_FORKNUM;
/// Where the line pointers begin.
const LINES: usize = std::mem::offset_of!(pg_sys::PageHeaderData, pd_linp);

/// A page that is pinned and locked for reading.
#[derive(Clone, Copy)]
pub struct Page {
    pub buffer: pg_sys::Buffer,
    image: *const u8,
}

/// Pin and lock a block, in the buffer where it may be or in whichever it is; `None` where there is no such block.
///
/// # Safety
/// - `table` is open and locked. The page is let go of by [`release`].
pub unsafe fn read(table: pg_sys::Relation, block: pg_sys::BlockNumber, recent: pg_sys::Buffer) -> Option<Page> {
    // SAFETY: by our contract; a block is read only if it is there.
    unsafe {
        let buffer = match pin_recent(table, block, recent) {
            true => recent,
            false if has(table, block) => server::ReadBuffer(table, block),
            false => return None,
        };
        server::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
        Some(Page { buffer, image: image(buffer) })
    }
}

/// Unlock and unpin a page.
///
/// # Safety
/// - It was given by [`read`], and nothing refers to what lies on it.
pub unsafe fn release(page: Page) {
    // SAFETY: by our contract.
    unsafe { server::UnlockReleaseBuffer(page.buffer) };
}

/// Pin a buffer if it holds the block.
///
/// # Safety
/// - `table` is open and locked.
unsafe fn pin_recent(table: pg_sys::Relation, block: pg_sys::BlockNumber, recent: pg_sys::Buffer) -> bool {
    // SAFETY: by our contract; a buffer of the number exists, and it is the server that looks what it holds. Buffers of
    // temporary tables are numbered below zero. A table's statistics are there where the server counts.
    unsafe {
        if recent <= 0 || recent > pg_sys::NBuffers {
            return false;
        }
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let file = (*table).rd_node;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let file = (*table).rd_locator;
        let pinned = server::ReadRecentBuffer(file, MAIN, block, recent);
        if let Some(statistics) = (*table).pgstat_info.as_mut().filter(|_| pinned) {
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            {
                statistics.t_counts.t_blocks_fetched += 1;
                statistics.t_counts.t_blocks_hit += 1;
            }
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            {
                statistics.counts.blocks_fetched += 1;
                statistics.counts.blocks_hit += 1;
            }
        }
        pinned
    }
}

/// Tell whether a table has a block.
///
/// A table gets shorter under a lock that excludes ours, and taking a lock makes the server forget what it knew of the
/// size. So a block that it knows is there; and if it knows of none, it looks.
///
/// # Safety
/// - `table` is open and locked.
unsafe fn has(table: pg_sys::Relation, block: pg_sys::BlockNumber) -> bool {
    // SAFETY: by our contract; an open relation's file manager is null or live.
    unsafe {
        if let Some(file) = (*table).rd_smgr.as_ref() {
            let [known, ..] = file.smgr_cached_nblocks;
            if known != pg_sys::InvalidBlockNumber && block < known {
                return true;
            }
        }
        block < server::RelationGetNumberOfBlocksInFork(table, MAIN)
    }
}

/// The page in a buffer.
///
/// # Safety
/// - The buffer is pinned.
unsafe fn image(buffer: pg_sys::Buffer) -> *const u8 {
    // SAFETY: by our contract, so its number is one of the server's buffers, or of our own where it is below zero.
    unsafe {
        match usize::try_from(buffer) {
            Ok(number) => pg_sys::BufferBlocks.cast::<u8>().add((number - 1) * BLOCK),
            Err(_) => (*pg_sys::LocalBufferBlockPointers.add((-buffer - 1) as usize)).cast::<u8>(),
        }
    }
}

/// Where a page would be that a shared buffer has, whichever it is.
pub fn guess(buffer: pg_sys::Buffer) -> Option<*const u8> {
    // SAFETY: reads two variables of the server; the buffer is one of its buffers.
    unsafe {
        let number = usize::try_from(buffer).ok()?.checked_sub(1)?;
        (buffer <= pg_sys::NBuffers).then(|| pg_sys::BufferBlocks.cast::<u8>().add(number * BLOCK).cast_const())
    }
}

impl Page {
    /// The number of line pointers, which are counted from one.
    pub fn lines(&self) -> pg_sys::OffsetNumber {
        // SAFETY: the page is pinned and locked, and its header lies at its beginning.
        let end = usize::from(unsafe { (*self.image.cast::<pg_sys::PageHeaderData>()).pd_lower }).min(BLOCK);
        (end.saturating_sub(LINES) / size_of::<pg_sys::ItemIdData>()) as pg_sys::OffsetNumber
    }

    /// The bytes of a tuple: none where the line pointer has none, or ones that do not lie on the page.
    ///
    /// # Safety
    /// - The page is locked for as long as the result lives, and `line` is one of its line pointers.
    pub unsafe fn tuple<'a>(&self, line: pg_sys::OffsetNumber) -> Option<&'a [u8]> {
        // SAFETY: by our contract, and what the line pointer says is looked at before it is followed.
        unsafe {
            let item = self.image.add(LINES).cast::<pg_sys::ItemIdData>().add(usize::from(line) - 1).read();
            let (from, length) = (item.lp_off() as usize, item.lp_len() as usize);
            let normal = item.lp_flags() == pg_sys::LP_NORMAL && from.is_multiple_of(8) && from + length <= BLOCK;
            normal.then(|| std::slice::from_raw_parts(self.image.add(from), length))
        }
    }
}
