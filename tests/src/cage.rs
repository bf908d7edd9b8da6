//! A memory control group that a running process is put into, so that the kernel ends it for want of memory as it would on a
//! machine that has none left. Only root can make one; everybody else gets none.

use std::path::{Path, PathBuf};

/// Where the kernel shows the groups: of the first and of the second version.
const FIRST: &str = "/sys/fs/cgroup/memory";
const SECOND: &str = "/sys/fs/cgroup";

/// A group that is gone when dropped, once its processes are.
pub struct Cage {
    folder: PathBuf,
    limit: &'static str,
    kills: &'static str,
}

impl Cage {
    /// Make a group that may take `bytes` beyond what its processes hold already; none where that is not allowed.
    pub fn new(bytes: u64) -> Option<Cage> {
        let name = format!("vw-test-{}", std::process::id());
        let first = Path::new(FIRST).join("memory.limit_in_bytes").exists();
        let cage = if first {
            Cage { folder: Path::new(FIRST).join(name), limit: "memory.limit_in_bytes", kills: "memory.oom_control" }
        } else {
            Cage { folder: Path::new(SECOND).join(name), limit: "memory.max", kills: "memory.events" }
        };
        std::fs::create_dir(&cage.folder).ok()?;
        std::fs::write(cage.folder.join(cage.limit), bytes.to_string()).ok()?;
        Some(cage)
    }

    /// Put a process in. What it holds is not counted, only what it asks for from now on.
    pub fn close_in(&self, pid: i32) {
        std::fs::write(self.folder.join("cgroup.procs"), pid.to_string())
            .expect("the process can be put into the group");
    }

    /// Processes of the group that the kernel ended.
    pub fn kills(&self) -> u32 {
        let text = std::fs::read_to_string(self.folder.join(self.kills)).expect("the group is there");
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|count| count.parse().ok()).expect("the kernel counts")
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // Where a process is left in it, the group stays until the machine is started again.
        let _ = std::fs::remove_dir(&self.folder);
    }
}
