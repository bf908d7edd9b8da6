//! A web server of a few files on a free port of the loopback address, which counts who asks.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A running server; its thread ends with the test.
#[derive(Clone)]
pub struct Files {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    answers: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl Files {
    /// Start a server that has nothing yet.
    pub fn start() -> Files {
        Files::at("127.0.0.1:0")
    }

    /// The same at an address and port.
    pub fn at(place: &str) -> Files {
        let listener = TcpListener::bind(place).expect("an address of this machine");
        let address = listener.local_addr().expect("an address");
        let files = Files { address, asked: Arc::default(), answers: Arc::default() };
        let serving = files.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.answer(stream));
            }
        });
        files
    }

    fn answer(&self, mut stream: TcpStream) {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
            head.extend_from_slice(&byte);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        let head = String::from_utf8_lossy(&head).into_owned();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let missing = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec();
        let answer = self.answers.lock().expect("no test panics with it").get(path).cloned().unwrap_or(missing);
        // A client that has enough closes in the middle.
        let _ = stream.write_all(&answer);
    }

    /// Serve `bytes` under a path from now on; gives the URL.
    pub fn put(&self, path: &str, bytes: &[u8]) -> String {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
        self.put_raw(path, &[head.as_bytes(), bytes].concat())
    }

    /// Answer with these very bytes under a path from now on; gives the URL.
    pub fn put_raw(&self, path: &str, answer: &[u8]) -> String {
        self.answers.lock().expect("no test panics with it").insert(path.to_owned(), answer.to_vec());
        format!("http://{}{path}", self.address)
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// How many requests came.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
