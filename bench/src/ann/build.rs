//! Building an index: how long it takes, how large it gets, and the memory that it takes meanwhile.
//!
//! The memory is that of the server's processes, as the kernel tells it: anonymous memory of the backend and its
//! parallel workers, and the dynamic shared memory that they map. The shared buffers are no part of it. It is known
//! where the server runs on this machine under an account that may be looked at.

use std::collections::BTreeSet;
use std::fs::{metadata, read, read_to_string};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::Plan;
use super::data::Data;
use super::kinds::Kind;
use super::session::{Side, run_made, set};

const INTERVAL: Duration = Duration::from_millis(5);
const MEGABYTE: f64 = 1_048_576.0;

/// What a build took.
pub struct Build {
    pub name: &'static str,
    pub seconds: f64,
    /// Megabytes beyond those of the idle session; none where it cannot be told.
    pub peak: Option<f64>,
    pub size: f64,
}

impl Build {
    pub fn describe(&self) -> String {
        let peak = self.peak.map_or_else(|| "unknown".to_owned(), |peak| format!("{peak:.0} MB"));
        format!("{}: built in {:.1} s, memory {peak}, size {:.0} MB", self.name, self.seconds, self.size)
    }
}

/// Build the index in a new session.
pub fn build(side: &Side, kind: &Kind, data: &Data, plan: &Plan) -> Result<Build> {
    let mut client = side.connect()?;
    set(&mut client, "maintenance_work_mem", &plan.memory)?;
    set(&mut client, "max_parallel_maintenance_workers", &plan.workers.to_string())?;
    let pid: i32 = client.query_one(include_str!("../../sql/ann_pid.sql"), &[])?.get(0);
    let (names, values): (Vec<&str>, Vec<String>) = (kind.options)(data.base.len(), data.metric).into_iter().unzip();
    let (done, begun) = (AtomicBool::new(false), Instant::now());
    let (outcome, seconds, peak) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| watch(pid, &done));
        let make = include_str!("../../sql/ann_index.sql");
        let outcome = run_made(&mut client, make, &[&kind.method, &data.metric.class(), &names, &values]);
        let seconds = begun.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        (outcome, seconds, watch.join())
    });
    outcome?;
    let peak = peak.map_err(|_| anyhow!("the thread that watches the memory ended early"))?;
    client.batch_execute(include_str!("../../sql/ann_checkpoint.sql"))?;
    let size: i64 = client.query_one(include_str!("../../sql/ann_size.sql"), &[])?.get(0);
    Ok(Build {
        name: kind.name,
        seconds,
        peak: peak.map(|bytes| bytes as f64 / MEGABYTE),
        size: size as f64 / MEGABYTE,
    })
}

/// Look at a backend again and again; give the most bytes, beyond those at first, until it is done.
fn watch(pid: i32, done: &AtomicBool) -> Option<u64> {
    let before = memory(pid)?;
    let mut most = before;
    while !done.load(Ordering::Relaxed) {
        most = most.max(memory(pid).unwrap_or(0));
        std::thread::sleep(INTERVAL);
    }
    Some(most - before)
}

/// The bytes of a backend and its parallel workers; none where the backend cannot be looked at.
fn memory(pid: i32) -> Option<u64> {
    let mut sum = anonymous(pid)?;
    let mut segments = BTreeSet::new();
    shared(pid, &mut segments);
    for worker in workers(pid) {
        // A worker may have ended since it was listed.
        sum += anonymous(worker).unwrap_or(0);
        shared(worker, &mut segments);
    }
    let blocks: u64 = segments.iter().filter_map(|path| metadata(path).ok()).map(|file| file.blocks()).sum();
    Some(sum + 512 * blocks)
}

/// The bytes of a process's own.
fn anonymous(pid: i32) -> Option<u64> {
    Some(1024 * field(pid, "RssAnon:")?)
}

fn field(pid: i32, name: &str) -> Option<u64> {
    let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Add the files of the dynamic shared memory that a process maps.
fn shared(pid: i32, segments: &mut BTreeSet<String>) {
    let maps = read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let files = maps.lines().filter_map(|line| line.find("/dev/shm/PostgreSQL.").and_then(|at| line.get(at..)));
    segments.extend(files.map(str::to_owned));
}

/// The parallel workers of a backend, which name it in their titles.
fn workers(pid: i32) -> Vec<i32> {
    let Some(server) = field(pid, "PPid:") else { return Vec::new() };
    let children = read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
    let title = format!("parallel worker for PID {pid}");
    let children = children.split_whitespace().filter_map(|word| word.parse().ok());
    children.filter(|child| named(*child, &title)).collect()
}

fn named(pid: i32, title: &str) -> bool {
    let words = read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&words);
    text.trim_end_matches(['\0', ' ']).ends_with(title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_is_taken_is_seen() {
        let (own, done) = (std::process::id() as i32, AtomicBool::new(false));
        let seen = std::thread::scope(|scope| {
            let watch = scope.spawn(|| watch(own, &done));
            std::thread::sleep(10 * INTERVAL);
            let taken = vec![1_u8; 64 << 20];
            std::thread::sleep(10 * INTERVAL);
            assert!(taken.iter().all(|byte| *byte == 1));
            done.store(true, Ordering::Relaxed);
            watch.join().unwrap()
        });
        assert!(seen.unwrap() >= 60 << 20, "{seen:?}");
    }

    #[test]
    fn a_process_that_is_not_there_is_unknown() {
        assert_eq!(memory(i32::MAX), None);
    }
}
