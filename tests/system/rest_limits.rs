//! Guards against clients that ask for too much, too slowly, or at the wrong moment: limits a minute for projects and for
//! wrong keys, requests in progress, memory for bodies, header lines and bodies that never end, and a service that is told
//! to stop while it works.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vw_tests::service::{Answer, key};
use vw_tests::world::{COLLECTIONS, World};

fn rates(answer: &Answer) -> [Option<&str>; 3] {
    let names = ["limit", "remaining", "reset"];
    names.map(|name| answer.header(&format!("x-ratelimit-{name}-requests")))
}

#[test]
fn a_project_may_ask_so_often_a_minute_for_each_kind_of_request() {
    let world = World::start(&["--rate-limits", "read=3,search=1"]);
    let list = |key: &str| world.service.send("GET", COLLECTIONS, key, &Value::Null);
    for left in ["2", "1", "0"] {
        let answer = list(&world.key);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(rates(&answer)[..2], [Some("3"), Some(left)]);
        assert!(answer.header("ratelimit").is_some_and(|text| text.starts_with(&format!("\"read\";r={left};t="))));
        assert_eq!(answer.header("ratelimit-policy"), Some("\"read\";q=3;w=60"));
    }
    let refused = list(&world.key);
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"), "{refused:?}");
    let wait: u64 = refused.retry_after.as_deref().and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(rates(&refused)[..2], [Some("3"), Some("0")]);
    let second = key(&world.cluster, "app", &["create", "--project", "default"]);
    assert_eq!(list(&second).status, 429, "another key of the project changes nothing");
    let blue = key(&world.cluster, "app", &["create", "--project", "blue"]);
    assert_eq!(list(&blue).status, 200, "another project has its own minute");
    let made = world.send("POST", COLLECTIONS, json!({"name": "c"}));
    assert_eq!((made.status, rates(&made)), (200, [None; 3]), "writing has no limit here: {made:?}");
    let path = format!("{COLLECTIONS}/{}/search", made.body["id"].as_str().expect("an id"));
    let search = || world.send("POST", &path, json!({"text": "x"})).status;
    assert_eq!((search(), search()), (200, 429));
    assert!(world.service.text("/metrics").contains("vw_http_rate_limited_total{kind=\"read\"} 2"));
}

/// Post an item on a connection of its own; it waits for whoever has locked the collection's row.
fn begin_index(world: &World, path: &str) -> TcpStream {
    let body = json!({"items": [{"text": "a hammer"}]}).to_string();
    let mut client = TcpStream::connect(world.service.address()).expect("the service");
    client.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    write!(
        client,
        "POST {path}/index HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        world.key,
        body.len()
    )
    .expect("a request");
    let mut witness = world.cluster.connect("app");
    let limit = Instant::now() + Duration::from_secs(30);
    let waits = "SELECT FROM pg_locks WHERE NOT granted";
    while witness.query(waits, &[]).expect("locks").is_empty() {
        assert!(Instant::now() < limit, "the request does not wait for the lock");
        std::thread::sleep(Duration::from_millis(20));
    }
    client
}

fn rest(mut client: TcpStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).expect("an answer to its end");
    text
}

#[test]
fn too_many_requests_in_progress_are_turned_away_at_once() {
    let world = World::start(&["--max-in-flight", "1"]);
    let path = world.collection("c");
    let mut blocker = world.cluster.connect("app");
    let mut lock = blocker.transaction().expect("a transaction");
    lock.batch_execute("SELECT FROM vw.collection FOR UPDATE").expect("a lock");
    let client = begin_index(&world, &path);
    let refused = world.send("GET", COLLECTIONS, Value::Null);
    assert_eq!((refused.status, refused.code()), (503, "overloaded"), "{refused:?}");
    assert!(refused.retry_after.is_some());
    assert_eq!(world.send("GET", "/livez", Value::Null).status, 200, "a full process lives");
    lock.commit().expect("the lock is given up");
    assert!(rest(client).starts_with("HTTP/1.1 200"));
    assert_eq!(world.send("GET", &path, Value::Null).body["item_count"], json!(1));
}

#[test]
fn clients_that_never_finish_their_header_make_room() {
    let world = World::start(&["--max-connections", "4", "--header-seconds", "1"]);
    let slow: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut client = TcpStream::connect(world.service.address()).expect("the service");
            client.write_all(b"GET /livez HTTP/1.1\r\nX-Slow: ").expect("a beginning");
            client.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
            client
        })
        .collect();
    assert_eq!(world.send("GET", COLLECTIONS, Value::Null).status, 200, "whoever waits gets in");
    for mut client in slow {
        let mut text = Vec::new();
        // Closed, with or without an answer, or reset: each is an end.
        let _ = client.read_to_end(&mut text);
        assert!(!String::from_utf8_lossy(&text).contains(" 200 "));
    }
}

/// Send the head of a request that announces a body, and the beginning of that; give the connection.
fn announce(world: &World, path: &str, length: usize) -> TcpStream {
    let mut client = TcpStream::connect(world.service.address()).expect("the service");
    client.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    let key = &world.key;
    write!(
        client,
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n{{\"items\": ["
    )
    .expect("a request");
    client
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let world = World::start(&["--body-seconds", "1"]);
    let answer = rest(announce(&world, COLLECTIONS, 1000));
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
    assert_eq!(world.send("GET", COLLECTIONS, Value::Null).status, 200);
}

/// Bodies take memory as they arrive, and no more than there is.
#[test]
fn bodies_for_which_there_is_no_memory_are_turned_away() {
    let world = World::start(&[]);
    let path = format!("{}/index", world.collection("c"));
    let filling = vec![b' '; (64 << 20) - 100];
    let mut held: Vec<TcpStream> = (0..4).map(|_| announce(&world, &path, 64 << 20)).collect();
    held.iter_mut().for_each(|client| client.write_all(&filling).expect("there is room for four"));
    let full = Instant::now() + Duration::from_secs(30);
    loop {
        let refused = world.send("POST", &path, json!({"items": [{"text": "x".repeat(1 << 20)}]}));
        if refused.status == 503 {
            assert_eq!(refused.code(), "overloaded");
            assert!(refused.retry_after.is_some(), "{refused:?}");
            break;
        }
        assert!(Instant::now() < full, "{refused:?}");
    }
    assert_eq!(world.send("GET", COLLECTIONS, Value::Null).status, 200, "what has no body goes on");
    drop(held);
    let free = Instant::now() + Duration::from_secs(30);
    while world.send("POST", &path, json!({"items": [{"text": "x"}]})).status != 200 {
        assert!(Instant::now() < free, "the memory does not come back");
    }
}

#[test]
fn an_address_may_fail_to_authenticate_so_often_a_minute() {
    let world = World::start(&["--auth-failures", "5", "--trusted-proxies", "127.0.0.1"]);
    let unseen = key(&world.cluster, "app", &["create", "--project", "default"]);
    let ask = |key: &str, from: &str| {
        let headers = [("authorization", &*format!("Bearer {key}")), ("x-forwarded-for", from)];
        world.service.send_raw("GET", COLLECTIONS, &headers, Vec::new())
    };
    let nobody = |from: &str| world.service.send_raw("GET", COLLECTIONS, &[("x-forwarded-for", from)], Vec::new());
    let (red, blue) = ("192.0.2.1", "192.0.2.2");
    let wrong = format!("{}{}", &world.key[..world.key.len() - 4], "AAAA");
    assert_eq!(ask(&world.key, red).status, 200);
    for at in 0..5 {
        let key = if at % 2 == 0 { &wrong } else { "vwk_none" };
        assert_eq!((ask(key, red).status, nobody(red).status), (401, 401), "{at}");
        // What a client writes itself stands before the proxy's word.
        assert_eq!(ask(&world.key, &format!("203.0.113.{at}, {red}")).status, 200);
    }
    for key in [&wrong, "vwk_none", &unseen] {
        let refused = ask(key, red);
        assert_eq!((refused.status, refused.code()), (429, "rate_limited"), "{refused:?}");
        let wait: u64 = refused.retry_after.as_deref().and_then(|text| text.parse().ok()).expect("seconds");
        assert!((1..=60).contains(&wait), "{wait}");
        assert!(!refused.body.to_string().contains("vwk_"), "{refused:?}");
    }
    assert_eq!(ask(&wrong, &format!("{blue}, {red}")).status, 429, "the proxy's word counts, not the client's");
    assert_eq!(ask(&world.key, red).status, 200, "a key that was good goes on behind the same address");
    assert_eq!((ask(&unseen, blue).status, ask(&wrong, blue).status), (200, 401), "another address is not concerned");
    let text = world.service.text("/metrics");
    for line in [
        "vw_auth_refused_total{reason=\"invalid\"} 4",
        "vw_auth_refused_total{reason=\"malformed\"} 2",
        "vw_auth_refused_total{reason=\"limited\"} 4",
        "vw_auth_refused_total{reason=\"missing\"} 5",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    let log = world.service.log();
    assert!(![&world.key, &unseen, &wrong].iter().any(|key| log.contains(&key[13..])), "a secret is in the log");
}

/// Begin requests whose bodies never come to their end.
fn half_bodies(world: &World, count: usize, path: &str, key: &str, announced: usize) -> Vec<TcpStream> {
    let begin = |_| {
        let mut client = TcpStream::connect(world.service.address()).expect("the service");
        write!(
            client,
            "POST {path}/index HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {announced}\r\n\r\n{{\"items\": ["
        )
        .expect("a beginning");
        client
    };
    (0..count).map(begin).collect()
}

#[test]
fn bodies_that_do_not_end_take_neither_places_nor_memory_from_others() {
    let world = World::start(&["--max-in-flight", "2"]);
    let stranger = "vwk_abcd1234_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let path = world.collection("c");
    // Twelve of the largest bodies would fill the memory for bodies three times over.
    let slow =
        [half_bodies(&world, 12, &path, &world.key, 64 << 20), half_bodies(&world, 12, &path, stranger, 1 << 20)];
    std::thread::sleep(Duration::from_millis(500));
    world.index(&path, &[("a", "a hammer", json!({}))]);
    let found = world.send("POST", &format!("{path}/search"), json!({"text": "a tool"}));
    assert_eq!(found.status, 200, "{found:?}");
    drop(slow);
}

#[test]
fn a_newcomer_takes_the_place_of_who_idles() {
    let world = World::start(&["--max-connections", "3", "--header-seconds", "600"]);
    let mut idle: Vec<TcpStream> =
        (0..6).map(|_| TcpStream::connect(world.service.address()).expect("the service")).collect();
    let begun = Instant::now();
    for _ in 0..3 {
        let answer = world.service.read("GET", "/livez", &[("connection", "close")]);
        assert_eq!(answer.status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "nobody waits for the idle ones");
    let mut end = [0; 1];
    idle[0].set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    assert!(matches!(idle[0].read(&mut end), Ok(0) | Err(_)), "the first one was closed");
}

#[test]
fn a_service_that_is_told_to_stop_finishes_what_it_has_begun() {
    let mut world = World::start(&[]);
    let path = world.collection("c");
    let mut blocker = world.cluster.connect("app");
    let mut lock = blocker.transaction().expect("a transaction");
    lock.batch_execute("SELECT FROM vw.collection FOR UPDATE").expect("a lock");
    let client = begin_index(&world, &path);
    world.service.terminate();
    let limit = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(world.service.address()).is_ok() {
        assert!(Instant::now() < limit, "it goes on listening");
        std::thread::sleep(Duration::from_millis(20));
    }
    lock.commit().expect("the lock is given up");
    assert!(rest(client).starts_with("HTTP/1.1 200"));
    assert!(world.service.ended(), "{}", world.service.log());
    let count = "SELECT item_count FROM vw.collection";
    assert_eq!(world.cluster.connect("app").query_one(count, &[]).expect("a count").get::<_, i64>(0), 1);
}
