//! Processes as the kernel shows them: whose data folder they work in, how much memory is theirs alone.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The engines that work in a data folder.
pub fn engines(data: &Path) -> Vec<i32> {
    let name = |pid: &i32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    at_work_in(data).into_iter().filter(|pid| name(pid).trim() == "vw-engine").collect()
}

/// All processes that work in a data folder: the server's, and the engine.
pub fn at_work_in(data: &Path) -> Vec<i32> {
    let data = data.canonicalize().expect("the data folder is there");
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let place = |pid: &i32| std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
    pids.filter(|pid| place(pid) == data).collect()
}

/// Kill at once, as the kernel does when memory runs out.
pub fn kill(pid: i32) {
    signal(pid, libc::SIGKILL);
}

/// Kill at once what may have ended by itself meanwhile.
pub fn kill_if_there(pid: i32) {
    // SAFETY: a plain system call without pointers; that there is no such process is as good as that it was killed.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Whether there is such a process, be it one that ended and that its parent has not waited for.
pub fn is_there(pid: i32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}

/// Stop a process. It has stopped, with all its threads, when this returns: until the kernel has told every thread, which
/// takes a while where processors are busy, one of them may still answer.
pub fn stop(pid: i32) {
    signal(pid, libc::SIGSTOP);
    let limit = Instant::now() + Duration::from_secs(30);
    while !all_stopped(pid) {
        assert!(Instant::now() < limit, "process {pid} stops");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether every thread of a process is stopped, or it is gone.
fn all_stopped(pid: i32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut states = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    // The state follows the name, which is in brackets.
    states.all(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['T', 'Z', 'X'])))
}

/// Let a stopped process go on.
pub fn go_on(pid: i32) {
    signal(pid, libc::SIGCONT);
}

fn signal(pid: i32, signal: i32) {
    // SAFETY: a plain system call without pointers.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0, "process {pid} can be sent signal {signal}");
}

/// Let a process take no more addresses than it has and `more` bytes; or as many as there are. Done by a program that runs
/// as the process's user, since root itself may lack the right to in a container.
pub fn limit_memory(pid: i32, more: Option<u64>) {
    let (process, pages) = (format!("/proc/{pid}"), format!("/proc/{pid}/statm"));
    let sizes = std::fs::read_to_string(pages).expect("the process is there");
    let pages: u64 = sizes.split_whitespace().next().and_then(|word| word.parse().ok()).expect("a number of pages");
    // SAFETY: a plain system call without pointers.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64;
    let limit = more.map_or("unlimited".to_owned(), |more| (pages * page + more).to_string());
    let owner = std::fs::metadata(process).expect("the process is there");
    let mut command = Command::new("prlimit");
    command.args(["--pid", &pid.to_string(), &format!("--as={limit}:unlimited")]);
    let done = command.uid(owner.uid()).gid(owner.gid()).status().expect("prlimit of util-linux starts");
    assert!(done.success(), "process {pid} can be given limits");
}

/// Memory that no other process shares, in KiB.
pub fn private_memory(pid: i32) -> u64 {
    // Clean pages are those of files, and become private when some other process that maps the file ends.
    memory(pid, "Private_Dirty:")
}

/// All memory that a process has resident, in KiB.
pub fn resident_memory(pid: i32) -> u64 {
    memory(pid, "Rss:")
}

/// A field of smaps_rollup (proc(5)), in KiB.
fn memory(pid: i32, name: &str) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("the process is there");
    let line = rollup.lines().find(|line| line.starts_with(name)).expect("a field of smaps_rollup");
    line.split_whitespace().nth(1).and_then(|word| word.parse::<u64>().ok()).expect("a number of KiB")
}
