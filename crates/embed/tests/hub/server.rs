//! A hub on this machine: the listing, files behind a redirect to a second host, ranges, and whatever can go wrong.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;

use sha1::Sha1;
use sha2::{Digest, Sha256};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub const TOKEN: &str = "hf_secret";

/// What the hub has and does; tests change it between pulls.
#[derive(Clone, Default)]
pub struct State {
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files in large file storage, which lie on the other host.
    pub large: Vec<String>,
    /// The commit that `main` stands for.
    pub commit: String,
    /// Bytes after which the next connections of a file end, one after the other.
    pub cuts: Vec<usize>,
    /// Statuses, with headers, that the next requests are answered with.
    pub refusals: Vec<(u16, &'static str)>,
    /// Files whose bytes are not those that were listed.
    pub spoilt: Vec<String>,
    /// Files that are sent as their pointers.
    pub pointers: Vec<String>,
    /// Whether `Range` is passed over.
    pub no_ranges: bool,
    /// Whether a token is wanted.
    pub private: bool,
    /// The scheme of redirects.
    pub scheme: Option<&'static str>,
    /// Whether the other host redirects to itself for ever.
    pub round: bool,
    /// Listed instead of what is there.
    pub listing: Option<String>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whether it came to the other host.
    pub other: bool,
    pub path: String,
    pub headers: HashMap<String, String>,
}

pub struct Server {
    pub endpoint: String,
    pub state: Arc<Mutex<State>>,
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub fn start(state: State) -> Server {
        let hosts = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port is free"));
        let ports = hosts.each_ref().map(|host| host.local_addr().expect("it has one").port());
        let (state, seen) = (Arc::new(Mutex::new(state)), Arc::new(Mutex::new(Vec::new())));
        for (host, other) in hosts.into_iter().zip([false, true]) {
            let (state, seen) = (Arc::clone(&state), Arc::clone(&seen));
            spawn(move || {
                for stream in host.incoming().flatten() {
                    let (state, seen) = (Arc::clone(&state), Arc::clone(&seen));
                    spawn(move || while serve(&stream, other, ports[1], &state, &seen).unwrap_or(false) {});
                }
            });
        }
        Server { endpoint: format!("http://127.0.0.1:{}", ports[0]), state, seen }
    }

    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("nobody panicked"));
    }

    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().expect("nobody panicked"))
    }
}

impl Seen {
    /// The file that was asked for, if it was one.
    pub fn file(&self) -> Option<&str> {
        self.path.split_once(&format!("/resolve/{COMMIT}/")).map(|(_, file)| file)
    }
}

/// Answer one request; whether another may follow on the connection.
fn serve(stream: &TcpStream, other: bool, port: u16, state: &Mutex<State>, seen: &Mutex<Vec<Seen>>) -> Option<bool> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let head = lines.map_while(Result::ok).take_while(|line| !line.is_empty());
    let headers: HashMap<String, String> = head
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    seen.lock().expect("nobody panicked").push(Seen { other, path: path.clone(), headers: headers.clone() });
    let mut state = state.lock().expect("nobody panicked");
    if let Some((status, header)) = state.refusals.pop() {
        return send(stream, status, header, b"");
    }
    if !other && state.private && headers.get("authorization").is_none_or(|word| word != &format!("Bearer {TOKEN}")) {
        return send(stream, 401, "", b"");
    }
    if path.starts_with("/api/models/owner/model/revision/") {
        let text = state.listing.clone().unwrap_or_else(|| listing(&state));
        return send(stream, 200, "Content-Type: application/json\r\n", text.as_bytes());
    }
    let Some((_, file)) = path.split_once("/resolve/").and_then(|(_, rest)| rest.split_once('/')) else {
        return send(stream, 404, "X-Error-Code: RepoNotFound\r\n", b"");
    };
    let file = file.split('?').next()?.replace("%20", " ");
    if state.large.contains(&file) && !other || other && state.round {
        let scheme = state.scheme.unwrap_or("http");
        let target = format!("Location: {scheme}://127.0.0.1:{port}{path}?signature=x\r\n");
        return send(stream, 302, &target, b"moved");
    }
    let mut bytes = state.files.get(&file)?.clone();
    if state.spoilt.contains(&file) {
        bytes[0] ^= 1;
    }
    if state.pointers.contains(&file) {
        bytes = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n".to_vec();
    }
    let cut = state.cuts.pop();
    let ranges = !state.no_ranges;
    drop(state);
    let from = headers
        .get("range")
        .filter(|_| ranges)
        .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    let (status, range) = match from {
        Some(from) if from >= bytes.len() => return send(stream, 416, "", b""),
        Some(from) => (206, format!("Content-Range: bytes {from}-{}/{}\r\n", bytes.len() - 1, bytes.len())),
        None => (200, String::new()),
    };
    let rest = &bytes[from.unwrap_or(0)..];
    match cut.filter(|cut| *cut < rest.len()) {
        Some(cut) => {
            write!(&mut &*stream, "HTTP/1.1 {status} x\r\n{range}Content-Length: {}\r\n\r\n", rest.len()).ok()?;
            (&mut &*stream).write_all(&rest[..cut]).ok()?;
            stream.shutdown(std::net::Shutdown::Both).ok()?;
            Some(false)
        }
        None => send(stream, status, &range, rest),
    }
}

fn send(mut stream: &TcpStream, status: u16, headers: &str, body: &[u8]) -> Option<bool> {
    write!(stream, "HTTP/1.1 {status} x\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).ok()?;
    stream.write_all(body).ok()?;
    Some(true)
}

/// What the hub says of its files.
fn listing(state: &State) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let one = |(name, bytes): (&String, &Vec<u8>)| {
        let blob = hex(&Sha1::digest([format!("blob {}\0", bytes.len()).as_bytes(), bytes].concat()));
        let large = state.large.contains(name).then(
            || serde_json::json!({ "sha256": hex(&Sha256::digest(bytes)), "size": bytes.len(), "pointerSize": 130 }),
        );
        match large {
            Some(lfs) => {
                serde_json::json!({ "rfilename": name, "size": bytes.len(), "blobId": "0".repeat(40), "lfs": lfs })
            }
            None => serde_json::json!({ "rfilename": name, "size": bytes.len(), "blobId": blob }),
        }
    };
    let siblings: Vec<_> = state.files.iter().map(one).collect();
    serde_json::json!({ "id": "owner/model", "sha": state.commit, "siblings": siblings }).to_string()
}
