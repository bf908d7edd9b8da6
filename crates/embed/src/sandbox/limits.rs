//! How much one file may cost, by how large it is.
//!
//! Memory is 256 MiB for all of them, the program itself among it: a photograph of 50 megapixels takes 150 MB of RGB, and its
//! file. What makes a file hostile in time is that little is sent and much is asked for, so that limit grows with the file, within
//! two seconds for all; the largest good file, a progressive JPEG of 33 megapixels, takes about one on a processor of 2023.

use std::time::Duration;

const MIB: u64 = 1 << 20;

/// What every file may take of the longest time on the processor, in percent; one more for each MiB of it.
const BASE_TIME: u32 = 75;
/// What no file exceeds, in percent: the rest is for ending the process.
const MOST_TIME: u32 = 95;
/// How many times as long a decoder may take on the wall.
const WALL: u32 = 5;

/// The limits of all decoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of address space that no decoder exceeds.
    pub memory: u64,
    /// Time of the processor within which every file is answered; on the wall it may be five times as long.
    pub time: Duration,
    /// Bytes of resident memory with which a decoder is not kept for the next file.
    pub keep: u64,
    /// How long a decoder that has nothing to do is kept.
    pub idle: Duration,
    /// Decoders at the most; 0 means one for each core.
    pub decoders: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        let (time, idle) = (Duration::from_secs(2), Duration::from_secs(60));
        Limits { memory: 256 * MIB, time, keep: 96 * MIB, idle, decoders: 0 }
    }
}

/// The limits of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes of address space.
    pub memory: u64,
    /// Time of the processor.
    pub processor: Duration,
    /// Time on the wall. It is longer, so that a busy machine does not make a good file look hostile.
    pub wall: Duration,
}

impl Limits {
    /// The least memory in which a decoder starts, with some to spare.
    pub const LEAST_MEMORY: u64 = 64 * MIB;

    /// The limits of a file of so many bytes.
    pub fn of_file(&self, bytes: usize) -> Allowance {
        let bytes = bytes as u64;
        let share = u32::try_from(bytes / MIB).map_or(MOST_TIME, |mib| mib.saturating_add(BASE_TIME).min(MOST_TIME));
        let (processor, wall) = (self.time.saturating_mul(share) / 100, self.time.saturating_mul(WALL));
        Allowance { memory: self.memory, processor, wall }
    }

    /// How many decoders there are at the most.
    pub fn count(&self) -> usize {
        match self.decoders {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            named => named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_get_little_and_large_ones_no_more_than_the_limit() {
        let limits = Limits::default();
        let small = limits.of_file(40_000);
        assert_eq!((small.memory, small.processor), (256 * MIB, Duration::from_millis(1500)));
        let photograph = limits.of_file(12 << 20);
        assert_eq!((photograph.memory, photograph.processor), (256 * MIB, Duration::from_millis(1740)));
        let huge = limits.of_file(usize::MAX);
        assert_eq!((huge.memory, huge.processor), (limits.memory, Duration::from_millis(1900)));
        assert_eq!((huge.wall, small.wall), (Duration::from_secs(10), Duration::from_secs(10)));
    }

    #[test]
    fn a_limit_that_the_user_changes_holds_for_small_files_too() {
        let limits = Limits { memory: 100 * MIB, time: Duration::from_millis(400), ..Limits::default() };
        let small = limits.of_file(1);
        assert_eq!((small.memory, small.processor), (100 * MIB, Duration::from_millis(300)));
        let slow = Limits { time: Duration::from_secs(10), ..Limits::default() };
        assert_eq!(slow.of_file(1).processor, Duration::from_millis(7500));
    }
}
