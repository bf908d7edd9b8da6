//! A PostgreSQL cluster of our own in one folder, reached over a unix socket that only its account can open.
//!
//! Nothing listens on the network. The server is our child: it ends when we do, however we end.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use crate::account::Account;
use crate::process;
use crate::shell::run;

/// The longest folder of a unix socket; the kernel takes 107 bytes with the socket's own name.
const MAX_SOCKET_FOLDER: usize = 90;
/// The longest wait for the server to accept connections; crash recovery is part of it.
const START: Duration = Duration::from_secs(120);
/// The longest wait for a fast shutdown.
const STOP: Duration = Duration::from_secs(30);

/// Where a cluster is and who runs it.
pub struct Cluster {
    pub account: Account,
    programs: PathBuf,
    data: PathBuf,
    /// The folder of the unix socket, which is also the host to connect to.
    pub socket: PathBuf,
    pub log: PathBuf,
}

impl Cluster {
    /// Describe the cluster below `folder` that the server of `pg_config` runs; makes its folders.
    pub fn new(pg_config: &Path, folder: &Path) -> Result<Cluster> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let account = Account::for_folder(folder)?;
        let programs = pg_config.parent().context("pg_config has no folder")?.to_owned();
        let socket = socket_folder(&folder.join("run"), account.owner()?);
        let log = folder.join("log");
        if !socket.starts_with(folder) {
            check_claimed(&socket, account.owner()?)?;
        }
        for folder in [&socket, &log] {
            account.private_folder(folder)?;
        }
        Ok(Cluster { account, programs, data: folder.join("data"), socket, log: log.join("postgresql.log") })
    }

    /// The major version that made the data folder, or `None` before `initialise`.
    pub fn major(&self) -> Option<u32> {
        std::fs::read_to_string(self.data.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Make the data folder.
    pub fn initialise(&self) -> Result<()> {
        self.account.private_folder(&self.data)?;
        let mut command = self.account.command(&self.programs.join("initdb"));
        // Trust is enough where only one account can reach the socket.
        command.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C.UTF-8", "-D"]).arg(&self.data);
        run(command.stdout(Stdio::null()))?;
        let main = self.data.join("postgresql.conf");
        let mut text = std::fs::read_to_string(&main)?;
        text.push_str("\ninclude 'vw.conf'\n");
        std::fs::write(&main, text).with_context(|| format!("cannot write {}", main.display()))
    }

    /// Start the server with `settings`, and wait until it accepts connections.
    pub fn start(&self, settings: &str) -> Result<Child> {
        self.account.private_folder(&self.data)?;
        self.stop_left_over()?;
        let socket = format!("unix_socket_directories = '{}'\n", self.socket.display().to_string().replace('\'', "''"));
        std::fs::write(self.data.join("vw.conf"), format!("{settings}\n{socket}"))?;
        let log = File::create(&self.log).with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = self.account.child(&self.programs.join("postgres"), "INT");
        command.arg("-D").arg(&self.data).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut server = command.process_group(0).spawn().with_context(|| format!("cannot start {command:?}"))?;
        let begun = Instant::now();
        while !self.is_ready(&server) {
            let ended = server.try_wait()?;
            if ended.is_some() || begun.elapsed() > START {
                self.stop(&mut server)?;
                bail!("the cluster did not start; its log ends with\n{}", process::tail(&self.log));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Ask for a fast shutdown and wait for it; for an immediate one when that takes too long.
    pub fn stop(&self, server: &mut Child) -> Result<()> {
        if !process::end(server, Signal::SIGINT, STOP)? && !process::end(server, Signal::SIGQUIT, STOP)? {
            bail!("the cluster does not stop; its process is {}", server.id());
        }
        Ok(())
    }

    /// The path of one of the server's programs, for a user to type.
    pub fn program(&self, name: &str) -> String {
        self.programs.join(name).display().to_string()
    }

    /// Run a script of SQL on `database` as the owner, up to its first error; give what it prints, unadorned.
    pub fn script(&self, database: &str, sql: &str) -> Result<String> {
        let mut command = self.account.command(&self.programs.join("psql"));
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-h"]);
        let mut child = command.arg(&self.socket).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        // Both ends are small enough for a pipe's buffer, so neither waits for the other.
        if let Some(mut input) = child.stdin.take() {
            input.write_all(sql.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!("psql failed on database {database}; the server's log ends with\n{}", process::tail(&self.log));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Stop a server that a killed run left behind.
    fn stop_left_over(&self) -> Result<()> {
        let control = || {
            let mut command = self.account.command(&self.programs.join("pg_ctl"));
            command.arg("-D").arg(&self.data).stdout(Stdio::null());
            command
        };
        if self.data.join("postmaster.pid").is_file() && control().arg("status").status()?.success() {
            run(control().args(["stop", "-m", "fast", "-w"]))?;
        }
        Ok(())
    }

    /// Tell whether this server has written that it accepts connections.
    fn is_ready(&self, server: &Child) -> bool {
        let text = std::fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.next() == Some(&server.id().to_string()) && lines.nth(6).is_some_and(|state| state.trim() == "ready")
    }
}

/// The folder itself, or where its path is too long for a socket, one in /tmp named after it.
fn socket_folder(folder: &Path, owner: u32) -> PathBuf {
    if folder.as_os_str().len() <= MAX_SOCKET_FOLDER {
        return folder.to_owned();
    }
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    Path::new("/tmp").join(format!("vw-{owner}-{:016x}", hasher.finish()))
}

/// Where everybody can write, see that the folder is ours before it is trusted; make it if it is not there.
fn check_claimed(folder: &Path, owner: u32) -> Result<()> {
    match std::fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(error).with_context(|| format!("cannot make {}", folder.display()));
        }
        _ => {}
    }
    let found = std::fs::symlink_metadata(folder)?;
    let ours = [owner, std::fs::metadata("/proc/self")?.uid()];
    if !found.is_dir() || !ours.contains(&found.uid()) {
        bail!("{} is not ours; remove it, or choose a shorter VW_HOME", folder.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_folder_is_short() {
        let short = Path::new("/srv/vw/run");
        assert_eq!(socket_folder(short, 7), short);
        let long = Path::new("/srv").join("x".repeat(100));
        let folder = socket_folder(&long, 7);
        assert!(folder.starts_with("/tmp") && folder.as_os_str().len() < MAX_SOCKET_FOLDER);
        assert_eq!(folder, socket_folder(&long, 7));
    }
}
