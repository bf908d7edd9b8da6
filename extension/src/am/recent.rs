//! What this process remembers of the pages of an index that it has read: in which buffer each was, and that its checksum
//! was right. Not the pages themselves: those are the server's.
//!
//! A search reads hundreds of pages. To look each up in the server's table of buffers takes a good part of its time, and so
//! does a checksum of pages of which one row is wanted. The server itself tells whether a buffer still holds the page, and
//! a page that bears the checksum it had is the one that was checked.
//!
//! All of it is one chunk in the index's entry of the relation cache, which is freed with whatever else is known of the
//! index when that is changed. Pages that have no place in it are read as ever.

use pgrx::pg_sys;
use std::cell::Cell;
use std::ptr::null_mut;
use vw_vector::kernel::ahead;

/// Entries at least and at most: 16 bytes each.
const LEAST: u32 = 64;
const MOST: u32 = 1 << 15;
/// A buffer that is found the short way is not noted as used, so that one in so many reads goes the long way: else the
/// server would take the pages that are read most for those that nobody needs.
const NOTED: u16 = 32;

/// Bytes of a page that are asked for ahead, and those of a line of the cache.
const BEGINNING: usize = 1024;
const LINE: usize = 64;

/// A page.
#[repr(C)]
struct Entry {
    /// Its number and one more; 0 where there is none.
    page: Cell<u32>,
    /// Where it was last, or no buffer.
    buffer: Cell<pg_sys::Buffer>,
    /// The checksum that was right, and whether any was.
    check: Cell<u32>,
    whole: Cell<u16>,
    reads: Cell<u16>,
}

/// What the chunk begins with.
#[repr(C)]
struct Header {
    /// Entries: a power of two.
    entries: u32,
    spare: [u32; 3],
}

/// The memory of one index; null where nothing is remembered.
pub struct Recent(pg_sys::Relation);

impl Recent {
    /// That of an index.
    ///
    /// # Safety
    /// - `relation` is an index of ours that stays open for as long as this lives.
    pub unsafe fn of(relation: pg_sys::Relation) -> Recent {
        // SAFETY: open by our contract. Buffers of temporary tables are numbered apart, and there are few of them.
        let temporary = unsafe { (*(*relation).rd_rel).relpersistence as u8 == pg_sys::RELPERSISTENCE_TEMP };
        Recent(if temporary { null_mut() } else { relation })
    }

    /// None: all is forgotten at once.
    pub fn none() -> Recent {
        Recent(null_mut())
    }

    /// The place of a page.
    fn place(&self, page: u32) -> Option<&Entry> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: the relation is open. What its cache points to was made by `make`, and is of as many entries as it
        // says; the server frees it between two calls at most, never during one of ours, and nobody else refers to it.
        unsafe {
            let header = (*self.0).rd_amcache.cast::<Header>();
            let entries = header.as_ref()?.entries;
            let place = header.add(1).cast::<Entry>().add((page & (entries - 1)) as usize);
            Some(&*place)
        }
    }

    /// What is known of a page.
    fn entry(&self, page: u32) -> Option<&Entry> {
        self.place(page).filter(|entry| entry.page.get() == page.wrapping_add(1))
    }

    /// Ask the processor for the beginning of a page, which foresees the rest, for its end and for what the server notes of its
    /// buffer; false where it is not known where the page is. Lists that were split and packed again lie all over the buffers.
    pub fn ask(&self, page: u32) -> bool {
        let Some(entry) = self.entry(page).filter(|entry| entry.buffer.get() > 0) else { return false };
        let at = entry.buffer.get() as usize - 1;
        // SAFETY: the server has set both before a process can read a page. Asking reads nothing, whatever is there.
        let (blocks, buffers) = unsafe { (pg_sys::BufferBlocks.cast::<u8>(), pg_sys::BufferDescriptors) };
        let start = blocks.cast_const().wrapping_add(at * pg_sys::BLCKSZ as usize);
        let end = start.wrapping_add(pg_sys::BLCKSZ as usize - LINE);
        let note = buffers.cast_const().wrapping_add(at).cast::<u8>();
        [(start, start.wrapping_add(BEGINNING)), (end, end), (note, note)]
            .into_iter()
            .for_each(|(from, to)| ahead::ask(from, to));
        true
    }

    /// Pin a page in the buffer where it was, if it still is there.
    pub fn pin(&self, page: u32) -> Option<pg_sys::Buffer> {
        let entry = self.entry(page).filter(|entry| entry.buffer.get() > 0)?;
        entry.reads.set(entry.reads.get().wrapping_add(1));
        if entry.reads.get().is_multiple_of(NOTED) {
            return None;
        }
        let buffer = entry.buffer.get();
        // SAFETY: the relation is open; a buffer of that number exists as long as the server runs, and it is the server
        // that looks whether it holds the page.
        let pinned = unsafe {
            let main = pg_sys::ForkNumber::MAIN_FORKNUM;
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            let file = (*self.0).rd_node;
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            let file = (*self.0).rd_locator;
            pg_sys::ReadRecentBuffer(file, main, page, buffer)
        };
        if pinned {
            self.count();
        }
        pinned.then_some(buffer)
    }

    /// Note where a page is.
    pub fn read(&self, page: u32, buffer: pg_sys::Buffer) {
        if page == pg_sys::InvalidBlockNumber {
            return;
        }
        if let Some(entry) = self.place(page) {
            if entry.page.replace(page.wrapping_add(1)) != page.wrapping_add(1) {
                entry.whole.set(0);
            }
            entry.buffer.set(buffer);
        }
    }

    /// Tell whether the page was found whole that bears this checksum.
    pub fn is_checked(&self, page: u32, check: u32) -> bool {
        self.entry(page).is_some_and(|entry| entry.whole.get() != 0 && entry.check.get() == check)
    }

    /// Note that the page that bears this checksum is whole.
    pub fn checked(&self, page: u32, check: u32, pages: impl FnOnce() -> u32) {
        if !self.0.is_null() && self.is_short(page) {
            self.make(pages());
        }
        if let Some(entry) = self.entry(page) {
            entry.check.set(check);
            entry.whole.set(1);
        }
    }

    /// Tell whether there are more pages than there might be places for.
    fn is_short(&self, page: u32) -> bool {
        // SAFETY: as in `place`.
        let entries = unsafe { (*self.0).rd_amcache.cast::<Header>().as_ref() }.map_or(0, |header| header.entries);
        entries < MOST && page >= entries
    }

    /// Make room for what is to be known of so many pages, in place of what there was.
    fn make(&self, pages: u32) {
        let entries = pages.clamp(LEAST, MOST).next_power_of_two();
        let bytes = size_of::<Header>() + entries as usize * size_of::<Entry>();
        let flags = pg_sys::MCXT_ALLOC_NO_OOM | pg_sys::MCXT_ALLOC_ZERO;
        // SAFETY: the relation is open, and has a memory context of its own, as every index does. The old chunk is
        // nobody's but ours. Where there is no memory, nothing is remembered.
        unsafe {
            let chunk = pg_sys::MemoryContextAllocExtended((*self.0).rd_indexcxt, bytes, flags as i32);
            if let Some(header) = chunk.cast::<Header>().as_mut() {
                header.entries = entries;
                if !(*self.0).rd_amcache.is_null() {
                    pg_sys::pfree((*self.0).rd_amcache);
                }
                (*self.0).rd_amcache = chunk;
            }
        }
    }

    /// Count the read in the server's statistics, as it does itself where it looks a page up.
    fn count(&self) {
        // SAFETY: the relation is open; its statistics are there where the server counts.
        if let Some(statistics) = unsafe { (*self.0).pgstat_info.as_mut() } {
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            let counts = &mut statistics.t_counts;
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            let counts = &mut statistics.counts;
            #[cfg(any(feature = "pg14", feature = "pg15"))]
            {
                counts.t_blocks_fetched += 1;
                counts.t_blocks_hit += 1;
            }
            #[cfg(not(any(feature = "pg14", feature = "pg15")))]
            {
                counts.blocks_fetched += 1;
                counts.blocks_hit += 1;
            }
        }
    }
}
