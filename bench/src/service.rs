//! The service over the benchmark's database, on a free port, and requests to it.

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::crowd::{Script, address};

/// The longest wait for the service to be ready.
const START: Duration = Duration::from_secs(30);

/// A running service; it ends when dropped.
pub struct Service {
    child: Child,
    base: String,
    key: String,
    collections: HashMap<String, String>,
    _media: tempfile::TempDir,
}

/// One client's connection.
pub struct Line<'a> {
    service: &'a Service,
    agent: ureq::Agent,
}

impl Service {
    /// Start the program that VW_API names, without limits on rates.
    pub fn start() -> Result<Service> {
        let program = std::env::var_os("VW_API").context("VW_API must name the program vw-api")?;
        let database = std::env::var_os("VW_BENCH_DATABASE").context("VW_BENCH_DATABASE must name a database")?;
        let command = || {
            let mut command = Command::new(&program);
            command.env("DATABASE_URL", &database).stderr(Stdio::null());
            command
        };
        let made =
            command().args(["key", "create", "--project", "default"]).output().context("vw-api does not start")?;
        let key = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let media = tempfile::tempdir()?;
        let mut serve = command();
        serve.arg("serve").env("VW_LISTEN", format!("127.0.0.1:{port}")).env("VW_RATE_LIMIT", "0");
        let child = serve.env("VW_MEDIA_STORE", media.path()).stdout(Stdio::null()).spawn()?;
        let base = format!("http://127.0.0.1:{port}");
        let mut service = Service { child, base, key, collections: HashMap::new(), _media: media };
        let begun = Instant::now();
        while agent().get(format!("{}/readyz", service.base)).call().is_err() {
            if begun.elapsed() > START {
                bail!("the service is not ready after {START:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let listed = service.line().send("GET", "collections", None)?;
        let names = listed.get("collections").and_then(Value::as_array).into_iter().flatten();
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        service.collections = names.map(|one| (text(one, "name"), text(one, "id"))).collect();
        Ok(service)
    }

    /// What slow clients of a collection, named, send.
    pub fn slow_script(&self, collection: &str) -> Result<Script> {
        let id = self.collections.get(collection).context("no such collection")?;
        let head = |method: &str, what: &str, rest: &str| {
            let (path, key) = (format!("/v1/vectors/collections/{id}/{what}"), &self.key);
            format!("{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n{rest}")
        };
        let body = "content-type: application/json\r\ncontent-length: 30000000\r\n\r\n";
        Ok(Script {
            address: address(&self.base)?,
            header: head("POST", "search", "x-slow: "),
            body: head("POST", "search", body),
            answer: head("GET", "items?limit=100", "\r\n"),
        })
    }

    /// A connection of its own.
    pub fn line(&self) -> Line<'_> {
        Line { service: self, agent: agent() }
    }
}

impl Line<'_> {
    /// Search a collection, named, with a text.
    pub fn search(&self, collection: &str, text: &str) -> Result<()> {
        self.of_collection(collection, "search", &json!({"text": text, "top_k": 10}))
    }

    /// Index texts in one request.
    pub fn index(&self, collection: &str, texts: &[String]) -> Result<()> {
        let items: Vec<Value> = texts.iter().map(|text| json!({ "text": text })).collect();
        self.of_collection(collection, "index", &json!({ "items": items }))
    }

    fn of_collection(&self, collection: &str, what: &str, body: &Value) -> Result<()> {
        let id = self.service.collections.get(collection).context("no such collection")?;
        self.send("POST", &format!("collections/{id}/{what}"), Some(body)).map(drop)
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let request =
            ureq::http::Request::builder().method(method).uri(format!("{}/v1/vectors/{path}", self.service.base));
        let request = request.header("authorization", format!("Bearer {}", self.service.key));
        let request = request.header("content-type", "application/json");
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let mut response = self.agent.run(request.body(bytes)?)?;
        Ok(serde_json::from_slice(&response.body_mut().read_to_vec()?)?)
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60))).build().into()
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
