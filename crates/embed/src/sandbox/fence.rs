//! The fence of a decoder: what the process gives up before it reads the first byte of a stranger.

mod calls;

use std::io::{Error, Result};
use std::time::Duration;

/// Descriptors that a decoder may have open: three pipes, and the files of a tower one at a time.
const DESCRIPTORS: u64 = 16;

/// Seconds between the time of a job and the moment at which the system kills, should the engine not; what was used
/// before is rounded down.
const GRACE: u64 = 1;

/// Give up everything that decoding does not need; `memory` is the most address space that will ever be allowed.
pub fn close(memory: u64) -> Result<()> {
    // SAFETY: closing descriptors that nothing in this process uses yet; only the three standard ones are in use.
    check(unsafe { libc::close_range(3, libc::c_uint::MAX, 0) })?;
    // A container may forbid this; the decoder is then no likelier to go than others when memory runs out.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    limit(libc::RLIMIT_AS, memory, memory)?;
    limit(libc::RLIMIT_CORE, 0, 0)?;
    limit(libc::RLIMIT_FSIZE, 0, 0)?;
    limit(libc::RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS)?;
    prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)?;
    calls::limit()
}

/// Allow the next job `memory` bytes of address space and `seconds` of the processor.
pub fn allow(memory: u64, seconds: u64) -> Result<()> {
    let most = limits(libc::RLIMIT_AS)?.rlim_max;
    limit(libc::RLIMIT_AS, memory.min(most), most)?;
    let most = limits(libc::RLIMIT_CPU)?.rlim_max;
    let used = processor_time()?.as_secs();
    let end = used.saturating_add(seconds).saturating_add(GRACE);
    limit(libc::RLIMIT_CPU, end.min(most), most)
}

/// The time that this process spent on a processor.
fn processor_time() -> Result<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` has room for what the call writes.
    check(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) })?;
    Ok(Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32))
}

fn limits(resource: libc::__rlimit_resource_t) -> Result<libc::rlimit> {
    let mut limits = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limits` has room for what the call writes.
    check(unsafe { libc::getrlimit(resource, &mut limits) })?;
    Ok(limits)
}

/// Set both limits, neither above what is allowed now.
fn limit(resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> Result<()> {
    let most = limits(resource)?.rlim_max;
    let wanted = libc::rlimit { rlim_cur: soft.min(most), rlim_max: hard.min(most) };
    // SAFETY: `wanted` is read, no more.
    check(unsafe { libc::setrlimit(resource, &wanted) })
}

fn prctl(option: libc::c_int, value: libc::c_ulong) -> Result<()> {
    // SAFETY: the options that are used here take one number and no pointers.
    check(unsafe { libc::prctl(option, value, 0, 0, 0) })
}

fn check(status: libc::c_int) -> Result<()> {
    if status == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}
