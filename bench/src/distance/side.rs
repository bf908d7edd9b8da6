//! One side: a session whose backend's processor time is told.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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

    /// The nanoseconds that the backend has run, once it sleeps and waits for us: until then they are not up to date.
    fn used(&self) -> Option<u64> {
        let read = |what: &str| std::fs::read_to_string(format!("/proc/{}/{what}", self.process)).ok();
        // The state follows the name, which is in brackets.
        while !read("stat")?.rsplit_once(") ")?.1.starts_with('S') {
            std::thread::sleep(Duration::from_micros(20));
        }
        read("schedstat")?.split_whitespace().next()?.parse().ok()
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
