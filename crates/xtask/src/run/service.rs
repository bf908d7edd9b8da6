//! The program `vw-api` as a child: its settings, whether it is ready, and what to tell the user about it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use crate::cluster::Cluster;
use crate::paths::root;
use crate::process;
use crate::shell::{on_path, run, say};

/// The longest wait for the service to be ready; loading the model is part of it.
const START: Duration = Duration::from_secs(60);
/// The longest wait for the service to finish what it is doing.
const STOP: Duration = Duration::from_secs(35);

/// Folders below `sql/demo` that go into the demo collection; VW_HOME has an empty `demo-FOLDER` once it is in.
pub const MEDIA: [&str; 2] = ["pictures", "sounds"];

/// How to run the service over one cluster.
pub struct Service<'a> {
    program: PathBuf,
    cluster: &'a Cluster,
    port: u16,
    pub log: PathBuf,
    /// Where the media of items are kept.
    media: PathBuf,
}

impl<'a> Service<'a> {
    /// The service whose files are below `home`.
    pub fn new(program: PathBuf, cluster: &'a Cluster, port: u16, home: &Path) -> Service<'a> {
        Service { program, cluster, port, log: cluster.log.with_file_name("api.log"), media: home.join("media") }
    }

    /// Start it as the role `vw_service`.
    pub fn start(&self) -> Result<Child> {
        let log = File::create(&self.log).with_context(|| format!("cannot write {}", self.log.display()))?;
        self.cluster.account.private_folder(&self.media)?;
        let mut command = self.cluster.account.child(&self.program, "TERM");
        command.arg("serve").env("VW_LISTEN", format!("127.0.0.1:{}", self.port));
        command.env("DATABASE_URL", self.database("vw_service")).env("VW_MEDIA_STORE", &self.media);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        command.spawn().with_context(|| format!("cannot start {command:?}"))
    }

    /// Wait until it says that it is ready; false when a signal came first.
    pub fn wait_ready(&self, running: &mut Child, stop: &Receiver<()>) -> Result<bool> {
        let begun = Instant::now();
        let mut answer = String::new();
        while begun.elapsed() < START {
            if let Some(status) = running.try_wait()? {
                bail!("the service ended at once ({status}); its log ends with\n{}", process::tail(&self.log));
            }
            answer = self.get("/readyz").unwrap_or(answer);
            if answer.split(' ').nth(1) == Some("200") {
                return Ok(true);
            }
            if stop.recv_timeout(Duration::from_millis(50)).is_ok() {
                return Ok(false);
            }
        }
        bail!("the service is not ready after {START:?}: {answer}\nits log ends with\n{}", process::tail(&self.log))
    }

    /// Ask it to finish; kill it when that takes too long.
    pub fn stop(&self, running: &mut Child) -> Result<()> {
        if !process::end(running, Signal::SIGTERM, STOP)? {
            running.kill()?;
            running.wait()?;
        }
        Ok(())
    }

    /// Make a key of the project `default` and give it; only its hash is kept in the database.
    pub fn create_key(&self) -> Result<String> {
        let mut command = self.command(&["key", "create", "--project", "default", "--name", "run"]);
        let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot start {command:?}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let key = text.split_whitespace().find(|word| word.starts_with("vwk_"));
        key.map(str::to_owned).with_context(|| format!("{command:?} printed no key ({})", output.status))
    }

    /// Put the pictures and sounds of the demo collection in, the first time; as ourselves, who can read the checkout.
    pub fn import_media(&self, key: &str, home: &Path) -> Result<()> {
        for folder in MEDIA {
            let stamp = home.join(format!("demo-{folder}"));
            if stamp.is_file() {
                continue;
            }
            say(&format!("adding the {folder} of the demo collection"));
            let mut command = Command::new(&self.program);
            command.args(["import", "demo"]).arg(root().join("sql/demo").join(folder));
            command.arg("--journal").arg(home.join(format!("demo-{folder}.import")));
            run(command.env("VW_URL", format!("http://127.0.0.1:{}", self.port)).env("VW_API_KEY", key))?;
            File::create(&stamp).with_context(|| format!("cannot write {}", stamp.display()))?;
        }
        Ok(())
    }

    /// What the user sees once everything runs; the commands work as they stand.
    pub fn greeting(&self, key: &str, demo: &str) -> String {
        let psql = if on_path("psql") { "psql".to_owned() } else { self.cluster.program("psql") };
        let text = include_str!("greeting.txt").replace("{psql}", &psql).replace("{key}", key).replace("{demo}", demo);
        let text = text.replace("{socket}", &self.cluster.socket.display().to_string());
        text.replace("{port}", &self.port.to_string()).replace("{log}", &self.log.display().to_string())
    }

    /// A run of the program as the cluster's owner.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.cluster.account.command(&self.program);
        command.args(words).env("DATABASE_URL", self.database("postgres"));
        command
    }

    fn database(&self, role: &str) -> String {
        format!("host='{}' user={role} dbname=vw", self.cluster.socket.display())
    }

    /// The status line of the answer to a GET, by hand: one line is all we want.
    fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
    }
}
