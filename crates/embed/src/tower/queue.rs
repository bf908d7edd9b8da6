//! Who is next: two lanes of jobs, single requests before bulk ones, which get one batch in eight even so; within a
//! lane, jobs take turns batch by batch.
//!
//! No threads, clocks or models here, so that the order can be tested against a naive twin.

use std::collections::VecDeque;
use std::sync::Arc;

use super::batch::{Joins, Load};

/// Batches of single requests in a row while bulk work waits; the next one is bulk's.
pub const IN_A_ROW: u32 = 7;

/// The waiting work of one tower.
pub struct Queue<J> {
    single: VecDeque<Entry<J>>,
    bulk: VecDeque<Entry<J>>,
    /// Batches of single requests since the last one of bulk work, or since there was none.
    in_a_row: u32,
}

/// A job with inputs that were in no batch yet.
struct Entry<J> {
    job: Arc<J>,
    /// Length and place of each, shortest first.
    rest: VecDeque<(usize, usize)>,
}

/// One input of a batch: its job, and its place among that job's inputs.
pub type Share<J> = (Arc<J>, usize);

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self { single: VecDeque::new(), bulk: VecDeque::new(), in_a_row: 0 }
    }
}

impl<J> Queue<J> {
    /// Line up a job whose inputs have these lengths.
    pub fn push(&mut self, job: Arc<J>, bulk: bool, lengths: impl Iterator<Item = usize>) {
        let mut rest: Vec<(usize, usize)> = lengths.enumerate().map(|(at, length)| (length, at)).collect();
        rest.sort_unstable();
        let lane = if bulk { &mut self.bulk } else { &mut self.single };
        lane.push_back(Entry { job, rest: rest.into() });
    }

    /// Forget the jobs that are not `wanted` any more, and give them.
    pub fn retain(&mut self, wanted: impl Fn(&J) -> bool) -> Vec<Arc<J>> {
        let mut gone = Vec::new();
        for lane in [&mut self.single, &mut self.bulk] {
            lane.retain(|entry| {
                let stays = wanted(&entry.job);
                if !stays {
                    gone.push(Arc::clone(&entry.job));
                }
                stays
            });
        }
        gone
    }

    /// Take the next batch, which grows as `joins` allows; empty when nothing waits.
    ///
    /// The job at the head of the lane gives its shortest inputs. Other single jobs may fill what room is left, so
    /// that queries that came together run together; bulk jobs do not share, since each fills its batches itself, with
    /// inputs of like length, so that little is padded.
    pub fn next(&mut self, joins: Joins<'_>) -> Vec<Share<J>> {
        let turn = self.in_a_row >= IN_A_ROW && !self.bulk.is_empty();
        if self.single.is_empty() || turn {
            self.in_a_row = 0;
            return Self::turn(&mut self.bulk, 1, &|now, next| next.padded_little() && joins(now, next));
        }
        self.in_a_row = if self.bulk.is_empty() { 0 } else { self.in_a_row + 1 };
        let all = self.single.len();
        Self::turn(&mut self.single, all, joins)
    }

    /// Take a batch out of the first `takers` jobs of a lane.
    fn turn(lane: &mut VecDeque<Entry<J>>, takers: usize, joins: Joins<'_>) -> Vec<Share<J>> {
        let mut load = Load::default();
        let mut batch = Vec::new();
        for entry in lane.iter_mut().take(takers) {
            let taken = entry.rest.iter().take_while(|(length, _)| load.take(*length, joins)).count();
            batch.extend(entry.rest.drain(..taken).map(|(_, at)| (Arc::clone(&entry.job), at)));
        }
        if let Some(head) = lane.pop_front() {
            lane.push_back(head);
        }
        lane.retain(|entry| !entry.rest.is_empty());
        batch
    }

    /// The single requests that wait.
    pub fn singles(&self) -> usize {
        self.single.len()
    }

    /// The length of the input that the next single request begins with; 0 where none waits.
    pub fn head(&self) -> usize {
        self.single.front().and_then(|entry| entry.rest.front()).map_or(0, |(length, _)| *length)
    }

    /// The inputs that wait.
    pub fn waiting(&self) -> usize {
        self.single.iter().chain(&self.bulk).map(|entry| entry.rest.len()).sum()
    }
}

#[cfg(test)]
mod tests;
