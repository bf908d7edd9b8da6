//! Guards requests under an Idempotency-Key: done once however often they are sent, also when the client leaves or the
//! service restarts, and never mistaken for one another.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vw_tests::service::{Answer, JSON, Service, key};
use vw_tests::world::{COLLECTIONS, World};

/// Post under a bearer key and an idempotency key.
fn post(service: &Service, bearer: &str, path: &str, once: &str, body: &Value) -> Answer {
    let headers = [("authorization", &*format!("Bearer {bearer}")), JSON, ("idempotency-key", once)];
    service.send_raw("POST", path, &headers, body.to_string().into_bytes())
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

fn items(world: &World, path: &str) -> Value {
    world.send("GET", path, Value::Null).body["item_count"].clone()
}

/// Ask until an answer is not in progress.
fn settled(ask: impl Fn() -> Answer) -> Answer {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = ask();
        if answer.status != 409 {
            return answer;
        }
        assert_eq!(answer.code(), "idempotency_in_flight");
        assert!(answer.retry_after.is_some() && Instant::now() < limit, "{answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_repeated_request_is_done_once() {
    let mut world = World::start(&[]);
    let body = json!({"name": "once"});
    let made = post(&world.service, &world.key, COLLECTIONS, "make", &body);
    assert!(made.status == 200 && !replayed(&made), "{made:?}");
    let again = post(&world.service, &world.key, COLLECTIONS, "make", &body);
    assert!(again.status == 200 && replayed(&again), "not the conflict of a name that is taken: {again:?}");
    assert_eq!(again.body, made.body);
    let path = format!("{COLLECTIONS}/{}", made.body["id"].as_str().expect("an id"));
    let index = format!("{path}/index");
    let one = json!({"items": [{"text": "a hammer"}]});
    let first = post(&world.service, &world.key, &index, "add", &one);
    assert_eq!(first.status, 200, "{first:?}");
    world.service = Service::start(&world.cluster, "app");
    let again = post(&world.service, &world.key, &index, "add", &one);
    assert!(replayed(&again) && again.body == first.body, "a restart forgets nothing: {again:?}");
    assert_eq!(items(&world, &path), json!(1));
    for (path, body) in [(&*index, json!({"items": [{"text": "a rose"}]})), (COLLECTIONS, one.clone())] {
        let other = post(&world.service, &world.key, path, "add", &body);
        let wanted = if path == COLLECTIONS { (400, "invalid_request") } else { (422, "idempotency_mismatch") };
        assert_eq!((other.status, other.code()), wanted, "{other:?}");
    }
    let other = post(&world.service, &world.key, COLLECTIONS, "add", &json!({"name": "two"}));
    assert_eq!((other.status, other.param()), (422, Some("Idempotency-Key")), "{other:?}");
    let blue = key(&world.cluster, "app", &["create", "--project", "blue"]);
    let theirs = post(&world.service, &blue, COLLECTIONS, "make", &body);
    assert!(theirs.status == 200 && !replayed(&theirs), "keys of two projects are two keys: {theirs:?}");
}

#[test]
fn a_failed_request_gives_its_key_up() {
    let world = World::start(&[]);
    let missing = format!("{COLLECTIONS}/col_00000000000000000000000000/index");
    let one = json!({"items": [{"text": "a hammer"}]});
    assert_eq!(post(&world.service, &world.key, &missing, "k", &one).status, 404);
    assert_eq!(post(&world.service, &world.key, COLLECTIONS, "k", &json!({"name": ""})).status, 400);
    let made = post(&world.service, &world.key, COLLECTIONS, "k", &json!({"name": "c"}));
    assert!(made.status == 200 && !replayed(&made), "{made:?}");
    for bad in ["", &"x".repeat(256)] {
        let answer = post(&world.service, &world.key, COLLECTIONS, bad, &json!({"name": "d"}));
        assert_eq!((answer.status, answer.param()), (400, Some("Idempotency-Key")), "{answer:?}");
    }
    assert_eq!(post(&world.service, &world.key, COLLECTIONS, &"x".repeat(255), &json!({"name": "e"})).status, 200);
}

#[test]
fn a_request_in_progress_is_not_done_again_even_if_its_client_leaves() {
    let world = World::start(&[]);
    let path = world.collection("c");
    let (index, one) = (format!("{path}/index"), json!({"items": [{"text": "a hammer"}]}));
    // Whoever adds items locks the collection's row; while it is locked here, requests stay in progress.
    let mut blocker = world.cluster.connect("app");
    let mut lock = blocker.transaction().expect("a transaction");
    lock.batch_execute("SELECT FROM vw.collection FOR UPDATE").expect("a lock");
    let body = one.to_string();
    let mut client = TcpStream::connect(world.service.address()).expect("the service");
    write!(
        client,
        "POST {index} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: k\r\nContent-Length: {}\r\n\r\n{body}",
        world.key,
        body.len()
    )
    .expect("a request");
    let mut witness = world.cluster.connect("app");
    let limit = Instant::now() + Duration::from_secs(30);
    while witness.query("SELECT FROM vw.request WHERE status IS NULL", &[]).expect("rows").is_empty() {
        assert!(Instant::now() < limit, "the request was not begun");
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = post(&world.service, &world.key, &index, "k", &one);
    assert_eq!((second.status, second.code()), (409, "idempotency_in_flight"), "{second:?}");
    drop(client);
    std::thread::sleep(Duration::from_millis(200));
    lock.commit().expect("the lock is given up");
    let answer = settled(|| post(&world.service, &world.key, &index, "k", &one));
    assert!(answer.status == 200 && replayed(&answer), "the work went on without its client: {answer:?}");
    assert_eq!(items(&world, &path), json!(1));
}

#[test]
fn answers_are_forgotten_after_a_day() {
    let mut world = World::start(&[]);
    let path = world.collection("c");
    let (index, one) = (format!("{path}/index"), json!({"items": [{"text": "a hammer"}]}));
    assert_eq!(post(&world.service, &world.key, &index, "k", &one).status, 200);
    let mut client = world.cluster.connect("app");
    let kept = "SELECT count(*) FROM vw.request WHERE expires_at > now() + interval '23 hours 59 minutes'";
    assert_eq!(client.query_one(kept, &[]).expect("a count").get::<_, i64>(0), 1);
    client.batch_execute("UPDATE vw.request SET expires_at = now()").expect("a day later");
    let fresh = post(&world.service, &world.key, &index, "k", &one);
    assert!(fresh.status == 200 && !replayed(&fresh), "{fresh:?}");
    assert_eq!(items(&world, &path), json!(2));
    client.batch_execute("UPDATE vw.request SET expires_at = now()").expect("another day later");
    world.service = Service::start(&world.cluster, "app");
    let limit = Instant::now() + Duration::from_secs(30);
    while !client.query("SELECT FROM vw.request", &[]).expect("rows").is_empty() {
        assert!(Instant::now() < limit, "old answers were not swept away");
        std::thread::sleep(Duration::from_millis(50));
    }
}
