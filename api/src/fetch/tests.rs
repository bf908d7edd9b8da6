//! Guards against requests that a client makes the service send where it must not: a listener of ours, which no request
//! may reach, stands on the loopback address; others answer with what fools a fetcher.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A server of one answer, which counts who asks. It ends with the process.
struct Canned {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

fn serve(answer: impl Fn(usize, &str) -> Vec<u8> + Send + 'static) -> Canned {
    let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback address");
    let address = listener.local_addr().expect("an address");
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let number = count.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            let mut byte = [0; 1];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                head.extend_from_slice(&byte);
            }
            // A client that has enough closes in the middle.
            let _ = stream.write_all(&answer(number, &String::from_utf8_lossy(&head)));
        }
    });
    Canned { address, asked }
}

fn ok(body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// A fetcher that may connect to these listeners only.
fn fetcher(allowed: &[&Canned]) -> Fetcher {
    fetcher_with(allowed, &[])
}

/// The same, with more ports of public hosts, so that it is the address and not the port for which a URL is refused.
fn fetcher_with(allowed: &[&Canned], ports: &[u16]) -> Fetcher {
    let allowed = allowed.iter().map(|canned| canned.address.to_string().parse().expect("an address")).collect();
    let mut rules = Rules::new(allowed);
    rules.ports.extend(ports);
    Fetcher::with(rules).expect("a fetcher")
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<Vec<u8>, Failure> {
    fetcher.get("prj_test", url, "image/*", 1000).await
}

fn failed(outcome: Result<Vec<u8>, Failure>) -> String {
    match outcome {
        Err(failure) if failure.reason != Reason::Size => failure.words,
        other => panic!("{other:?}"),
    }
}

/// Every way to write the loopback address in a URL, and every redirect to it, ends before a connection is made.
#[tokio::test]
async fn the_loopback_address_is_never_connected_to() {
    let canary = serve(|_, _| ok(b"secret"));
    let port = canary.address.port();
    let hosts = "127.0.0.1 127.1 0 0.0.0.0 0x7f000001 2130706433 017700000001 0177.1 127.0.0.1. localhost LOCALHOST \
        localhost. 127.0.0.2 127.255.255.254 [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1] \
        [2002:7f00:1::] １２７.０.０.１ 127.0.0.1%2e user@127.0.0.1 example.com@127.0.0.1";
    let open = fetcher_with(&[], &[port]);
    for host in hosts.split_whitespace() {
        for scheme in ["http", "https"] {
            failed(get(&open, &format!("{scheme}://{host}:{port}/")).await);
            failed(get(&open, &format!("{scheme}://{host}/")).await);
        }
    }
    // From a host that may be reached, to one that may not.
    for host in hosts.split_whitespace() {
        let place = format!("http://{host}:{port}/");
        let hop = serve(move |_, _| moved(&place));
        failed(get(&fetcher_with(&[&hop], &[port]), &format!("http://{}/", hop.address)).await);
        assert_eq!(hop.asked.load(Ordering::SeqCst), 1, "{host}");
    }
    assert_eq!(canary.asked.load(Ordering::SeqCst), 0, "the canary was reached");
}

/// The resolver's verdict holds for the connection: a name that leads inside is refused on the ports that are open, too.
#[tokio::test]
async fn a_name_that_leads_inside_is_refused_by_the_resolver() {
    let reason = failed(get(&fetcher(&[]), "http://localhost/").await);
    assert!(reason.contains("not public"), "{reason}");
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let server = serve(|number, _| if number < 3 { moved("/next") } else { ok(b"there") });
    assert_eq!(get(&fetcher(&[&server]), &format!("http://{}/", server.address)).await.expect("three"), b"there");
    let server = serve(|number, _| if number < 4 { moved("next") } else { ok(b"there") });
    let reason = failed(get(&fetcher(&[&server]), &format!("http://{}/", server.address)).await);
    assert!(reason.contains("redirects"), "{reason}");
    assert_eq!(server.asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn redirects_to_other_schemes_and_to_nowhere_fail() {
    for place in [
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "data:image/png;base64,AAAA",
        "ftp://example.com/",
        "http://[",
    ] {
        let server = serve(move |_, _| moved(place));
        failed(get(&fetcher(&[&server]), &format!("http://{}/", server.address)).await);
        assert_eq!(server.asked.load(Ordering::SeqCst), 1, "{place}");
    }
    let server = serve(|_, _| b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_vec());
    failed(get(&fetcher(&[&server]), &format!("http://{}/", server.address)).await);
}

#[tokio::test]
async fn sizes_are_held_whatever_is_announced() {
    let announced = serve(|_, _| b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n".to_vec());
    let endless = serve(|_, _| [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".as_slice(), &[7; 100_000]].concat());
    let chunked = serve(|_, _| {
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n".as_slice(), &[7; 1001], b"\r\n0\r\n\r\n"]
            .concat()
    });
    for server in [announced, endless, chunked] {
        let outcome = get(&fetcher(&[&server]), &format!("http://{}/", server.address)).await;
        assert!(matches!(&outcome, Err(failure) if failure.reason == Reason::Size), "{outcome:?}");
    }
    let most = serve(|_, _| ok(&[7; 1000]));
    assert_eq!(get(&fetcher(&[&most]), &format!("http://{}/", most.address)).await.expect("the most").len(), 1000);
}

#[tokio::test]
async fn what_is_not_a_plain_success_fails() {
    let answers: [&[u8]; 7] = [
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno",
        b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\ncontent-length: 1\r\n\r\na",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ];
    for answer in answers {
        let server = serve(move |_, _| answer.to_vec());
        failed(get(&fetcher(&[&server]), &format!("http://{}/", server.address)).await);
    }
}

/// What is sent says nothing of us or of the client beyond the URL.
#[tokio::test]
async fn requests_carry_nothing_but_what_they_need() {
    let server = serve(|number, head| {
        if number == 0 {
            [b"HTTP/1.1 302 Found\r\nset-cookie: a=b\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n".as_slice()].concat()
        } else {
            ok(head.as_bytes())
        }
    });
    let bytes = get(&fetcher(&[&server]), &format!("http://{}/?q=1", server.address)).await.expect("the head");
    let head = String::from_utf8(bytes).expect("text").to_ascii_lowercase();
    let mut names: Vec<&str> =
        head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent"], "{head}");
}

/// A server that takes a connection and never answers is left.
#[tokio::test]
async fn slow_servers_are_left() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("the loopback address");
    let address = silent.local_addr().expect("an address");
    let fetcher = Fetcher::new(vec![address.to_string().parse().expect("an address")]).expect("a fetcher");
    let reason = failed(get(&fetcher, &format!("http://{address}/")).await);
    assert!(reason.contains("longer than 10 s"), "{reason}");
}

/// One project's fetches take turns; another's do not wait for them.
#[tokio::test]
async fn projects_have_turns_of_their_own() {
    let fetcher = fetcher(&[]);
    let red = fetcher.turns("red");
    assert!(Arc::ptr_eq(&red, &fetcher.turns("red")) && !Arc::ptr_eq(&red, &fetcher.turns("blue")));
    assert_eq!(red.available_permits(), PROJECT_FETCHES);
    drop(red);
    fetcher.turns("green");
    assert!(fetcher.0.projects.lock().expect("a map").len() <= 2, "a project without fetches is forgotten");
}
