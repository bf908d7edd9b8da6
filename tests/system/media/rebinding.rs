//! Names that lead elsewhere the second time, in a network of our own: a network namespace with a name server that lies, a
//! "public" web server, and canaries where no request may arrive. Needs root, for ports below 1024 and for the namespace.

use std::collections::HashMap;
use std::net::{TcpListener, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use vw_tests::files::Files;

use super::Studio;

/// An address that counts as public, and is ours in the namespace.
const PUBLIC: [u8; 4] = [93, 184, 216, 34];
const LOOPBACK: [u8; 4] = [127, 0, 0, 1];
const METADATA: [u8; 4] = [169, 254, 169, 254];

/// Set in the namespace.
const INSIDE: &str = "VW_TEST_INSIDE";

/// Makes the namespace's network, then becomes the program in $0.
const ENTER: &str = "ip link set lo up && ip addr add 93.184.216.34/32 dev lo && ip addr add 169.254.169.254/32 dev lo && \
    mount --bind \"$1\" /etc/resolv.conf && exec \"$0\" --exact rebinding::a_name_that_changes_leads_nowhere";

#[test]
fn a_name_that_changes_leads_nowhere() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let servers = folder.path().join("resolv.conf");
    std::fs::write(&servers, "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n").expect("own folder");
    let able = Command::new("unshare").args(["--net", "--mount", "sh", "-c", "ip link set lo up"]).output();
    if !able.is_ok_and(|output| output.status.success()) {
        eprintln!("no network namespace can be made here: names that change are not tested");
        return;
    }
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "sh", "-c", ENTER]).arg(program).arg(&servers).env(INSIDE, "1");
    let output = command.output().expect("unshare starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Answer each question for an address (RFC 1035) with the next of the name's answers, the last one for ever.
fn names(answers: HashMap<&'static str, Vec<Vec<[u8; 4]>>>) {
    let socket = UdpSocket::bind("127.0.0.1:53").expect("the name server's port");
    std::thread::spawn(move || {
        let (mut asked, mut question) = (HashMap::<String, usize>::new(), [0; 512]);
        while let Ok((length, client)) = socket.recv_from(&mut question) {
            let (mut labels, mut at) = (Vec::new(), 12);
            while question[at] != 0 {
                let end = at + 1 + usize::from(question[at]);
                labels.push(String::from_utf8_lossy(&question[at + 1..end]).into_owned());
                at = end;
            }
            let (name, wants_v4) = (labels.join("."), question[at + 2] == 1);
            let known = answers.get(name.as_str()).filter(|_| wants_v4);
            let count = asked.entry(name).or_default();
            let found = known.map(|known| known[(*count).min(known.len() - 1)].clone()).unwrap_or_default();
            *count += usize::from(wants_v4);
            let mut reply = question[..length.min(at + 5)].to_vec();
            reply[2..4].copy_from_slice(&[0x81, 0x80]);
            reply[6..12].copy_from_slice(&[0, found.len() as u8, 0, 0, 0, 0]);
            for address in found {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
                reply.extend(address);
            }
            // A client that is gone asks no more.
            let _ = socket.send_to(&reply, client);
        }
    });
}

/// Count who connects to an address at port 80.
fn canary(address: &str, reached: &Arc<AtomicUsize>) {
    let listener = TcpListener::bind((address, 80)).expect("a port of the namespace");
    let reached = reached.clone();
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            reached.fetch_add(1, Ordering::SeqCst);
        }
    });
}

fn inside() {
    let reached = Arc::new(AtomicUsize::new(0));
    canary("127.0.0.1", &reached);
    canary("169.254.169.254", &reached);
    let public = Files::at("93.184.216.34:80");
    let once = |first, then| vec![vec![first], vec![then]];
    names(HashMap::from([
        ("good.test", vec![vec![PUBLIC]]),
        ("turns.test", once(PUBLIC, LOOPBACK)),
        ("returns.test", once(LOOPBACK, PUBLIC)),
        ("both.test", vec![vec![PUBLIC, LOOPBACK]]),
        ("inner.test", vec![vec![LOOPBACK]]),
        ("metadata.test", vec![vec![METADATA]]),
        ("none.test", vec![Vec::new()]),
    ]));
    let studio = Studio::open();
    let path = studio.collection("c");
    let (taken, _) = studio.kinds();
    for sample in &taken {
        let index = |url: &str| studio.index(&path, json!([{sample.kind: url}]));
        public.put("/file", &sample.one);
        assert_eq!(index("http://good.test/file").status, 200, "a public host is reached");
        let before = public.asked();
        // The kinds share the names; the first one has used up what a name says first.
        let first = index("http://turns.test/file").status;
        assert_eq!(first, if public.asked() > before { 200 } else { 422 });
        for name in ["turns", "both", "inner", "metadata", "none", "unknown"] {
            for _ in 0..3 {
                let answer = index(&format!("http://{name}.test/file"));
                assert_eq!((answer.status, answer.code()), (422, "fetch_failed"), "{name}: {answer:?}");
            }
            let answer =
                format!("HTTP/1.1 302 Found\r\nlocation: http://{name}.test/file\r\ncontent-length: 0\r\n\r\n");
            public.put_raw("/hop", answer.as_bytes());
            let answer = index("http://good.test/hop");
            assert_eq!((answer.status, answer.code()), (422, "fetch_failed"), "{name}: {answer:?}");
        }
        index("http://returns.test/file");
        assert_eq!(index("http://returns.test/file").status, 200, "no verdict outlives its connection");
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0, "a canary was reached");
}
