//! The system calls that a decoder is left with. It reads files and its pipe, asks for memory, and ends; whatever else
//! it tries, sockets and programs and other processes above all, fails as forbidden.
//!
//! See seccomp(2). An old kernel or a container may not offer it; a decoder then has its other limits.

use std::collections::BTreeMap;
use std::io::Result;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// Calls that are allowed whatever their arguments.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_getdents64,
    libc::SYS_ppoll,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_tgkill,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Forbid all other calls from here on.
pub fn limit() -> Result<()> {
    match filter().map(|program| apply_filter(&program)) {
        Ok(Ok(())) => Ok(()),
        // What the kernel refuses is no more than one fence of several.
        Ok(Err(_)) => Ok(()),
        Err(error) => Err(std::io::Error::other(error)),
    }
}

fn filter() -> std::result::Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<libc::c_long, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    // Files are opened for reading only: the third argument has none of the flags that write, make or cut.
    let writes = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC) as u64;
    let reads =
        SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(writes), libc::O_RDONLY as u64)?;
    rules.insert(libc::SYS_openat, vec![SeccompRule::new(vec![reads])?]);
    // Limits are read and set for the own process, which is 0.
    let own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 0)?;
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![own])?]);
    let forbidden = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, forbidden, SeccompAction::Allow, std::env::consts::ARCH.try_into()?)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{ErrorKind, Read};

    /// The filter holds for the thread that sets it, and for no other.
    #[test]
    fn files_can_be_read_and_nothing_else_can_be_done() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("x");
        std::fs::write(&path, "abc").expect("it can be written");
        let attempts = std::thread::spawn(move || {
            limit().expect("the kernel has filters");
            let mut text = String::new();
            File::open(&path).and_then(|mut file| file.read_to_string(&mut text)).expect("it can be read");
            let more: Vec<u8> = vec![1; 50 << 20];
            let kind = |error: std::io::Error| error.kind();
            let attempts = [
                ("write a file", File::options().write(true).open(&path).map(drop).map_err(kind)),
                ("make a file", File::create(path.with_file_name("y")).map(drop).map_err(kind)),
                ("remove a file", std::fs::remove_file(&path).map_err(kind)),
                ("listen", std::net::TcpListener::bind("127.0.0.1:0").map(drop).map_err(kind)),
                ("connect", std::os::unix::net::UnixStream::connect(&path).map(drop).map_err(kind)),
                ("start a program", std::process::Command::new("/bin/true").spawn().map(drop).map_err(kind)),
                ("start a thread", std::thread::Builder::new().spawn(|| ()).map(drop).map_err(kind)),
            ];
            (text, more.len(), attempts)
        });
        let (text, length, attempts) = attempts.join().expect("the thread ends in order");
        assert_eq!((text.as_str(), length), ("abc", 50 << 20));
        for (what, outcome) in attempts {
            assert_eq!(outcome, Err(ErrorKind::PermissionDenied), "{what}");
        }
    }
}
