//! PgBouncer in transaction mode before a cluster, on a free port of the loopback address, gone when dropped.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls, SimpleQueryMessage};
use tempfile::TempDir;

use crate::cluster::{Cluster, free_port, server_program};
use crate::service::ROLE;

/// A running PgBouncer.
pub struct Pooler {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Pooler {
    /// Stand before a cluster, with at most so many connections to a database of it.
    pub fn start(cluster: &Cluster, connections: u16) -> Pooler {
        let folder = tempfile::Builder::new().prefix("vw-pooler-").tempdir_in("/tmp").expect("a temporary folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).expect("own folder");
        let (port, file) = (free_port(), folder.path().join("pooler.ini"));
        let users = folder.path().join("users");
        std::fs::write(&users, format!("\"postgres\" \"\"\n\"{ROLE}\" \"\"\n")).expect("own folder");
        // No ignore_startup_parameters: whoever sends options is refused, as by most of those who run one.
        let settings = format!(
            "[databases]\n* = {}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\nadmin_users = postgres\npool_mode = transaction\ndefault_pool_size = {connections}\n\
             max_client_conn = 200\n",
            cluster.place(),
            users.display()
        );
        std::fs::write(&file, settings).expect("own folder");
        let log = std::fs::File::create(folder.path().join("log")).expect("own folder");
        let mut command = server_program(&program());
        command.arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut pooler = Pooler { child: command.spawn().expect("pgbouncer starts"), port, folder };
        let limit = Instant::now() + Duration::from_secs(30);
        while Client::connect(&pooler.address("postgres", "pgbouncer"), NoTls).is_err() {
            let ended = pooler.child.try_wait().expect("a child of ours").is_some();
            assert!(!ended && Instant::now() < limit, "the pooler does not listen: {}", pooler.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        pooler
    }

    /// The words that a client library connects with.
    pub fn address(&self, user: &str, database: &str) -> String {
        format!("host=127.0.0.1 port={} user={user} dbname={database}", self.port)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A column of `SHOW STATS` or another of its tables, for the row of a database.
    pub fn shown(&self, table: &str, database: &str, column: &str) -> u64 {
        let mut client = Client::connect(&self.address("postgres", "pgbouncer"), NoTls).expect("its console");
        let rows = client.simple_query(&["SHOW ", table].concat()).expect("a table of the console");
        let rows = rows.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) if row.get("database") == Some(database) => {
                row.get(column)?.parse::<u64>().ok()
            }
            _ => None,
        });
        rows.sum()
    }
}

/// Debian keeps the program where only root's PATH leads.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([Path::new("/usr/sbin").to_owned()]);
    let found = folders.map(|folder| folder.join("pgbouncer")).find(|file| file.is_file());
    found.expect("pgbouncer is a prerequisite of the tests: cargo xtask prereqs")
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
