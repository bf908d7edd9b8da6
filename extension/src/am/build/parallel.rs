//! The leader of a parallel build: it starts workers, does a share of the work itself, and takes over what they sorted.

use super::assign::{Counts, Job, assign};
use super::load::{no_plan, share};
use super::shared::{Chunk, Contents, Shared};
use super::spool::{Part, Spool};
use crate::am::kind::Kind;
use crate::pg::error::Result;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::ptr::null_mut;
use vw_ivf::Placer;

/// Kilobytes of `maintenance_work_mem` that there have to be for each process, as the server's own builds have it.
const EACH: i32 = 32 * 1024;

/// Count the workers that a build should have, by the size of the table and of the memory, and by what the table says.
///
/// # Safety
/// - The relations are open.
pub unsafe fn workers(job: Job) -> i32 {
    // SAFETY: by our contract. The server answers zero where a parallel build is not safe. A table's options are of
    // this kind, or it has none.
    unsafe {
        let planned = pg_sys::plan_create_index_workers((*job.table).rd_id, (*job.index).rd_id);
        let options = (*job.table).rd_options.cast::<pg_sys::StdRdOptions>().as_ref();
        if planned == 0 || options.is_some_and(|options| options.parallel_workers >= 0) {
            return planned;
        }
        // A row is much more work here than in a b-tree, and a short table may have long rows elsewhere.
        let most = pg_sys::max_parallel_maintenance_workers;
        planned.max(most.min(pg_sys::maintenance_work_mem / EACH - 1))
    }
}

/// A parallel build under way. Dropped, it waits for the workers to end.
pub struct Leader {
    context: *mut pg_sys::ParallelContext,
    snapshot: pg_sys::Snapshot,
    contents: Contents,
    shared: *mut Shared,
    launched: i32,
}

impl Leader {
    /// Start workers; `None` where the server has none to give.
    ///
    /// # Safety
    /// - Table and index are open and locked as for a build; `info` is the index's description.
    pub unsafe fn launch(job: Job, workers: i32, numbers: &[f32]) -> Result<Option<Leader>> {
        // SAFETY: by our contract; whatever raises here is undone by the end of the transaction.
        unsafe {
            let concurrent = (*job.info).ii_Concurrent;
            pg_sys::EnterParallelMode();
            let (library, function) = (c"$libdir/vw", c"vw_build_worker");
            let context = pg_sys::CreateParallelContext(library.as_ptr(), function.as_ptr(), workers);
            let snapshot = match concurrent {
                true => pg_sys::RegisterSnapshot(pg_sys::GetTransactionSnapshot()),
                false => &raw mut pg_sys::SnapshotAnyData,
            };
            let sizes = Sizes::of(job, workers, numbers, snapshot);
            sizes.plan(context);
            pg_sys::InitializeParallelDSM(context);
            let contents = Contents((*context).toc);
            let mut leader = Leader { context, snapshot, contents, shared: null_mut(), launched: 0 };
            if (*context).seg.is_null() {
                return Ok(None);
            }
            leader.fill(job, workers, numbers, &sizes);
            pg_sys::LaunchParallelWorkers(context);
            leader.launched = (*context).nworkers_launched;
            if leader.launched == 0 {
                return Ok(None);
            }
            pgrx::debug1!("using {} parallel workers", leader.launched);
            Ok(Some(leader))
        }
    }

    /// Fill the shared memory.
    ///
    /// # Safety
    /// - As for [`Leader::launch`]; the memory was made, for these sizes.
    unsafe fn fill(&mut self, job: Job, workers: i32, numbers: &[f32], sizes: &Sizes) {
        let kilobytes = share(numbers.len(), workers + 1);
        // SAFETY: by our contract; each chunk has the size of what is written to it.
        unsafe {
            let (table, index) = ((*job.table).rd_id, (*job.index).rd_id);
            let concurrent = (*job.info).ii_Concurrent;
            let shared = self.contents.make::<Shared>(Chunk::Shared, sizes.shared);
            shared.write(Shared::new(table, index, concurrent, kilobytes, numbers.len()));
            self.shared = shared;
            let scan = self.contents.make(Chunk::Scan, sizes.scan);
            pg_sys::table_parallelscan_initialize(job.table, scan, self.snapshot);
            let sort = self.contents.make(Chunk::Sort, sizes.sort);
            pg_sys::tuplesort_initialize_shared(sort, workers + 1, (*self.context).seg);
            let plan = self.contents.make::<f32>(Chunk::Plan, sizes.plan);
            std::ptr::copy_nonoverlapping(numbers.as_ptr(), plan, numbers.len());
            self.contents.make::<pg_sys::WalUsage>(Chunk::Wal, sizes.wal).write_bytes(0, workers as usize);
            self.contents.make::<pg_sys::BufferUsage>(Chunk::Buffers, sizes.buffers).write_bytes(0, workers as usize);
            if sizes.statement > 0 {
                let text = self.contents.make::<u8>(Chunk::Statement, sizes.statement);
                std::ptr::copy_nonoverlapping(pg_sys::debug_query_string.cast(), text, sizes.statement);
            }
        }
    }

    /// Do a share of the work, wait for the others, and give the counts and the sorted rows of all.
    ///
    /// # Safety
    /// - As for [`Leader::launch`]; the spool is dropped before the leader is.
    pub unsafe fn assign(&self, job: Job, kind: &Kind) -> Result<(Counts, Spool)> {
        // SAFETY: the chunks were made by `fill`, and nobody writes to the plan. The scan is one of the shared ones.
        unsafe {
            let shared = &*self.shared;
            let sort = self.contents.find(Chunk::Sort, false);
            let plan = self.contents.find::<f32>(Chunk::Plan, false);
            let numbers = std::slice::from_raw_parts(plan, shared.numbers);
            let placer = Placer::of_numbers(&kind.options(), numbers).ok_or_else(no_plan)?;
            let row_bytes = placer.row_bytes();
            let scan = pg_sys::table_beginscan_parallel(job.table, self.contents.find(Chunk::Scan, false));
            let mut spool = Spool::new(row_bytes, shared.kilobytes, Part::Share(sort));
            let counts = assign(job, scan, (kind, placer), &mut spool, true)?;
            shared.add(counts, (*job.info).ii_BrokenHotChain);
            drop(spool);
            pg_sys::WaitForParallelWorkersToFinish(self.context);
            (*job.info).ii_BrokenHotChain = shared.broken();
            // What is merged is read from files, through buffers that need not be large.
            let mut spool = Spool::new(row_bytes, shared.kilobytes, Part::Whole(sort, self.launched + 1));
            spool.sort();
            Ok((shared.counts(), spool))
        }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // SAFETY: everything here was begun by `launch`, and is ended in the opposite order.
        unsafe {
            if self.launched > 0 {
                pg_sys::WaitForParallelWorkersToFinish(self.context);
                let wal = self.contents.find::<pg_sys::WalUsage>(Chunk::Wal, false);
                let buffers = self.contents.find::<pg_sys::BufferUsage>(Chunk::Buffers, false);
                for worker in 0..self.launched as usize {
                    pg_sys::InstrAccumParallelQuery(buffers.add(worker), wal.add(worker));
                }
            }
            if (*self.snapshot).snapshot_type == pg_sys::SnapshotType::SNAPSHOT_MVCC {
                pg_sys::UnregisterSnapshot(self.snapshot);
            }
            pg_sys::DestroyParallelContext(self.context);
            pg_sys::ExitParallelMode();
        }
    }
}

/// The sizes of all chunks, in bytes.
struct Sizes {
    shared: usize,
    scan: usize,
    sort: usize,
    plan: usize,
    wal: usize,
    buffers: usize,
    /// 0 where there is no statement.
    statement: usize,
}

impl Sizes {
    /// # Safety
    /// - The table is open, and the snapshot is live.
    unsafe fn of(job: Job, workers: i32, numbers: &[f32], snapshot: pg_sys::Snapshot) -> Sizes {
        // SAFETY: by our contract; the statement is terminated, or null.
        unsafe {
            let statement = pg_sys::debug_query_string;
            Sizes {
                shared: size_of::<Shared>(),
                scan: pg_sys::table_parallelscan_estimate(job.table, snapshot),
                sort: pg_sys::tuplesort_estimate_shared(workers + 1),
                plan: size_of_val(numbers),
                wal: size_of::<pg_sys::WalUsage>() * workers as usize,
                buffers: size_of::<pg_sys::BufferUsage>() * workers as usize,
                statement: if statement.is_null() { 0 } else { CStr::from_ptr(statement).count_bytes() + 1 },
            }
        }
    }

    /// # Safety
    /// - As for [`Contents::plan`].
    unsafe fn plan(&self, context: *mut pg_sys::ParallelContext) {
        let Sizes { shared, scan, sort, plan, wal, buffers, statement } = *self;
        for bytes in [shared, scan, sort, plan, wal, buffers, statement] {
            // SAFETY: by our contract.
            unsafe { Contents::plan(context, bytes) };
        }
    }
}
