//! URLs and names that lead inside, and names that lead elsewhere the second time, in a network of our own: a network
//! namespace with a name server that lies, a "public" web server, and canaries where no request may arrive. Needs root, for
//! ports below 1024 and for the namespace.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use vw_tests::files::Files;

use super::{Studio, vectors};

/// An address that counts as public, and is ours in the namespace.
const PUBLIC: &str = "93.184.216.34";

/// Set in the namespace.
const INSIDE: &str = "VW_TEST_INSIDE";

/// Inner addresses of every kind, which are this machine's in the namespace; each has a canary.
const INNER: &str = "127.0.0.1 127.0.0.2 127.255.255.254 10.0.0.1 100.64.0.1 100.100.100.200 168.63.129.16 169.254.169.254 169.254.170.2 \
    172.16.0.1 172.31.255.254 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.1.1 198.18.0.1 198.51.100.7 203.0.113.7 \
    ::1 fc00::1 fd00::1 fd00:ec2::254 fd12:3456::1 fec0::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::a00:1 64:ff9b:1::7f00:1 \
    2002:7f00:1:: 2002:7f00:1::1 2002:a9fe:a9fe::1 2001::1 2001:db8::1 100::1 3fff::1 5f00::1";

/// Ports that are asked for in one URL or another.
const PORTS: [u16; 5] = [22, 80, 443, 6379, 8080];

/// Makes the namespace's network, then becomes the program in $0.
const ENTER: &str = "ip link set lo up && for address in $2; do ip addr add $address dev lo nodad 2>/dev/null || \
    ip addr show dev lo | grep -qF \" $address\" || ip addr add $address dev lo || exit 1; done && \
    mount --bind \"$1\" /etc/resolv.conf && exec \"$0\" --exact rebinding::no_url_and_no_name_leads_inside";

#[test]
fn no_url_and_no_name_leads_inside() {
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
    let addresses = INNER.split_whitespace().filter(|address| !address.starts_with("127.") && *address != "::1");
    let addresses = addresses.map(|address| format!("{address}/{}", if address.contains(':') { 128 } else { 32 }));
    let addresses: Vec<String> = addresses.chain(["93.184.216.34/32".to_owned()]).collect();
    command.args(["--net", "--mount", "sh", "-c", ENTER]).arg(program).arg(&servers).arg(addresses.join(" "));
    command.env(INSIDE, "1");
    let output = command.output().expect("unshare starts");
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// The answers to one question after another, the last one for ever.
type Answers = Vec<Vec<IpAddr>>;

/// Answer each question for addresses of one family (RFC 1035, RFC 3596) with the next of the name's answers.
fn names(answers: HashMap<&'static str, Answers>) {
    let socket = UdpSocket::bind("127.0.0.1:53").expect("the name server's port");
    std::thread::spawn(move || {
        let (mut asked, mut question) = (HashMap::<(String, bool), usize>::new(), [0; 512]);
        while let Ok((length, client)) = socket.recv_from(&mut question) {
            let (mut labels, mut at) = (Vec::new(), 12);
            while question[at] != 0 {
                let end = at + 1 + usize::from(question[at]);
                labels.push(String::from_utf8_lossy(&question[at + 1..end]).to_ascii_lowercase());
                at = end;
            }
            let (name, four) = (labels.join("."), question[at + 2] == 1);
            let count = asked.entry((name.clone(), four)).or_default();
            let found = answers.get(name.as_str()).map(|known| &known[(*count).min(known.len() - 1)]);
            *count += 1;
            let of_family = |address: &&IpAddr| address.is_ipv4() == four;
            let found: Vec<&IpAddr> = found.into_iter().flatten().filter(of_family).collect();
            let mut reply = question[..length.min(at + 5)].to_vec();
            reply[2..4].copy_from_slice(&[0x81, 0x80]);
            reply[6..12].copy_from_slice(&[0, found.len() as u8, 0, 0, 0, 0]);
            for address in found {
                let octets = match address {
                    IpAddr::V4(address) => address.octets().to_vec(),
                    IpAddr::V6(address) => address.octets().to_vec(),
                };
                reply.extend([0xc0, 12, 0, if four { 1 } else { 28 }, 0, 1, 0, 0, 0, 0, 0, octets.len() as u8]);
                reply.extend(octets);
            }
            // A client that is gone asks no more.
            let _ = socket.send_to(&reply, client);
        }
    });
}

/// Count who connects to an address and port.
fn canary(place: SocketAddr, reached: &Arc<AtomicUsize>) {
    let listener = TcpListener::bind(place).unwrap_or_else(|error| panic!("{place}: {error}"));
    let reached = reached.clone();
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            reached.fetch_add(1, Ordering::SeqCst);
        }
    });
}

/// What the name server says.
fn lies() -> HashMap<&'static str, Answers> {
    let answer = |words: &str| words.split_whitespace().map(|word| word.parse().expect(word)).collect::<Vec<IpAddr>>();
    let always = |words| vec![answer(words)];
    HashMap::from([
        ("good.test", always(PUBLIC)),
        ("turns.test", vec![answer(PUBLIC), answer("127.0.0.1")]),
        ("returns.test", vec![answer("127.0.0.1"), answer(PUBLIC)]),
        ("both.test", always("93.184.216.34 127.0.0.1")),
        ("two.test", always("127.0.0.1 93.184.216.34")),
        ("inner.test", always("127.0.0.1")),
        ("127.0.0.1.inner.test", always("127.0.0.1")),
        ("metadata.test", always("169.254.169.254")),
        ("six.test", always("::1")),
        ("mixed.test", always("93.184.216.34 ::1")),
        ("mapped.test", always("::ffff:127.0.0.1")),
        ("nat64.test", always("64:ff9b::a9fe:a9fe")),
        ("ula.test", always("fd00:ec2::254")),
        ("none.test", vec![Vec::new()]),
    ])
}

fn inside() {
    let reached = Arc::new(AtomicUsize::new(0));
    let inner = INNER.split_whitespace().map(|word| word.parse::<IpAddr>().expect(word));
    inner.for_each(|address| PORTS.iter().for_each(|port| canary(SocketAddr::new(address, *port), &reached)));
    let public: IpAddr = PUBLIC.parse().expect("an address");
    PORTS.iter().filter(|port| **port != 80).for_each(|port| canary(SocketAddr::new(public, *port), &reached));
    let public = Files::at("93.184.216.34:80");
    names(lies());
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
        for _ in 0..3 {
            let answer = index("http://turns.test/file");
            assert_eq!((answer.status, answer.code()), (422, "fetch_failed"), "{answer:?}");
        }
        index("http://returns.test/file");
        assert_eq!(index("http://returns.test/file").status, 200, "no verdict outlives its connection");
    }
    let urls = vectors::urls();
    assert!(urls.len() >= 150, "{}", urls.len());
    if let Some(sample) = taken.first() {
        urls.iter().for_each(|url| lead_inside(&studio, &public, &path, sample.kind, url));
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0, "a canary was reached");
}

/// Ask for a URL, and for one that leads to it.
fn lead_inside(studio: &Studio, public: &Files, path: &str, kind: &str, url: &str) {
    let direct = studio.index(path, json!([{kind: url}]));
    let refused = (direct.status, direct.code());
    assert!(matches!(refused, (400, "invalid_request") | (422, "fetch_failed")), "{url}: {direct:?}");
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n");
    public.put_raw("/hop", answer.as_bytes());
    let led = studio.index(path, json!([{kind: "http://good.test/hop"}]));
    assert_eq!((led.status, led.code()), (422, "fetch_failed"), "to {url}: {led:?}");
}
