//! A throw-away PostgreSQL cluster on a free port of the loopback address, gone when dropped.
//!
//! VW_PG_CONFIG names the pg_config of a server that has the extensions. As root the server's programs
//! run as `postgres`, since PostgreSQL refuses root.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A running cluster.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    /// Make and start a cluster with `settings` appended to its configuration.
    pub fn start(settings: &str) -> Cluster {
        let pg_config =
            std::env::var("VW_PG_CONFIG").expect("VW_PG_CONFIG must name the pg_config of a server with vw");
        let programs = Path::new(&pg_config).parent().expect("pg_config is in a folder").to_owned();
        let folder = tempfile::Builder::new().prefix("vw-test-").tempdir_in("/tmp").expect("a temporary folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("own folder");
        let cluster = Cluster { folder, programs, port: free_port() };
        cluster.done("initdb", &["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"]);
        let own = format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n{settings}\n",
            cluster.port
        );
        let configuration = cluster.data().join("postgresql.auto.conf");
        let mut text = std::fs::read_to_string(&configuration).expect("initdb wrote it");
        text.push_str(&own);
        std::fs::write(&configuration, text).expect("own folder");
        let log = cluster.folder.path().join("log");
        cluster.done("pg_ctl", &["start", "-w", "-s", "-l", &log.to_string_lossy()]);
        cluster
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Run psql on `input`; give what it printed, errors included, in the order of their coming.
    pub fn psql(&self, database: &str, options: &[&str], input: &Path) -> Output {
        let file = std::fs::File::open(input).unwrap_or_else(|error| panic!("{}: {error}", input.display()));
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(self.programs.join("psql"));
        command.args(["-X", "-h", "127.0.0.1", "-U", "postgres", "-d", database, "-p", &self.port.to_string()]);
        command.args(options).stdin(file).output().expect("psql starts")
    }

    /// Run one of the server's programs on the data folder to a good end.
    fn done(&self, program: &str, arguments: &[&str]) {
        let mut command = server_program(&self.programs.join(program));
        command.arg("-D").arg(self.data()).args(arguments).current_dir(self.folder.path());
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        assert!(status.success(), "{command:?}: {status}\n{log}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut command = server_program(&self.programs.join("pg_ctl"));
        command.arg("-D").arg(self.data()).args(["stop", "-m", "immediate", "-s"]).current_dir("/");
        // A server that is gone already is as good as one that is stopped.
        let _ = command.status();
    }
}

/// A command that runs one of the server's programs: as root, under the user `postgres`.
///
/// Where that user cannot reach the program (a checkout in a private folder), root runs it in a user
/// namespace in which it carries that user's number and keeps its own access to files.
fn server_program(program: &Path) -> Command {
    if std::fs::metadata("/proc/self").expect("/proc").uid() != 0 {
        return Command::new(program);
    }
    let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("root needs a user postgres");
    let mut numbers = line.split(':').skip(2).map(|word| word.parse::<u32>().expect("a user's number"));
    let (uid, gid) = (numbers.next().expect("uid"), numbers.next().expect("gid"));
    let program = program.canonicalize().expect("the server's programs are there");
    let open = |folder: &Path| std::fs::metadata(folder).is_ok_and(|data| data.permissions().mode() & 0o001 != 0);
    if program.ancestors().skip(1).all(open) {
        let mut command = Command::new(program);
        command.gid(gid).uid(uid);
        return command;
    }
    let mut command = Command::new("unshare");
    command.args(["--user", &format!("--map-user={uid}"), &format!("--map-group={gid}")]).arg(program);
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback address");
    listener.local_addr().expect("an address").port()
}
