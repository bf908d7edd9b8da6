//! A build from its beginning to its end. What each of its parts does is in the other files.

use super::assign::{Counts, Job, assign};
use super::parallel::{self, Leader};
use super::progress::{self, Phase};
use super::sample;
use super::spool::{Part, Spool};
use crate::am::kind::Kind;
use crate::am::store::Store;
use crate::pg::error::{Fault, Result};
use pgrx::pg_sys;
use std::ptr::null_mut;
use vw_ivf::{Coding, Loader, Options, Placer, Plan};

/// Rows between two reports of progress.
const REPORT: u64 = 1024;

/// Load the index with every row of the table.
///
/// # Safety
/// - Table and index are open and locked as for a build; `info` is the index's description.
pub unsafe fn load(job: Job) -> Result<Counts> {
    // SAFETY: by our contract.
    let (store, kind) = unsafe { (Store::new(job.index), Kind::of(job.index)) };
    kind.check()?;
    let options = kind.options();
    // SAFETY: by our contract.
    let plan = unsafe { plan(job, &kind, &options)? };
    progress::begin(Phase::Sorting);
    let numbers = plan.to_numbers();
    // SAFETY: by our contract. The leader and its shared sort live until the lists are written.
    let (leader, counts, spool) = unsafe {
        let leader = match parallel::workers(job) {
            0 => None,
            workers => Leader::launch(job, workers, &numbers)?,
        };
        let (counts, spool) = match &leader {
            Some(leader) => leader.assign(job, &kind)?,
            None => alone(job, &kind, &numbers)?,
        };
        (leader, counts, spool)
    };
    drop(numbers);
    write(&store, &options, plan, (spool, counts.index))?;
    drop(leader);
    Ok(counts)
}

/// Plan the lists.
///
/// # Safety
/// - As for [`load`].
unsafe fn plan(job: Job, kind: &Kind, options: &Options) -> Result<Plan> {
    if options.coding == Coding::None {
        return Ok(Plan::default());
    }
    progress::begin(Phase::Sampling);
    // SAFETY: by our contract.
    let (sample, rows) = unsafe { sample::take(job, kind, options, memory())? };
    progress::begin(Phase::Centroids);
    Ok(Plan::new(sample, rows, &mut pause))
}

/// Put all rows to lists in this process.
///
/// # Safety
/// - As for [`load`].
unsafe fn alone(job: Job, kind: &Kind, numbers: &[f32]) -> Result<(Counts, Spool)> {
    let placer = Placer::of_numbers(&kind.options(), numbers).ok_or_else(no_plan)?;
    let kilobytes = share(numbers.len(), 1);
    // SAFETY: by our contract.
    unsafe {
        let mut spool = Spool::new(placer.row_bytes(), kilobytes, Part::Alone);
        let counts = assign(job, null_mut(), (kind, placer), &mut spool, true)?;
        Ok((counts, spool))
    }
}

/// Write the lists.
fn write(store: &Store, options: &Options, plan: Plan, (mut spool, total): (Spool, u64)) -> Result<()> {
    progress::begin(Phase::Writing);
    progress::tuples(0, total);
    let mut loader = Loader::new(store, options, plan)?;
    let mut done = 0;
    while let Some((list, tid, row)) = spool.next() {
        loader.push(list, tid, row, &mut pause)?;
        done += 1;
        if done % REPORT == 0 {
            progress::tuples(done, total);
        }
    }
    drop(spool);
    progress::begin(Phase::Measuring);
    loader.finish(&mut pause)?;
    Ok(())
}

/// The bytes of `maintenance_work_mem` that a sample or a sort may have: three quarters. Clusters take memory too, and
/// of what is freed the C library keeps a part.
fn memory() -> usize {
    // SAFETY: reads a setting of this process.
    usize::try_from(unsafe { pg_sys::maintenance_work_mem }).unwrap_or(0).saturating_mul(1024) / 4 * 3
}

/// The kilobytes for the sort of each of so many processes that share a plan of `numbers` numbers.
pub fn share(numbers: usize, processes: i32) -> i32 {
    /// What the server's sort takes at least.
    const LEAST: usize = 64;
    let rest = memory().saturating_sub(numbers * size_of::<f32>()) / 1024;
    let share = rest / usize::try_from(processes).unwrap_or(1).max(1);
    i32::try_from(share.max(LEAST)).unwrap_or(i32::MAX)
}

/// The fault of a plan that does not read as one.
pub fn no_plan() -> Fault {
    Fault::internal("the plan of the lists is not whole")
}

/// Serve interrupts: a cancelled build ends here.
fn pause() {
    pgrx::check_for_interrupts!();
}
