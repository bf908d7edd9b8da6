//! A throw-away PostgreSQL cluster on a free port of the loopback address, gone when dropped.
//!
//! VW_PG_CONFIG names the pg_config of a server that has the extensions. As root the server's programs
//! run as `postgres`, since PostgreSQL refuses root.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
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
        let cluster = Cluster::empty();
        let words = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"];
        cluster.done("initdb", &[&["-D", &cluster.data_text()], words.as_slice()].concat());
        cluster.configure("fsync = off");
        cluster.configure(settings);
        cluster.resume();
        cluster
    }

    /// Make and start a streaming replica of this cluster.
    pub fn replica(&self) -> Cluster {
        let replica = Cluster::empty();
        let (port, data) = (self.port.to_string(), replica.data_text());
        let words = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-D", &data, "-R", "-X", "stream", "-c", "fast"];
        replica.done("pg_basebackup", &words);
        replica.configure("");
        replica.resume();
        replica
    }

    /// A folder, a port and no server yet.
    fn empty() -> Cluster {
        let pg_config =
            std::env::var("VW_PG_CONFIG").expect("VW_PG_CONFIG must name the pg_config of a server with vw");
        let programs = Path::new(&pg_config).parent().expect("pg_config is in a folder").to_owned();
        let folder = tempfile::Builder::new().prefix("vw-test-").tempdir_in("/tmp").expect("a temporary folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("own folder");
        Cluster { folder, programs, port: free_port() }
    }

    /// Append settings; the server reads them when it starts.
    fn configure(&self, settings: &str) {
        let configuration = self.data().join("postgresql.auto.conf");
        let mut text = std::fs::read_to_string(&configuration).expect("the cluster has a configuration");
        text.push_str(&format!(
            "port = {}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n{settings}\n",
            self.port
        ));
        std::fs::write(&configuration, text).expect("own folder");
    }

    /// Start the server again after [`Cluster::stop`].
    pub fn resume(&self) {
        let log = self.folder.path().join("log");
        self.done("pg_ctl", &["-D", &self.data_text(), "start", "-w", "-s", "-l", &log.to_string_lossy()]);
    }

    /// Stop the server: `smart`, `fast`, or `immediate`, which is a crash.
    pub fn stop(&self, mode: &str) {
        self.done("pg_ctl", &["-D", &self.data_text(), "stop", "-w", "-s", "-m", mode]);
    }

    /// The server's first process, from which all others come.
    pub fn postmaster(&self) -> i32 {
        let lines = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("a running server");
        lines.lines().next().and_then(|line| line.trim().parse().ok()).expect("a process id")
    }

    /// Connect as `user`.
    pub fn connect_as(&self, user: &str, database: &str) -> Client {
        let words = self.address(user, database);
        Client::connect(&words, NoTls).unwrap_or_else(|error| panic!("{words}: {error}"))
    }

    /// Connect as the superuser, where the server lets anyone in.
    pub fn try_connect(&self, database: &str) -> Option<Client> {
        Client::connect(&self.address("postgres", database), NoTls).ok()
    }

    /// Connect as the superuser.
    pub fn connect(&self, database: &str) -> Client {
        self.connect_as("postgres", database)
    }

    /// Connect to a new database that has both extensions.
    pub fn with_vw(&self, database: &str) -> Client {
        let make = ["CREATE DATABASE ", database].concat();
        self.connect("postgres").batch_execute(&make).expect("a new database");
        let mut client = self.connect(database);
        client.batch_execute("CREATE EXTENSION vw CASCADE").expect("both extensions");
        client
    }

    /// The words that a client library connects with.
    pub fn address(&self, user: &str, database: &str) -> String {
        format!("host=127.0.0.1 port={} user={user} dbname={database}", self.port)
    }

    /// Where it listens, in the words of a client library.
    pub(crate) fn place(&self) -> String {
        format!("host=127.0.0.1 port={}", self.port)
    }

    /// Run one of PostgreSQL's client programs on a database; it must end well. Gives what it printed.
    pub fn client_program(&self, program: &str, words: &[&str], database: &str) -> String {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), "-d", database]).args(words);
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// A folder of the server, as pg_config names it (`--sharedir`).
    pub fn server_folder(&self, what: &str) -> PathBuf {
        let output = Command::new(self.programs.join("pg_config")).arg(what).output().expect("pg_config starts");
        PathBuf::from(String::from_utf8(output.stdout).expect("UTF-8").trim())
    }

    /// What the server logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn data_text(&self) -> String {
        self.data().to_string_lossy().into_owned()
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

    /// Run one of the server's programs to a good end.
    fn done(&self, program: &str, arguments: &[&str]) {
        let mut command = server_program(&self.programs.join(program));
        command.args(arguments).current_dir(self.folder.path());
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(status.success(), "{command:?}: {status}\n{}", self.log());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mut command = server_program(&self.programs.join("pg_ctl"));
        command.arg("-D").arg(self.data()).args(["stop", "-m", "immediate", "-s"]).current_dir("/");
        // A server that is gone already is as good as one that is stopped.
        let _ = command.stderr(std::process::Stdio::null()).status();
    }
}

/// A command that runs one of the server's programs: as root, under the user `postgres`.
///
/// Where that user cannot reach the program (a checkout in a private folder), root runs it in a user
/// namespace in which it carries that user's number and keeps its own access to files.
pub(crate) fn server_program(program: &Path) -> Command {
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

/// A port that nobody listens on, below those that the system gives to clients: one of these might be taken by the time
/// that a server wants it. Processes begin at different places, and no two servers of one process get the same.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(101);
    loop {
        let place = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        let port = 10_000 + place as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
