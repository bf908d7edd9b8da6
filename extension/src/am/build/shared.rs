//! What the processes of a parallel build share: chunks of one piece of memory, each under a key.

use pgrx::pg_sys;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::assign::Counts;

/// The chunks, by key.
#[derive(Clone, Copy)]
pub enum Chunk {
    /// A [`Shared`].
    Shared = 1,
    /// The server's scan of the table.
    Scan,
    /// The server's sort.
    Sort,
    /// The plan as numbers.
    Plan,
    /// A `WalUsage` for each worker.
    Wal,
    /// A `BufferUsage` for each worker.
    Buffers,
    /// The text of the statement, terminated. May not be there.
    Statement,
}

/// What a worker has to know, and what it tells.
#[repr(C)]
pub struct Shared {
    pub table: pg_sys::Oid,
    pub index: pg_sys::Oid,
    /// Whether rows are written meanwhile (CONCURRENTLY).
    pub concurrent: bool,
    /// Kilobytes for the sort of each process.
    pub kilobytes: i32,
    /// Numbers of the plan.
    pub numbers: usize,
    table_rows: AtomicU64,
    index_rows: AtomicU64,
    broken: AtomicBool,
}

impl Shared {
    pub fn new(table: pg_sys::Oid, index: pg_sys::Oid, concurrent: bool, kilobytes: i32, numbers: usize) -> Shared {
        let (table_rows, index_rows, broken) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        Shared { table, index, concurrent, kilobytes, numbers, table_rows, index_rows, broken }
    }

    /// Add what a process has done, and whether it found a broken HOT chain.
    pub fn add(&self, counts: Counts, broken: bool) {
        self.table_rows.fetch_add(counts.table as u64, Ordering::Relaxed);
        self.index_rows.fetch_add(counts.index, Ordering::Relaxed);
        self.broken.fetch_or(broken, Ordering::Relaxed);
    }

    /// What all processes have done that have added to this.
    pub fn counts(&self) -> Counts {
        let table = self.table_rows.load(Ordering::Relaxed) as f64;
        Counts { table, index: self.index_rows.load(Ordering::Relaxed) }
    }

    /// Tell whether any process found a broken HOT chain.
    pub fn broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

/// The table of contents of the shared memory.
#[derive(Clone, Copy)]
pub struct Contents(pub *mut pg_sys::shm_toc);

impl Contents {
    /// Ask for room for a chunk, before the memory is there.
    ///
    /// # Safety
    /// - `context` is a parallel context whose memory is not yet made.
    pub unsafe fn plan(context: *mut pg_sys::ParallelContext, bytes: usize) {
        // What the server's own macro rounds up to.
        let bytes = bytes.next_multiple_of(pg_sys::ALIGNOF_BUFFER as usize);
        // SAFETY: by our contract; sizes are added with a check that raises.
        unsafe {
            let estimator = &mut (*context).estimator;
            estimator.space_for_chunks = pg_sys::add_size(estimator.space_for_chunks, bytes);
            estimator.number_of_keys = pg_sys::add_size(estimator.number_of_keys, 1);
        }
    }

    /// Make a chunk of so many bytes, for which there is room.
    ///
    /// # Safety
    /// - The table of contents is that of a parallel context whose memory was made, with the chunk planned for.
    pub unsafe fn make<T>(self, chunk: Chunk, bytes: usize) -> *mut T {
        // SAFETY: by our contract; the server raises where there is no room after all.
        unsafe {
            let start = pg_sys::shm_toc_allocate(self.0, bytes);
            pg_sys::shm_toc_insert(self.0, chunk as u64, start);
            start.cast()
        }
    }

    /// Find a chunk; null where there is none, which is an ERROR unless it is `optional`.
    ///
    /// # Safety
    /// - The memory is attached to.
    pub unsafe fn find<T>(self, chunk: Chunk, optional: bool) -> *mut T {
        // SAFETY: by our contract.
        let start: *mut c_void = unsafe { pg_sys::shm_toc_lookup(self.0, chunk as u64, optional) };
        start.cast()
    }
}
