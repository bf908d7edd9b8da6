//! A worker of a parallel build: puts its share of the table's rows to lists, and leaves them sorted to the leader.

use super::assign::{Job, assign};
use super::load::no_plan;
use super::shared::{Chunk, Contents, Shared};
use super::spool::{Part, Spool};
use crate::am::error;
use crate::am::kind::Kind;
use crate::pg::error::Result;
use pgrx::pg_sys;
use vw_ivf::Placer;

/// The worker's entry point, by the name that the leader gives to the server.
///
/// # Safety
/// - The server calls it in a parallel worker, with the memory that the leader made.
#[unsafe(no_mangle)]
#[pgrx::pg_guard]
pub unsafe extern "C-unwind" fn vw_build_worker(segment: *mut pg_sys::dsm_segment, contents: *mut pg_sys::shm_toc) {
    // SAFETY: by our contract.
    error::done(unsafe { work(segment, Contents(contents)) });
}

/// Do a share of the work.
///
/// # Safety
/// - As for [`vw_build_worker`].
unsafe fn work(segment: *mut pg_sys::dsm_segment, contents: Contents) -> Result<()> {
    // SAFETY: by our contract the chunks are there, as the leader filled them; it holds locks of the same strength on
    // both relations, and waits for us.
    unsafe {
        let shared = &*contents.find::<Shared>(Chunk::Shared, false);
        pg_sys::debug_query_string = contents.find(Chunk::Statement, true);
        pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, pg_sys::debug_query_string);
        let (table_lock, index_lock) = match shared.concurrent {
            true => (pg_sys::ShareUpdateExclusiveLock, pg_sys::RowExclusiveLock),
            false => (pg_sys::ShareLock, pg_sys::AccessExclusiveLock),
        };
        let table = pg_sys::table_open(shared.table, table_lock as i32);
        let index = pg_sys::index_open(shared.index, index_lock as i32);
        let info = pg_sys::BuildIndexInfo(index);
        (*info).ii_Concurrent = shared.concurrent;
        share(Job { table, index, info }, shared, segment, contents)?;
        pg_sys::index_close(index, index_lock as i32);
        pg_sys::table_close(table, table_lock as i32);
    }
    Ok(())
}

/// Put the rows of the shared scan to lists, and count what that took.
///
/// # Safety
/// - As for [`vw_build_worker`]; the relations are open and locked.
unsafe fn share(job: Job, shared: &Shared, segment: *mut pg_sys::dsm_segment, contents: Contents) -> Result<()> {
    // SAFETY: by our contract; nobody writes to the plan, and each worker has places of its own for what it used.
    unsafe {
        let sort = contents.find(Chunk::Sort, false);
        pg_sys::tuplesort_attach_shared(sort, segment);
        let numbers = std::slice::from_raw_parts(contents.find::<f32>(Chunk::Plan, false), shared.numbers);
        let kind = Kind::of(job.index);
        let placer = Placer::of_numbers(&kind.options(), numbers).ok_or_else(no_plan)?;
        pg_sys::InstrStartParallelQuery();
        let mut spool = Spool::new(placer.row_bytes(), shared.kilobytes, Part::Share(sort));
        let scan = pg_sys::table_beginscan_parallel(job.table, contents.find(Chunk::Scan, false));
        let counts = assign(job, scan, (&kind, placer), &mut spool, false)?;
        shared.add(counts, (*job.info).ii_BrokenHotChain);
        drop(spool);
        let number = pg_sys::ParallelWorkerNumber as usize;
        let buffers = contents.find::<pg_sys::BufferUsage>(Chunk::Buffers, false).add(number);
        pg_sys::InstrEndParallelQuery(buffers, contents.find::<pg_sys::WalUsage>(Chunk::Wal, false).add(number));
    }
    Ok(())
}
