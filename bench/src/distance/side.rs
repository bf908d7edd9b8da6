//! One side: a session whose backend's processor time is told.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Result;
use postgres::Client;

/// A session with a schema of its own, which holds its tables and what makes them.
pub struct Side {
    pub client: Client,
    /// The backend's process.
    process: i32,
}

impl Side {
    /// Make the schema and what is in it.
    pub fn new(mut client: Client, schema: &str) -> Result<Side> {
        client.batch_execute(schema)?;
        client.batch_execute(include_str!("../../sql/distance_functions.sql"))?;
        let process = client.query_one(include_str!("../../sql/ann_pid.sql"), &[])?.get(0);
        Ok(Side { client, process })
    }

    /// Run a statement, and give the nanoseconds of the processor that it took; those of the clock where the system does
    /// not tell.
    pub fn turn(&mut self, statement: &str) -> Result<f64> {
        let before = self.used();
        let begun = Instant::now();
        self.client.batch_execute(statement)?;
        let passed = begun.elapsed().as_nanos() as f64;
        let (Some(before), Some(after)) = (before, self.used()) else { return Ok(passed) };
        Ok((after - before) as f64)
    }

    /// The nanoseconds that the backend has run, once it waits for us again: then they stand still.
    fn used(&self) -> Option<u64> {
        let read = || -> Option<u64> {
            let line = std::fs::read_to_string(format!("/proc/{}/schedstat", self.process)).ok()?;
            line.split_whitespace().next()?.parse().ok()
        };
        let mut last = read()?;
        loop {
            std::thread::sleep(std::time::Duration::from_micros(100));
            let next = read()?;
            if next == last {
                return Some(next);
            }
            last = next;
        }
    }
}

/// Let all sides run on one processor, so that they have the same cache; where it cannot be done, that is said.
pub fn pin(sides: &[Side]) -> Result<()> {
    let processor = std::thread::available_parallelism()?.get() - 1;
    for side in sides {
        let mut taskset = Command::new("taskset");
        taskset.args(["--pid", "--cpu-list", &processor.to_string(), &side.process.to_string()]);
        if !taskset.stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
            println!("  taskset does not work here: the sides run on any processor");
            break;
        }
    }
    Ok(())
}
