//! The REST service on a free port, and requests to it.
//!
//! VW_API names the program `vw-api`.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::cluster::Cluster;

/// The role that the service connects as.
pub const ROLE: &str = "vw_service";

/// A running service.
pub struct Service {
    child: Child,
    port: u16,
    agent: ureq::Agent,
    /// The store of media, where the test keeps none of its own.
    _store: Option<TempDir>,
    log: tempfile::NamedTempFile,
}

/// What was read at a URL, as bytes.
#[derive(Debug)]
pub struct Content {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Content {
    /// A header's text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub request_id: Option<String>,
    pub retry_after: Option<String>,
    pub body: Value,
    pub headers: ureq::http::HeaderMap,
}

impl Answer {
    /// A header, where it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The code of an error body; fails the test where the body is not one.
    pub fn code(&self) -> &str {
        let error = self.body.get("error").unwrap_or_else(|| panic!("no error body: {self:?}"));
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{self:?}");
        assert_eq!(error["request_id"].as_str(), self.request_id.as_deref(), "{self:?}");
        error["code"].as_str().unwrap_or_else(|| panic!("no code: {self:?}"))
    }

    /// The parameter at fault.
    pub fn param(&self) -> Option<&str> {
        self.body["error"]["param"].as_str()
    }
}

/// The program `vw-api`.
pub fn program() -> Command {
    Command::new(std::env::var("VW_API").expect("VW_API must name the program vw-api"))
}

/// Give the service's role its rights; it is made when it is missing.
pub fn grant(cluster: &Cluster, database: &str) {
    let mut client = cluster.connect(database);
    let found = client.query("SELECT FROM pg_roles WHERE rolname = $1", &[&ROLE]).expect("roles are listed");
    if found.is_empty() {
        client.batch_execute("CREATE ROLE vw_service LOGIN").expect("a new role");
    }
    client.batch_execute("SELECT vw.grant_service('vw_service')").expect("rights are granted");
}

/// Run `vw-api key …` as the owner; give what it printed.
pub fn key(cluster: &Cluster, database: &str, words: &[&str]) -> String {
    owner(cluster, database, &[&["key"], words].concat())
}

/// Run a command of `vw-api` as the owner; give what it printed.
pub fn owner(cluster: &Cluster, database: &str, words: &[&str]) -> String {
    let mut command = program();
    command.args(words).env("DATABASE_URL", cluster.address("postgres", database));
    let output = command.output().expect("vw-api starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

impl Service {
    /// Start the service as its own role and wait until it is ready. Media go to a folder that ends with it.
    pub fn start(cluster: &Cluster, database: &str) -> Service {
        Service::start_with(cluster, database, &[])
    }

    /// The same with more words on the command line. Without any there is no limit on rates.
    pub fn start_with(cluster: &Cluster, database: &str, words: &[&str]) -> Service {
        let store = tempfile::tempdir().expect("a temporary folder");
        let settings = [("VW_MEDIA_STORE", store.path().to_string_lossy().into_owned())];
        let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut service = Service::start_set(cluster, database, words, &settings);
        service._store = Some(store);
        service
    }

    /// The same with variables, one of which says where media go.
    pub fn start_set(cluster: &Cluster, database: &str, words: &[&str], settings: &[(&str, &str)]) -> Service {
        grant(cluster, database);
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback address");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut command = program();
        command.args(["serve", "--listen", &format!("127.0.0.1:{port}")]).args(words);
        let log = tempfile::NamedTempFile::new().expect("a temporary file");
        command.env("DATABASE_URL", cluster.address(ROLE, database)).env("VW_RATE_LIMIT", "0");
        command.stdout(Stdio::null()).stderr(log.reopen().expect("own file"));
        command.envs(settings.iter().copied());
        let child = command.spawn().expect("vw-api starts");
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(60))).build().into();
        let service = Service { child, port, agent, _store: None, log };
        let limit = Instant::now() + Duration::from_secs(60);
        while service.try_get("/readyz").is_none_or(|status| status != 200) {
            assert!(Instant::now() < limit, "the service did not get ready");
            std::thread::sleep(Duration::from_millis(50));
        }
        service
    }

    fn try_get(&self, path: &str) -> Option<u16> {
        Some(self.agent.get(self.url(path)).call().ok()?.status().as_u16())
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("own file")
    }

    /// Ask it to finish what it has begun and end.
    pub fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).expect("a process id");
        // SAFETY: a plain system call without pointers, on a child that is not waited for yet.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0, "the service can be told to end");
    }

    /// Wait until it has ended; tell whether it ended well.
    pub fn ended(&mut self) -> bool {
        self.child.wait().expect("a child").success()
    }

    /// Get a page that is text.
    pub fn text(&self, path: &str) -> String {
        let mut response = self.agent.get(self.url(path)).call().unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(response.status().as_u16(), 200, "{path}");
        response.body_mut().read_to_string().expect("text")
    }

    /// The address that it listens on.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Read an absolute URL, or a path of this service, without a key.
    pub fn read(&self, method: &str, url: &str, headers: &[(&str, &str)]) -> Content {
        let url = if url.starts_with('/') { self.url(url) } else { url.to_owned() };
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request that can be sent");
        let mut response = self.agent.run(request).unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().expect("a body");
        Content { status: response.status().as_u16(), headers: response.headers().clone(), bytes }
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Kill the service at once, as a machine does that loses its power.
    pub fn kill(&mut self) {
        self.child.kill().expect("a running service");
        self.child.wait().expect("a child of ours");
    }

    /// Send a request that may end without an answer.
    pub fn try_send(&self, method: &str, path: &str, key: &str, body: &Value) -> Option<Value> {
        let request = ureq::http::Request::builder().method(method).uri(self.url(path));
        let request = request.header("authorization", format!("Bearer {key}")).header(JSON.0, JSON.1);
        let request = request.body(body.to_string()).expect("a request that can be sent");
        let mut response = self.agent.run(request).ok().filter(|response| response.status() == 200)?;
        serde_json::from_str(&response.body_mut().read_to_string().ok()?).ok()
    }

    /// Send a request with a JSON body, or none for `Value::Null`.
    pub fn send(&self, method: &str, path: &str, key: &str, body: &Value) -> Answer {
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send_raw(method, path, &[("authorization", &format!("Bearer {key}")), JSON], bytes)
    }

    /// Send any bytes under any headers.
    pub fn send_raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request that can be sent");
        let mut response = self.agent.run(request).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (request_id, retry_after) = (header("x-request-id"), header("retry-after"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.body_mut().read_to_string().expect("a body of text");
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {status}, no JSON: {text}"));
        Answer { status, request_id, retry_after, body, headers }
    }
}

/// The content type of every request with a body.
pub const JSON: (&str, &str) = ("content-type", "application/json");

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
