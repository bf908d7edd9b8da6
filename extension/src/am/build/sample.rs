//! A random part of the table's vectors, for the plan, and about how many rows there are.
//!
//! A look at a few blocks tells how many rows a block has; then blocks from all over the table are read, with few rows
//! taken from each, for rows that were written together are often alike. Where that comes to most of the table, all of
//! it is read.

use super::assign::Job;
use super::progress;
use crate::am::kind::Kind;
use crate::am::memory::Scratch;
use crate::am::{error, heap};
use crate::pg::error::{Fault, Result};
use crate::pg::toast::Kept;
use pgrx::pg_sys;
use std::ffi::c_void;
use vw_ivf::{Options, Sample};

/// Blocks that are looked at first.
const FIRST_LOOK: u32 = 64;
/// Rows that have to be seen there, or they say nothing about the table.
const FEW: u64 = 32;
/// Rows that are taken from a block, where there is a choice.
const PER_BLOCK: f64 = 4.0;
/// Vectors wanted for each list.
const PER_LIST: usize = 128;
/// Bytes that a sample may take however little memory there is.
const LEAST_BYTES: usize = 4 << 20;
/// Where the choice of blocks begins. One for all builds, so that they are alike.
const SEED: u32 = 0x7677_6976;

/// Rows seen, and some of their vectors.
struct Taking<'a> {
    kind: &'a Kind,
    sample: Sample,
    /// The share of rows whose vectors are taken.
    share: f64,
    seen: u64,
    vector: Vec<f32>,
    toast: Kept,
    scratch: Scratch,
}

/// Take a sample in at most so many bytes of memory. Gives it, and an estimate of the rows that the index will have.
///
/// # Safety
/// - The relations are open and locked; `info` is the index's.
pub unsafe fn take(job: Job, kind: &Kind, options: &Options, bytes: usize) -> Result<(Sample, u64)> {
    let room = (bytes.max(LEAST_BYTES) / Sample::bytes(options).max(1)).max(1);
    // SAFETY: by our contract.
    let (blocks, job) = unsafe {
        let main = pg_sys::ForkNumber::MAIN_FORKNUM;
        (pg_sys::RelationGetNumberOfBlocksInFork(job.table, main), Job { info: description(job), ..job })
    };
    let scratch = Scratch::new();
    let sample = Sample::new(options, 0).ok_or_else(Fault::out_of_memory)?;
    let (toast, vector) = (Kept::new(), Vec::new());
    let mut taking = Taking { kind, sample, share: 0.0, seen: 0, vector, toast, scratch };
    let (mut wanted, mut visit) = (room, blocks);
    if blocks > 2 * FIRST_LOOK {
        // SAFETY: by our contract.
        unsafe { taking.some(job, blocks, FIRST_LOOK)? };
    }
    // Where there are few blocks, or few of their rows are in the index, all of the table is read.
    taking.share = 1.0;
    if taking.seen >= FEW {
        let density = taking.seen as f64 / f64::from(FIRST_LOOK);
        let lists = vw_ivf::lists(options, (density * f64::from(blocks)) as u64);
        wanted = room.min(lists.saturating_mul(PER_LIST));
        let needed = (wanted as f64 / density.min(PER_BLOCK)).ceil();
        if 2.0 * needed < f64::from(blocks) {
            visit = needed as u32;
        }
        // A few more, for chance.
        taking.share = 1.05 * wanted as f64 / (density * f64::from(visit));
    }
    taking.seen = 0;
    taking.sample = Sample::new(options, wanted).ok_or_else(Fault::out_of_memory)?;
    // SAFETY: by our contract.
    unsafe {
        if visit < blocks {
            taking.some(job, blocks, visit)?;
        } else {
            taking.blocks(job, 0, blocks)?;
        }
    }
    let rows = taking.seen as f64 * f64::from(blocks) / f64::from(visit.max(1));
    Ok((taking.sample, rows as u64))
}

/// A description of the index for scans of our own, which leave the build's as it is.
///
/// # Safety
/// - As for [`take`].
unsafe fn description(job: Job) -> *mut pg_sys::IndexInfo {
    // SAFETY: by our contract; the new description is in the current memory context.
    unsafe {
        let info = pg_sys::BuildIndexInfo(job.index);
        (*info).ii_Concurrent = (*job.info).ii_Concurrent;
        info
    }
}

impl Taking<'_> {
    /// Look at so many blocks, which are chosen by chance.
    ///
    /// # Safety
    /// - As for [`take`].
    unsafe fn some(&mut self, job: Job, blocks: u32, count: u32) -> Result<()> {
        // SAFETY: zero is a valid value of every field, and what is asked for is as large as the server's sampler wants.
        unsafe {
            let mut sampler: pg_sys::BlockSamplerData = std::mem::zeroed();
            pg_sys::BlockSampler_Init(&mut sampler, blocks, count as i32, SEED as _);
            let mut done = 0;
            while pg_sys::BlockSampler_HasMore(&mut sampler) {
                pgrx::check_for_interrupts!();
                let block = pg_sys::BlockSampler_Next(&mut sampler);
                self.blocks(job, block, 1)?;
                done += 1;
                progress::blocks(done, count);
            }
        }
        Ok(())
    }

    /// Look at `count` blocks from `first` on.
    ///
    /// # Safety
    /// - As for [`take`].
    unsafe fn blocks(&mut self, job: Job, first: u32, count: u32) -> Result<()> {
        let state = (self as *mut Self).cast::<c_void>();
        // SAFETY: by our contract; `look` takes a `Taking`, and we leave it alone until the call is over.
        unsafe { heap::blocks((job.table, job.index, job.info), Some(look), state, (first, count)) }
    }
}

/// Look at one row of the table.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn look(
    _index: pg_sys::Relation,
    _pointer: pg_sys::ItemPointer,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    alive: bool,
    state: *mut c_void,
) {
    // SAFETY: the scan passes a value and a NULL flag for each column, and the state that `blocks` gave it.
    let (taking, null) = unsafe { (&mut *state.cast::<Taking>(), *nulls) };
    if null || !alive {
        return;
    }
    taking.seen += 1;
    let Taking { kind, sample, share, vector, toast, scratch, .. } = taking;
    if sample.chance(*share) {
        // SAFETY: not NULL, so a value of the column's type.
        error::done(scratch.within(|| unsafe { kind.vector_of_many(*values, toast, vector) }));
        scratch.reset();
        sample.offer(vector);
    }
}
